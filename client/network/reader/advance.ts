import { hashLeaf, hashLeaves } from '../../../wasm/core.ts'
import { commitHash, type Header } from '../../groups/block.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { type Frontier, frontier } from '../../proofs/index.ts'
import { AnswerError } from '../light/client.ts'
import type { Commits } from '../light/messages.ts'
import { commitBelow, EquivocationError, forkOf } from './fork.ts'
import { type Sealed, verifyCertificate } from './opened.ts'
import { CheckError, checkForm, type Ground, surfaceIn, type Trusted } from './trust.ts'

/** A block that was verified, with what it appended to the followed surface: items `first`, `first` + 1, … */
export interface VerifiedBlock {
  readonly header: Header
  readonly commit: Bytes
  readonly first: bigint
  /** Right edge of the surface before them. */
  readonly before: Frontier
  readonly items: readonly Bytes[]
}

export interface Advance {
  readonly trusted: Trusted
  readonly blocks: readonly VerifiedBlock[]
}

/** Where a reader stands between two headers of one `commits`. */
interface Foot {
  readonly header: Header
  readonly commit: Bytes
  readonly edge: Frontier
  readonly log: Frontier | null
}

/**
 * The blocks of one `commits` on top of `trusted`: each names the one before it, the surface's size and root and the log's root are
 * those that the items and headers give, and the last is sealed. The votes on the last are votes on all before it, because a block's hash
 * covers its parent's (PROTOCOL.md section 1, "A certificate counts for all ancestors").
 *
 * @throws CheckError, EquivocationError, or EpochEnd when the blocks are of a committee that the reader has not been led to
 */
export const advance = async (ground: Ground, trusted: Trusted, { headers, seal, appended }: Commits): Promise<Advance> => {
  if (headers.length !== appended.length) throw new AnswerError(`${headers.length} headers with the items of ${appended.length}`)
  if (!equal(trusted.header.next, trusted.next.id)) throw new EpochEnd()
  const last = headers[headers.length - 1] as Header
  expectCommittee(trusted, headers)
  // The signatures are checked while the trees are computed: both have to hold before anything is handed on.
  const sealing = verifyCertificate(ground, trusted.next, { header: last, seal })
  const [sealed, walked] = await Promise.allSettled([sealing, walk(ground, trusted, headers, appended)])
  if (sealed.status === 'rejected') throw sealed.reason
  expectParent(trusted, headers, sealed.value)
  if (walked.status === 'rejected') throw walked.reason
  const { foot, blocks } = walked.value
  return { trusted: { ...foot, seal, committee: trusted.next, next: trusted.next, steps: trusted.steps }, blocks }
}

const expectCommittee = ({ next: { id } }: Trusted, headers: readonly Header[]): void => {
  for (const [i, header] of headers.entries()) {
    const before = headers[i - 1]
    if (before !== undefined && !equal(before.next, id)) throw endOrLie(before, header)
    if (!equal(header.roster, id)) throw new CheckError('roster.chain', toHex(id), toHex(header.roster))
  }
}

// A new committee in the middle is one that `open` has to lead to, if the next block really stands on the one that named it.
const endOrLie = (before: Header, header: Header): Error => {
  const [expected, found] = [toHex(commitHash(before)), toHex(header.prev)]
  return expected === found ? new EpochEnd() : new CheckError('commit.consistency', `prev ${expected}`, found)
}

// Looked at after the seal: a parent that differs is evidence against the committee when it is certified, and a server's lie when it is not.
const expectParent = (trusted: Trusted, headers: readonly Header[], sealed: Sealed): void => {
  const [first] = headers
  if (first === undefined || equal(first.prev, trusted.commit) || first.index !== trusted.header.index + 1n) return
  const between = headers.slice(0, -1)
  const commit = commitBelow(sealed.header, trusted.header.index, between)
  const theirs = { commit, steps: trusted.steps, certificate: sealed, link: { kind: 'headers', headers: between } } as const
  throw new EquivocationError(forkOf(trusted, trusted.header.index, theirs))
}

const walk = async (
  ground: Ground,
  trusted: Trusted,
  headers: readonly Header[],
  appended: Commits['appended'],
): Promise<{ readonly foot: Foot; readonly blocks: readonly VerifiedBlock[] }> => {
  const blocks: VerifiedBlock[] = []
  let foot: Foot = trusted
  for (const [i, header] of headers.entries()) {
    const lists = appended[i] ?? []
    if (lists.length !== 1) throw new AnswerError(`items of ${lists.length} surfaces where one is watched`)
    const items = lists[0] ?? []
    const before = foot.edge
    foot = step(ground, foot, header, items)
    blocks.push({ header, commit: foot.commit, first: before.size, before, items })
  }
  return { foot, blocks }
}

const step = (ground: Ground, before: Foot, header: Header, items: readonly Bytes[]): Foot => {
  checkForm(ground, header)
  const parent = before.header
  const expected = (what: string, wanted: unknown, found: unknown): void => {
    if (wanted !== found) throw new CheckError('commit.consistency', `${what} ${wanted}`, `${found}`)
  }
  expected('index', parent.index + 1n, header.index)
  expected('prev', toHex(before.commit), toHex(header.prev))
  const log = before.log && frontier.append(before.log, [hashLeaf(before.commit)])
  if (log !== null) expected('log', toHex(frontier.rootOf(log)), toHex(header.log))
  // The group's clock stands or runs (PROTOCOL.md section 1, `time_ms`); a block's parent stands in an earlier view of its epoch.
  if (header.time_ms < parent.time_ms) throw new CheckError('commit.consistency', `time_ms from ${parent.time_ms} on`, `${header.time_ms}`)
  if (equal(header.roster, parent.roster) && header.view <= parent.view)
    throw new CheckError('commit.consistency', `a view after ${parent.view}`, `${header.view}`)
  const edge = frontier.append(before.edge, hashLeaves(items))
  const { size, root } = surfaceIn(ground, header)
  if (edge.size !== size) throw new CheckError('item.inclusion', `${size} items`, `${edge.size} items`)
  const found = frontier.rootOf(edge)
  if (!equal(found, root)) throw new CheckError('item.inclusion', toHex(root), toHex(found))
  return { header, commit: commitHash(header), edge, log }
}

/** The next blocks are certified by a roster that only `open` can lead to. Caught by the reader, which opens again. */
export class EpochEnd extends Error {}
