import { isError } from '../../error.ts'
import { type Certificate, commitHash, type Header } from '../../groups/block.ts'
import { equal } from '../../primitives/bytes.ts'
import { type Branch, EquivocationError, forkOf } from './fork.ts'
import { type Sealed, verifyCertificate } from './opened.ts'
import { type Newer, type Older, open } from './opening.ts'
import type { Reader } from './reader.ts'
import { ancestorAt, expectLink, type Session } from './sync.ts'
import type { Trusted } from './trust.ts'

/**
 * Looks at another member's head: that it stands in one history with ours. This is what confirms a head: a number that somebody says could
 * be of another history, and a committee that signed two would show each to its own readers for ever.
 *
 * @returns the index of its head, or null when it has none of the reader's strength, or one that cannot be compared now
 * @throws EquivocationError; CheckError and the like when the answer itself is no good
 */
export const confirm = async (reader: Reader, session: Session, genesis: Trusted): Promise<bigint | null> => {
  // Asked at once, and looked at when there is something to compare it with: the first verdict should not wait for a second round.
  const early = reader.trusted === null ? await opening(reader, session, genesis) : null
  if (early?.kind === 'held') return early.index
  const trusted = await reader.until(() => reader.trusted, session.signal)
  if (early?.head && equal(early.head.commit, trusted.commit)) return trusted.header.index
  const theirs = await opening(reader, session, trusted)
  if (theirs === null) return null
  if (theirs.kind === 'held') return theirs.index
  if (theirs.kind === 'newer') {
    await expectLink(session, reader.options.ground, trusted, theirs, theirs.links[0])
    return theirs.head.header.index
  }
  return theirs.head !== null && (await isOurs(reader, trusted, theirs.head)) ? theirs.index : null
}

/**
 * Looks at a certificate that came by hearsay. It is held to the same committee and the same strength as one from a member's own mouth; who
 * brought it says nothing about it.
 *
 * @returns the index that it certifies, or null when it is of an epoch that the reader is not in
 * @throws EquivocationError; CheckError for a certificate that is none
 */
export const heed = async (reader: Reader, certificate: Certificate): Promise<bigint | null> => {
  const { trusted } = reader
  if (trusted === null) return null
  const committee = [trusted.next, trusted.committee].find(({ id }) => equal(id, certificate.header.roster))
  if (committee === undefined) return null
  const sealed = await verifyCertificate(reader.options.ground, committee, certificate)
  const { index } = sealed.header
  const now = reader.trusted ?? trusted
  if (index === now.header.index && !equal(sealed.commit, now.commit))
    throw new EquivocationError(forkOf(now, index, { commit: sealed.commit, steps: now.steps, certificate: sealed, link: null }))
  if (index < now.header.index) await isOurs(reader, now, sealed)
  return index
}

// It serves, and has nothing to show yet, or not at this strength: no lie, and no confirmation.
const opening = (reader: Reader, session: Session, trusted: Trusted): Promise<Newer | Older | Held | null> =>
  open(reader.options.ground, session, trusted, (header) => heldBy(reader, header)).catch((error: unknown) => {
    if (isError(error, 'Light.ServerError')) return null
    throw error
  })

/** The head that we hold, or a block below it: which signatures come with it this time makes no difference to what it confirms. */
interface Held {
  readonly kind: 'held'
  readonly index: bigint
}

const heldBy = ({ trusted, recent }: Reader, header: Header): Held | null => {
  const { index } = header
  // As it is now: blocks may have come while the answer was on its way.
  const ours = index === trusted?.header.index && trusted.seal !== null ? trusted.commit : recent.commitAt(index)
  return ours !== null && equal(ours, commitHash(header)) ? { kind: 'held', index } : null
}

/** Whether an older head is a block of ours. Known from following, or asked of the server that is followed. */
const isOurs = async ({ options: { ground }, recent, following }: Reader, trusted: Trusted, head: Sealed): Promise<boolean> => {
  const { index } = head.header
  const known = recent.commitAt(index)
  if (known !== null && equal(known, head.commit)) return true
  // Known to differ or not, it takes a log proof to show that to others. A server that gives none is met by whoever follows it.
  const own = following && (await ancestorAt(ground, following.session, trusted, index).catch(() => null))
  if (own === null) return false
  if (equal(own.commit, head.commit)) return true
  // A head below the last of its epoch is not led to by that epoch's handover.
  const steps = trusted.committee === trusted.next ? trusted.steps : trusted.steps.slice(0, -1)
  const theirs: Branch = { commit: head.commit, steps, certificate: head, link: null }
  throw new EquivocationError(forkOf(trusted, index, theirs, { commit: own.commit, link: { kind: 'leaf', proof: own.proof } }))
}
