import type { CheckName } from '../../client/verify/verdict.ts'
import * as plans from './plans.ts'
import type { Keys, Plan, Stage } from './stage.ts'

/**
 * When a liar lies. opens: from its first word. reads, asks, looks, follows: the reader has a head from it, and wants old refunds, those
 * of an address, the raw evidence of one, the next block. returns: the reader has followed it and opens it again. stands: it has one head
 * for ever and is alone. lags: the same beside an honest member. joins: it comes up after a reader has followed an honest member.
 */
export type Moment = 'opens' | 'reads' | 'asks' | 'looks' | 'follows' | 'returns' | 'stands' | 'lags' | 'joins'

/** Errors that refuse bytes, or a wait, before there is anything to check. */
export type Refused = 'Codec.DecodeError' | 'Light.FrameError' | 'Light.AnswerError' | 'Network.ConnectTimeoutError'

export interface Scenario {
  /** What the server does: the name of the row in docs/lies.md. */
  readonly lie: string
  readonly keys: Keys
  readonly moment: Moment
  readonly caught: CheckName | Refused
  /** What is on the page then. */
  readonly sees: string
  readonly plan: (stage: Stage) => Plan
  /** Blocks of the history, where it takes more than a few. */
  readonly blocks?: number
}

const NONE = 'nothing but the reason'
const OLD = 'the rows from before, and the reason'
const ASK = 'the reason in the place of the answer'
const AGED = 'the old rows with freshness amber, and the word stale'
const BRIEF = 'freshness amber for a few heartbeats, then the newer head'
const FORK = 'the rows from before, the word wedged, and the proof to save'
const LATE = 'after 15 s: no verified head'
const LATER = 'after 30 s: no verified answer'

type Row = readonly [lie: string, Keys, Moment, CheckName | Refused, sees: string, plan: Scenario['plan'], blocks?: number]

// A bucket is a part of an index from 128 keys on (PROTOCOL.md section 3, "Disclosure").
const MANY = 130

const ROWS: readonly Row[] = [
  ['changes an amount in the newest refund', 'none', 'opens', 'item.inclusion', NONE, plans.amountOfNewest],
  ['changes an amount in the list of older refunds', 'none', 'reads', 'item.inclusion', NONE, plans.amountOfOlder],
  ['changes an amount in an answer about an address', 'none', 'asks', 'answer.complete', ASK, plans.amountOfAddress],
  ['changes an amount in a new block', 'none', 'follows', 'item.inclusion', OLD, plans.amountOfNext],
  ['changes an amount and signs the block alone', 'one', 'opens', 'commit.signatures', NONE, plans.signedAmount],
  ['changes an amount and signs the block with two keys of four', 'two', 'opens', 'commit.signatures', NONE, plans.signedAmount],
  ['drops one refund of an address', 'none', 'asks', 'answer.complete', ASK, plans.oneDropped],
  ['drops the newest refund of an address and counts one less', 'none', 'asks', 'answer.complete', ASK, plans.newestDropped],
  ['drops a refund from the list of older ones', 'none', 'reads', 'item.inclusion', NONE, plans.olderDropped],
  ['drops the refund of a new block', 'none', 'follows', 'item.inclusion', OLD, plans.nextDropped],
  ['forges a signature', 'none', 'opens', 'commit.signatures', NONE, plans.forgedSignature],
  ['puts its own signature under the name of a third member', 'two', 'opens', 'commit.signatures', NONE, plans.borrowedName],
  ['reuses true signatures under another header', 'none', 'opens', 'commit.signatures', NONE, plans.reusedForOther],
  ['reuses the signatures of the block before for a new block', 'none', 'follows', 'commit.signatures', OLD, plans.reusedForNext],
  ['replays an old head', 'none', 'stands', 'head.age', AGED, plans.oldHead],
  ['replays an old head while a second member shows a newer one', 'one', 'lags', 'head.sources', BRIEF, plans.frozenHead],
  ['rewrites history and gives no proof of the head before', 'none', 'returns', 'commit.consistency', OLD, plans.unlinked],
  ['rewrites history with a proof that does not fold', 'none', 'returns', 'commit.consistency', OLD, plans.wronglyLinked],
  ['rewrites history with a newer head that is certified', 'two', 'returns', 'commit.consistency', FORK, plans.newerFork],
  ['rewrites history with an older head that is certified', 'two', 'joins', 'commit.consistency', FORK, plans.olderFork],
  ['serves the head of a committee of its own making', 'none', 'opens', 'roster.chain', NONE, plans.strangeCommittee],
  ['hands over to a roster of its own making', 'none', 'opens', 'roster.chain', NONE, plans.strangeEpoch],
  ['answers with another bucket than was asked for', 'none', 'asks', 'answer.complete', ASK, plans.wrongBucket, MANY],
  ['says that the bucket is empty', 'none', 'asks', 'answer.complete', ASK, plans.emptyBucket],
  ['changes a byte of the raw evidence', 'none', 'looks', 'evidence.inclusion', ASK, plans.otherEvidence],
  ['proves the newest refund with a hash too many', 'none', 'opens', 'item.inclusion', NONE, plans.newestTooLong],
  ['proves the newest refund with a hash too few', 'none', 'opens', 'item.inclusion', NONE, plans.newestTooShort],
  ['proves older refunds with a hash too many', 'none', 'reads', 'item.inclusion', NONE, plans.olderTooLong],
  ['proves a bucket with a hash too many', 'none', 'asks', 'answer.complete', ASK, plans.bucketTooLong],
  ['proves the head before with a hash too many', 'none', 'returns', 'commit.consistency', OLD, plans.linkTooLong],
  ['announces a list of 268 million answers', 'none', 'opens', 'Codec.DecodeError', NONE, plans.endlessList],
  ['announces a frame of two million bytes', 'none', 'opens', 'Light.FrameError', NONE, plans.endlessFrame],
  ['announces one more epoch for ever', 'none', 'opens', 'Light.AnswerError', NONE, plans.endlessEpochs],
  ['sends pages without a refund on them for ever', 'none', 'asks', 'answer.complete', ASK, plans.endlessPages],
  ['cuts an answer in the middle', 'none', 'opens', 'Light.FrameError', NONE, plans.cut],
  ['leaves the last byte out of an answer about an address', 'none', 'asks', 'Light.FrameError', ASK, plans.cutByOne],
  ['puts a byte too many into an answer about an address', 'none', 'asks', 'Codec.DecodeError', ASK, plans.oneTooMany],
  ['drips its first answer, a byte a second', 'none', 'opens', 'Network.ConnectTimeoutError', LATE, plans.drippedHead],
  ['drips an answer about an address, a byte a second', 'none', 'asks', 'Network.ConnectTimeoutError', LATER, plans.drippedAnswer],
]

/** Every lie of issue "The wallet", part 1. docs/lies.md has one row for each. */
export const SCENARIOS: readonly Scenario[] = ROWS.map(([lie, keys, moment, caught, sees, plan, blocks]) => ({
  ...{ lie, keys, moment, caught, sees, plan },
  ...(blocks !== undefined && { blocks }),
}))
