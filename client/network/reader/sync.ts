import { isError } from '../../error.ts'
import { commitHash } from '../../groups/block.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { type Frontier, frontier, type TreeProof } from '../../proofs/index.ts'
import type { Host, Link } from '../host.ts'
import { AnswerError, exchange } from '../light/client.ts'
import type { AnswerOf, Query, QueryKind } from '../light/queries.ts'
import { EquivocationError, forkOf } from './fork.ts'
import { type Newest, type Sealed, verifyGrowth, verifyLeaf, verifyLink, verifyLogEdge, verifyNewest } from './opened.ts'
import { knownOf, type Newer, open } from './opening.ts'
import { CheckError, type Ground, surfaceIn, type Trusted } from './trust.ts'

/** A link, and how to wait on it. */
export interface Session {
  readonly host: Host
  readonly link: Link
  readonly signal: AbortSignal
}

/** What a server showed: the newest head that is now trusted, and the index of the head that it has itself, which may be older. */
export interface Synced {
  readonly trusted: Trusted
  readonly shown: bigint
  /** The newest item, when the head was new: it brought the right edge. */
  readonly newest: Newest | null
}

/**
 * From what is trusted to the server's newest head: epochs, certificate, link to the head that was trusted before, then the newest item and
 * the right edge. Two round trips and O(epochs + log n) bytes, however long the history is (PROTOCOL.md section 3, "Cold start").
 *
 * Genesis is never sent as a known head: a roster id covers network and group, so whoever's votes certify the head certifies it for the
 * group that the config names, and a link to leaf 0 would add 32 bytes for each doubling of the history and no reason to believe.
 *
 * @throws CheckError, EquivocationError, WithstandError, and as `exchange`
 */
export const sync = async (ground: Ground, session: Session, trusted: Trusted): Promise<Synced> => {
  const known = knownOf(trusted)
  const opening = await open(ground, session, trusted)
  if (opening.kind === 'older') return { trusted, shown: opening.index, newest: null }
  const { head, climbed, steps, links } = opening
  const shown = head.header.index
  for (const [i, point] of known.entries()) await expectLink(session, ground, point, opening, links[i])
  if (shown === trusted.header.index)
    return { trusted: { ...trusted, next: climbed.committee, steps, seal: head.seal }, shown, newest: null }
  const { edge, newest } = await edgeUnder(ground, session, trusted, head)
  const { header, commit, seal, committee } = head
  return { trusted: { header, commit, seal, committee, next: climbed.committee, steps, edge, log: null }, shown, newest }
}

/**
 * The link holds, or we want to know why: a server that can prove another block in that place of its certified log shows that the
 * committee signed two histories. That is evidence; no proof at all is only a bad server.
 */
export const expectLink = async (
  session: Session,
  ground: Ground,
  known: Trusted,
  { head, steps }: Pick<Newer, 'head' | 'steps'>,
  link: TreeProof | null | undefined,
): Promise<void> => {
  try {
    verifyLink(known, head, link, steps)
  } catch (error) {
    if (!isError(error, 'Network.CheckError')) throw error
    const { index } = known.header
    const other = await ancestorAt(ground, session, head, index).catch(() => {
      throw error
    })
    if (equal(other.commit, known.commit)) throw error
    throw new EquivocationError(
      forkOf(known, index, { commit: other.commit, steps, certificate: head, link: { kind: 'leaf', proof: other.proof } }),
    )
  }
}

/** The block at `index` in the log of a head, as the server proves it. */
export const ancestorAt = async (
  ground: Ground,
  session: Session,
  head: Pick<Sealed, 'header'>,
  index: bigint,
): Promise<{ readonly commit: Bytes; readonly proof: TreeProof }> => {
  const [answer] = await ask(ground, session, head.header.index, [{ kind: 'header', value: { index } }])
  const { header, proof } = expectAnswer(answer, 'header')
  const commit = commitHash(header)
  verifyLeaf(head, index, commit, proof)
  return { commit, proof }
}

const edgeUnder = async (
  ground: Ground,
  session: Session,
  trusted: Trusted,
  head: Sealed,
): Promise<{ readonly edge: Frontier; readonly newest: Newest | null }> => {
  const { surface } = ground
  const { size, root } = surfaceIn(ground, head.header)
  const before = trusted.edge.size
  if (size < before) throw new CheckError('commit.consistency', `${before} items or more`, `${size}`)
  if (size === before) {
    const found = frontier.rootOf(trusted.edge)
    if (!equal(found, root)) throw new CheckError('commit.consistency', toHex(found), toHex(root))
    return { edge: trusted.edge, newest: null }
  }
  const newest: Query = { kind: 'item', value: { surface, position: size - 1n } }
  const growth: Query = { kind: 'range', value: { surface, from: before, to: before } }
  const answers = await ask(ground, session, head.header.index, before === 0n ? [newest] : [newest, growth])
  const answer = expectAnswer(answers[0], 'item')
  const found = verifyNewest(ground, head, answer)
  if (before > 0n) verifyGrowth(ground, trusted, head, expectAnswer(answers[1], 'range').proof)
  return { edge: found.edge, newest: found }
}

/** The log's right edge at the trusted head. A server without the header before it is no liar: then the log is not recomputed. */
export const fetchLogEdge = async (ground: Ground, session: Session, trusted: Trusted): Promise<Frontier | null> => {
  const { index } = trusted.header
  try {
    const [answer] = await ask(ground, session, index, [{ kind: 'header', value: { index: index - 1n } }])
    const parent = expectAnswer(answer, 'header')
    return verifyLogEdge(trusted, parent, commitHash(parent.header))
  } catch (error) {
    if (isError(error, 'Light.ServerError')) return null
    throw error
  }
}

type Answers = Awaited<ReturnType<typeof ask>>

/** Queries against one head. The answers are as many as the queries, and nothing else is known of them yet. */
export const ask = async (ground: Ground, { host, link, signal }: Session, at: bigint, queries: readonly Query[]) => {
  const { answers } = await exchange(link, 'prove', { group: ground.identified.group, at, queries }, { host, signal })
  if (answers.length !== queries.length) throw new AnswerError(`${answers.length} answers to ${queries.length} queries`)
  return answers
}

/** @throws AnswerError when the answer is to another kind of query */
export const expectAnswer = <K extends QueryKind>(answer: Answers[number] | undefined, kind: K): AnswerOf<K> => {
  if (answer?.kind !== kind) throw new AnswerError(`asked for ${kind}, answered with ${answer?.kind ?? 'nothing'}`)
  return answer.value as AnswerOf<K>
}
