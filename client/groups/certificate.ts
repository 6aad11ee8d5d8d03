import { hash } from '../../wasm/core.ts'
import { CoalitionError } from '../error.ts'
import { type Bytes, concat, equal, toHex } from '../primitives/bytes.ts'
import { encode } from '../primitives/codec.ts'
import type { Verify } from '../primitives/ed25519.ts'
import { commitHash, type Header, type Seal, sealCodec, voteMessage } from './block.ts'
import type { Roster } from './roster.ts'

/** A header, the votes on it, and the committee that a reader expects them from. */
export interface SealQuestion {
  readonly header: Header
  readonly seal: Seal
  readonly roster: Roster
  readonly rosterId: Bytes
  /** Signatures that the reader needs: see `strength`. */
  readonly needed: number
  readonly verify: Verify
}

/** What a seal was found to be: the commit hash that was signed, and the places in the roster of those who signed it. */
export interface VerifiedSeal {
  readonly commit: Bytes
  readonly signers: readonly number[]
}

/**
 * Holds when at least `needed` members of `roster` signed a finalize vote on `header`.
 *
 * Every signature listed has to be valid, those above the strength too: a seal of which only part is good was made by nobody honest.
 *
 * @throws CertificateError naming the part that fails (docs/wire.md section 3, "Certificate")
 */
export const verifySeal = async (question: SealQuestion): Promise<VerifiedSeal> => {
  const { header, seal, roster, rosterId, needed, verify } = question
  if (!equal(header.roster, rosterId)) throw new CertificateError('roster', toHex(rosterId), toHex(header.roster))
  // Genesis is computed and signed by nobody: a seal on it could only be there to put another one in its place.
  if (header.index === 0n) throw new CertificateError('index', '1 or later', '0')
  if (seal.view < header.view) throw new CertificateError('view', `${header.view} or later`, `${seal.view}`)
  const signers = signersOf(seal, roster.members.length)
  if (signers.length < needed) throw new CertificateError('strength', `${needed} of ${roster.members.length}`, `${signers.length} signed`)
  const commit = commitHash(header)
  const message = voteMessage(rosterId, seal.view, 'finalize', commit)
  await once(verify, hash(concat(rosterId, commit, encode(sealCodec, seal))), () => checkSignatures(question, signers, message))
  return { commit, signers }
}

/**
 * The members that a seal's bitmap names, in the order of their signatures.
 *
 * @throws CertificateError for a bitmap of another length, with bits past the roster, or with another number of bits than signatures:
 *   each would be a second encoding of one certificate
 */
export const signersOf = ({ signers, signatures }: Seal, n: number): readonly number[] => {
  const size = Math.ceil(n / 8)
  if (signers.length !== size) throw new CertificateError('signers', `${size} bytes`, `${signers.length} bytes`)
  const places: number[] = []
  for (let i = 0; i < size * 8; i++) {
    if ((((signers[i >> 3] as number) >> (i & 7)) & 1) === 0) continue
    if (i >= n) throw new CertificateError('signers', `no bit past ${n}`, toHex(signers))
    places.push(i)
  }
  if (places.length !== signatures.length)
    throw new CertificateError('signatures', `${places.length}, one for each bit`, `${signatures.length}`)
  return places
}

const checkSignatures = async ({ seal, roster, verify }: SealQuestion, signers: readonly number[], message: Bytes): Promise<void> => {
  const checks = signers.map((place, i) => {
    const vote = roster.members[place]?.vote
    const signature = seal.signatures[i]
    return vote !== undefined && signature !== undefined && verify(signature, message, vote)
  })
  const wrong = (await Promise.all(checks)).indexOf(false)
  if (wrong >= 0)
    throw new CertificateError('signatures', `a finalize vote of member ${signers[wrong]}`, 'a signature that does not verify')
}

/** Seals remembered per verifier. A reader meets one again when it reopens, and when a second member shows the same head. */
const KEPT_SEALS = 64
const verified = new WeakMap<Verify, Map<string, Promise<void>>>()

const once = (verify: Verify, name: Bytes, check: () => Promise<void>): Promise<void> => {
  const seals = verified.get(verify) ?? new Map<string, Promise<void>>()
  verified.set(verify, seals)
  const key = toHex(name)
  const known = seals.get(key)
  if (known !== undefined) return known
  for (const oldest of seals.keys()) {
    if (seals.size < KEPT_SEALS) break
    seals.delete(oldest)
  }
  // A seal that failed is forgotten: remembering refusals would let a liar push good seals out with made-up ones at no cost.
  const running = check().catch((error: unknown) => {
    seals.delete(key)
    throw error
  })
  seals.set(key, running)
  return running
}

/** A certificate that does not certify: `part` is what fails. */
export class CertificateError extends CoalitionError {
  declare readonly part: 'roster' | 'index' | 'view' | 'signers' | 'signatures' | 'strength'
  declare readonly expected: string
  declare readonly found: string

  constructor(part: CertificateError['part'], expected: string, found: string) {
    super('Verify.CertificateError', `certificate refused: ${part} should be ${expected}, is ${found}`, { part, expected, found })
  }
}
