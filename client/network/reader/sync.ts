import { isError } from '../../error.ts'
import { commitHash } from '../../groups/block.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { type Frontier, frontier, type TreeProof } from '../../proofs/index.ts'
import type { Host, Link } from '../host.ts'
import { AnswerError, exchange } from '../light/client.ts'
import { MAX_STEPS, type Opened } from '../light/messages.ts'
import type { AnswerOf, Query, QueryKind } from '../light/queries.ts'
import {
  type Climb,
  climb,
  type Sealed,
  verifyCertificate,
  verifyGrowth,
  verifyHead,
  verifyLeaf,
  verifyLink,
  verifyLogEdge,
  verifyNewest,
} from './opened.ts'
import { CheckError, certificateOf, EquivocationError, type Ground, surfaceIn, type Trusted } from './trust.ts'

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
  readonly newest: Bytes | null
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
  const known = trusted.seal === null ? [] : [trusted]
  const opening = await open(ground, session, known, { committee: trusted.next, last: lastOf(trusted) })
  if (typeof opening === 'bigint') return { trusted, shown: opening, newest: null }
  const { head, climbed, links } = opening
  const shown = head.header.index
  for (const [i, point] of known.entries()) await expectLink(session, ground, point, head, links[i])
  if (shown === trusted.header.index) return { trusted: { ...trusted, next: climbed.committee, seal: head.seal }, shown, newest: null }
  const { edge, newest } = await edgeUnder(ground, session, trusted, head)
  const { header, commit, seal, committee } = head
  return { trusted: { header, commit, seal, committee, next: climbed.committee, edge, log: null }, shown, newest }
}

// A head that ended its epoch, and whose successor is known, was sealed by the committee before: that one may seal it again, stronger.
const lastOf = (trusted: Trusted): Sealed | null => {
  const certificate = trusted.committee === trusted.next ? null : certificateOf(trusted)
  return certificate && { ...certificate, commit: trusted.commit, committee: trusted.committee }
}

interface Opening {
  readonly head: Sealed
  readonly climbed: Climb
  readonly links: Opened['links']
}

/** The server's head, or its index alone when the server is behind us: an older head proves nothing about ours. */
const open = async (ground: Ground, { host, link, signal }: Session, known: readonly Trusted[], from: Climb): Promise<Opening | bigint> => {
  const [reached] = known
  let climbed = from
  for (;;) {
    const fromEpoch = climbed.committee.roster.epoch
    const opened = await exchange(
      link,
      'open',
      {
        group: ground.identified.group,
        fromEpoch,
        known: known.map(({ header, commit }) => ({ index: header.index, hash: commit })),
        withstand: ground.withstand,
      },
      { host, signal },
    )
    const { header } = opened.head
    if (reached !== undefined && header.index < reached.header.index) {
      // Of an epoch past it cannot be checked any more, and need not be: it is counted as an older head, and nothing is taken from it.
      if (equal(header.roster, reached.committee.id)) await verifyCertificate(ground, reached.committee, opened.head)
      return header.index
    }
    for (const step of opened.steps) climbed = await climb(ground, climbed, step)
    if (opened.more) {
      // Each round has to lead on: a server that always says "more" would keep us climbing for ever.
      if (opened.steps.length === 0 || opened.steps.length > MAX_STEPS) throw new AnswerError('more epochs announced, none shown')
      continue
    }
    if (opened.links.length !== known.length) throw new AnswerError(`${opened.links.length} links for ${known.length} known heads`)
    return { head: await verifyHead(ground, climbed, opened.head), climbed, links: opened.links }
  }
}

/**
 * The link holds, or we want to know why: a server that can prove another block in that place of its certified log shows that the
 * committee signed two histories. That is evidence; no proof at all is only a bad server.
 */
const expectLink = async (
  session: Session,
  ground: Ground,
  known: Trusted,
  head: Sealed,
  link: TreeProof | null | undefined,
): Promise<void> => {
  try {
    verifyLink(known, head, link)
  } catch (error) {
    if (!isError(error, 'Network.CheckError')) throw error
    await expectNoFork(session, ground, known, head).catch((other: unknown) => {
      throw isError(other, 'Network.EquivocationError') ? other : error
    })
    throw error
  }
}

const expectNoFork = async (session: Session, ground: Ground, known: Trusted, head: Sealed): Promise<void> => {
  const { index } = known.header
  const [answer] = await ask(ground, session, head.header.index, [{ kind: 'header', value: { index } }])
  const { header, proof } = expectAnswer(answer, 'header')
  const commit = commitHash(header)
  verifyLeaf(head, index, commit, proof)
  const ours = certificateOf(known)
  if (ours !== null && !equal(commit, known.commit)) throw new EquivocationError(index, known.commit, commit, [ours, head])
}

const edgeUnder = async (
  ground: Ground,
  session: Session,
  trusted: Trusted,
  head: Sealed,
): Promise<{ readonly edge: Frontier; readonly newest: Bytes | null }> => {
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
  const edge = verifyNewest(ground, head, answer)
  if (before > 0n) verifyGrowth(ground, trusted, head, expectAnswer(answers[1], 'range').proof)
  return { edge, newest: answer.item }
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
