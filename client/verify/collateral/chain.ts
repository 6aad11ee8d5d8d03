import { type Certificate, readCertificate } from '../../../wasm/certificate.ts'
import { hash } from '../../../wasm/core.ts'
import { FormatError } from '../../../wasm/reading.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import type { TrustedRoot, VerifyEcdsa } from '../attestation.ts'
import { keep, sha256 } from './ecdsa.ts'
import { notWithin } from './fields.ts'
import { CollateralFormatError } from './verified.ts'

const ROOT = ['Intel SGX Root CA'] as const
const AUTHORITIES = ['Intel SGX PCK Platform CA', 'Intel SGX PCK Processor CA'] as const

// Common names from the leaf up. The three are told apart by them, so that a PCK key, which any platform's owner can have certified, signs
// no TCB info (case tcbinfo-signed-by-pck).
const CHAINS = {
  /** An authority of PCK certificates and CRLs. */
  authority: [AUTHORITIES, ROOT],
  /** The signer of TCB info and QE identity. */
  signer: [['Intel SGX TCB Signing'], ROOT],
  /** A platform's certificate. */
  pck: [['Intel SGX PCK Certificate'], AUTHORITIES, ROOT],
} as const

export type ChainKind = keyof typeof CHAINS

export interface ChainOptions {
  readonly kind: ChainKind
  /** What the chain is called in a problem. */
  readonly path: string
  readonly root: TrustedRoot
  /** Unix seconds. */
  readonly at: number
  readonly ecdsa: VerifyEcdsa
  /** Certificates whose signatures were found to hold before, under this root: those of a handle. */
  readonly known?: readonly Certificate[]
  /** The check of the leaf's signature by the next certificate, where it was started before. */
  readonly leaf?: Promise<boolean> | null
}

/** Bits of RFC 5280 section 4.2.1.3. */
const USAGE = { digitalSignature: 1 << 0, keyCertSign: 1 << 5, cRLSign: 1 << 6 } as const

/**
 * Reads the certificates of a chain and puts them in order, each before its issuer, the root last: Intel's own samples have the root first.
 *
 * @throws CollateralFormatError naming certificate, part and byte; UnsupportedError where there is no WebAssembly with SIMD
 */
export const readChain = (documents: readonly Bytes[], path: string): readonly Certificate[] => {
  const certificates = documents.map((der, i) => within(`${path}[${i}]`, () => readCertificate(der)))
  const ordered: Certificate[] = []
  let next = certificates.find((one) => isIssuedBy(one, one))
  while (next !== undefined) {
    ordered.unshift(next)
    next = certificates.find((one) => !ordered.includes(one) && isIssuedBy(one, ordered[0] as Certificate))
  }
  if (ordered.length !== certificates.length)
    throw new CollateralFormatError(path, null, `${certificates.length} certificates that are no chain of issuers up to a root`)
  return ordered
}

const isIssuedBy = (one: Certificate, issuer: Certificate): boolean => equal(one.issuer.der, issuer.subject.der)

/** Runs a reader of the core and says in which document it failed. */
export const within = <T>(path: string, run: () => T): T => {
  try {
    return run()
  } catch (thrown) {
    if (!(thrown instanceof FormatError)) throw thrown
    throw new CollateralFormatError(thrown.path === '' ? path : `${path}.${thrown.path}`, thrown.offset, thrown.problem, thrown)
  }
}

/**
 * Verifies a chain as {@link readChain} gives it: its length and common names, issuers and subjects, constraints, key usage and dates, then the
 * pinned root and the signatures, the root's own included: the pin is of its key, and its dates are nothing without it. Revocation is left
 * to `revoked` of crls.ts. All signatures are checked side by side; none is when something is wrong already that costs nothing to see.
 *
 * @returns what is wrong, each problem with its place; empty for a chain that holds
 * @see TDX.md section 3; RFC 5280 section 6.1
 */
export const verifyChain = async (chain: readonly Certificate[], options: ChainOptions): Promise<readonly string[]> => {
  const problems = shapeProblems(chain, options)
  if (problems.length > 0) return problems
  const { path, ecdsa, known = [], leaf = null } = options
  const top = chain.length - 1
  const signatures = chain.map((certificate, i) => {
    if (known.some((other) => isSame(other, certificate))) return true
    if (i === 0 && leaf !== null) return leaf
    return i === top ? isSelfSigned(certificate, ecdsa) : isSignedBy(certificate, chain[i + 1] as Certificate, ecdsa)
  })
  const [found, valid] = await Promise.all([keyHash(chain[top] as Certificate, ecdsa), Promise.all(signatures)])
  const { spkiHash } = options.root
  return [
    ...unless(equal(found, spkiHash), `${path}[${top}].spki: SHA-256 ${toHex(found)}, the trusted root has ${toHex(spkiHash)}`),
    ...valid.flatMap((holds, i) =>
      holds ? [] : [`${path}[${i}].signature: does not hold under the key of ${told(chain[Math.min(i + 1, top)])}`],
    ),
  ]
}

const told = (certificate: Certificate | undefined): string => certificate?.subject.commonName ?? 'nobody'

const isSame = (a: Certificate, b: Certificate): boolean => equal(a.tbs, b.tbs) && equal(a.signatureDer, b.signatureDer)

/** The signature of a certificate or CRL. */
export const isSignedBy = (
  { tbs, signature }: Pick<Certificate, 'tbs' | 'signature'>,
  { publicKey }: Pick<Certificate, 'publicKey'>,
  ecdsa: VerifyEcdsa,
): Promise<boolean> => ecdsa(publicKey, signature, tbs)

const KEPT_ROOTS = 8

/**
 * Answers about roots that were found or are being looked for: there is one root, every chain ends in it, and chains are verified side by
 * side. By port, since another may say another thing.
 */
const keptByRoot = <T>(ask: (root: Certificate, ecdsa: VerifyEcdsa) => Promise<T>): typeof ask => {
  const ports = new WeakMap<VerifyEcdsa, Map<string, Promise<T>>>()
  return (root, ecdsa) => {
    const kept = ports.get(ecdsa) ?? new Map<string, Promise<T>>()
    ports.set(ecdsa, kept)
    return keep(kept, KEPT_ROOTS, toHex(hash(root.tbs, root.signatureDer)), () => ask(root, ecdsa))
  }
}

const isSelfSigned = /* @__PURE__ */ keptByRoot((root, ecdsa) => isSignedBy(root, root, ecdsa))

// Not by port: whoever hashes it, it is the same.
const hashes = /* @__PURE__ */ new Map<string, Promise<Bytes>>()

const keyHash = ({ spki }: Certificate, ecdsa: VerifyEcdsa): Promise<Bytes> =>
  keep(hashes, KEPT_ROOTS, toHex(spki), () => sha256(spki, ecdsa))

const shapeProblems = (chain: readonly Certificate[], { kind, path, at }: ChainOptions): readonly string[] => {
  const names: readonly (readonly string[])[] = CHAINS[kind]
  if (chain.length !== names.length) return [`${path}: expected ${names.length} certificates, found ${chain.length}`]
  // A chain of an authority goes on below it, one of a leaf ends with it.
  const leaves = kind === 'authority' ? 0 : 1
  return chain.flatMap((certificate, i) => {
    const place = `${path}[${i}]`
    const { commonName } = certificate.subject
    const known = names[i] ?? []
    return [
      ...unless(known.includes(commonName), `${place}.subject: expected ${known.join(' or ')}, found ${commonName}`),
      ...unless(isIssuedBy(certificate, chain[i + 1] ?? certificate), `${place}.issuer: is not the subject of the next certificate`),
      ...dateProblems(place, certificate.notBefore, certificate.notAfter, at),
      ...(i < leaves ? leafProblems(certificate, kind, place) : authorityProblems(certificate, i - leaves, place)),
    ]
  })
}

const unless = (holds: boolean, problem: string): readonly string[] => (holds ? [] : [problem])

/** Whether a time lies in a period, both ends included. Written so that what is no number lies in none. */
export const dateProblems = (place: string, from: number, until: number, at: number): readonly string[] =>
  from <= at && at <= until ? [] : [`${place}: ${notWithin(from, until, at)}`]

const leafProblems = ({ basicConstraints, keyUsage, sgx }: Certificate, kind: ChainKind, place: string): readonly string[] => [
  ...unless(!basicConstraints?.isCa, `${place}.basicConstraints: an authority, where none may stand`),
  ...usageProblems(keyUsage, USAGE.digitalSignature, 'digitalSignature', place),
  ...unless(kind !== 'pck' || sgx !== null, `${place}.sgx: the extension of a PCK certificate is missing`),
]

/** @param below how many authorities stand between this one and the leaf */
const authorityProblems = ({ basicConstraints, keyUsage }: Certificate, below: number, place: string): readonly string[] => {
  const length = basicConstraints?.pathLength ?? below
  return [
    ...unless(basicConstraints?.isCa === true, `${place}.basicConstraints: not an authority`),
    ...unless(length >= below, `${place}.pathLength: ${length}, ${below} authorities stand below`),
    ...usageProblems(keyUsage, USAGE.keyCertSign | USAGE.cRLSign, 'keyCertSign and cRLSign', place),
  ]
}

const usageProblems = (found: number | null, needed: number, name: string, place: string): readonly string[] =>
  unless(found !== null && (found & needed) === needed, `${place}.keyUsage: lacks ${name}`)
