import { isError } from '../../error.ts'
import { equal } from '../../primitives/bytes.ts'
import { type Branch, EquivocationError, forkOf } from './fork.ts'
import type { Sealed } from './opened.ts'
import { open } from './opening.ts'
import type { Reader } from './reader.ts'
import { ancestorAt, expectLink, type Session } from './sync.ts'
import type { Ground, Trusted } from './trust.ts'

/**
 * Looks at another member's head: that it stands in one history with ours. This is what confirms a head: a number that somebody says could
 * be of another history, and a committee that signed two would show each to its own readers for ever.
 *
 * @returns the index of its head, or null when it has none of the reader's strength, or one that cannot be compared now
 * @throws EquivocationError; CheckError and the like when the answer itself is no good
 */
export const confirm = async (reader: Reader, session: Session, genesis: Trusted): Promise<bigint | null> => {
  const { ground } = reader.options
  // Asked at once, and looked at when there is something to compare it with: the first verdict should not wait for a second round.
  const early = reader.trusted === null ? await opening(ground, session, genesis) : null
  const trusted = await reader.until(() => reader.trusted, session.signal)
  if (early?.head && equal(early.head.commit, trusted.commit)) return trusted.header.index
  const theirs = await opening(ground, session, trusted)
  if (theirs === null) return null
  if (theirs.kind === 'newer') {
    await expectLink(session, ground, trusted, theirs, theirs.links[0])
    return theirs.head.header.index
  }
  return theirs.head !== null && (await isOurs(reader, trusted, theirs.head)) ? theirs.index : null
}

// It serves, and has nothing to show yet, or not at this strength: no lie, and no confirmation.
const opening = (ground: Ground, session: Session, trusted: Trusted): Promise<Awaited<ReturnType<typeof open>> | null> =>
  open(ground, session, trusted).catch((error: unknown) => {
    if (isError(error, 'Light.ServerError')) return null
    throw error
  })

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
