import { identify } from '../../client/lattice/tally/config.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import { type RefundItem, refundCodec } from '../../client/lattice/tally/refund.ts'
import type { Host } from '../../client/network/host.ts'
import { answerProve } from '../../client/network/light/prove.ts'
import type { AnswerOf } from '../../client/network/light/queries.ts'
import { type StreamHandler, serveLight } from '../../client/network/light/server.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { type GroupId, UNIVERSE } from '../../client/primitives/id.ts'
import { pathOf } from '../../client/proofs/index.ts'
import { provider } from '../lattice/tally/fixtures.ts'
import { type Lie, lying } from '../liar.ts'
import type { Chain } from '../network/chain.ts'
import { type TallyChain, tallyChain, tallyOf } from '../network/tally.ts'

// What a lie is told about: a committee of four that pays refunds, its true history, and histories that a liar may make with the keys it has.

/** Members of four whose link and vote keys the liar has: the first ones. With none its link is a stranger's. */
export type Keys = 'none' | 'one' | 'two'
export const KEYS: Readonly<Record<Keys, readonly number[]>> = { none: [], one: [0], two: [0, 1] }

export const MEMBERS = [0, 1, 2, 3]
/** The honest quorum, and the one that two liars make with a member who was shown something else. */
export const [TRUE_SIDE, OTHER_SIDE] = [
  [0, 1, 2],
  [0, 1, 3],
] as const

/** Milliseconds between two commits that are due. */
export const HEARTBEAT = 2_000
/** Milliseconds between two blocks of the history: the one before the newest is stale. */
const APART = 10 * HEARTBEAT

/** Who is asked about: two blocks of every history have a refund for it. */
export const ASKED: Bytes = provider(3)

const tally = tallyOf(4)
export const CONFIG: TallyConfig = {
  ...tally,
  content: { ...tally.content, timers: { ...tally.content.timers, heartbeat_ms: HEARTBEAT } },
}
export const GROUP: GroupId = identify(UNIVERSE, CONFIG).group

export interface Stage {
  /** What the committee agreed on. */
  readonly truth: TallyChain
  /** The true history again, of its first blocks only, for somebody to go on from. */
  readonly past: (blocks: number) => TallyChain
  /** Commits a payment to the true history, now, and gives its block's number. */
  readonly pay: () => bigint
  /** A commit without a payment, as one is due each heartbeat. */
  readonly beat: () => void
  readonly now: () => number
  /** Members whose keys the liar has. */
  readonly signers: readonly number[]
}

/** @param blocks of the history, each with one payment; the newest is of now */
export const stageOf = (keys: Keys, now: () => number, blocks = 6): Stage => {
  const end = now()
  const past = (count: number): TallyChain => {
    const history = tallyChain(CONFIG, end - (blocks + 1) * APART)
    for (let block = 1; block <= count; block++) history.pay(BigInt(block), { timeMs: end - (blocks - block) * APART, signers: MEMBERS })
    return history
  }
  const truth = past(blocks)
  let newest = BigInt(blocks)
  const pay = (): bigint => {
    truth.pay(++newest, { timeMs: now(), signers: TRUE_SIDE })
    return newest
  }
  return { truth, past, pay, beat: () => void truth.chain.commit([], { timeMs: now(), signers: TRUE_SIDE }), now, signers: KEYS[keys] }
}

/** The refund with one wei more for whom it names first, taken from what was left for nobody: its parts still add up. */
export const richer = (item: Bytes): Bytes => encode(refundCodec, enriched(decode(refundCodec, item)))

const enriched = (item: RefundItem): RefundItem => {
  if (item.kind !== 'attribution') return item
  const recipients = item.value.recipients.map((recipient, i) => (i === 0 ? { ...recipient, amount: recipient.amount + 1n } : recipient))
  return { kind: 'attribution', value: { ...item.value, recipients, residual: item.value.residual - 1n } }
}

/** A history whose newest refund was made larger. Nobody signs that block but those whose keys the liar has. */
export const overpaid = ({ truth, past, signers, now }: Stage, before: number): TallyChain => {
  const history = past(before)
  const item = decode(refundCodec, truth.chain.items[before] as Bytes)
  history.chain.commit([enriched(item)], { timeMs: now(), signers })
  return history
}

/** What the true history says of the other half of the index: genuine, proven, and not what was asked for. */
export const otherBucket = async ({ truth: { chain } }: Stage): Promise<AnswerOf<'tail'>> => {
  const path = new Uint8Array(32)
  path[0] = ((pathOf(ASKED)[0] as number) & 0x80) ^ 0x80
  const query = { kind: 'tail', value: { surface: 0, by: 0, bits: 1, path, have: [], upto: [], max: 1_024 } } as const
  const { answers } = await answerProve(chain.source(), { group: GROUP, at: chain.head.index, queries: [query] })
  return answers[0]?.value as AnswerOf<'tail'>
}

/** What a liar serves, and where it departs from it. */
export interface Plan {
  /** History it serves from its first word; default the true one. */
  readonly serves?: TallyChain
  /** History it serves once the reader has a head; default what it served before. */
  readonly later?: TallyChain
  /** What it says instead of what it serves. */
  readonly lie?: Lie
}

/** The liar's server. `lies` and `isLater` are looked at with every answer. */
export const liarServer = (
  stage: Stage,
  plan: Plan,
  host: Host,
  at: { readonly lies: () => boolean; readonly isLater: () => boolean },
): StreamHandler => {
  const chain = (): Chain<RefundItem> => ((at.isLater() ? plan.later : undefined) ?? plan.serves ?? stage.truth).chain
  return lying(
    serveLight(() => [chain().source()], host),
    () => (at.lies() ? (plan.lie ?? null) : null),
    host.after,
  )
}
