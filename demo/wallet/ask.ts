import { type Ref, Tally } from '../../client/page/index.ts'
import type { Answer } from './answer.ts'

/** A question that is asked again whenever a new refund touches it. */
export interface Question {
  readonly ask: (signal: AbortSignal) => Promise<Answer>
  readonly touches: (refund: Tally.Refund) => boolean
}

/** Whom a refund, or what takes it back, names. */
export const namedIn = (refund: Tally.Refund): readonly string[] =>
  (refund.kind === 'attribution' ? refund.recipients.map(({ addr }) => addr) : refund.addresses).map(Tally.formatAddress)

export const slotOf = (refund: Tally.Refund): bigint => (refund.kind === 'attribution' ? refund.slot : refund.of.slot)

/** What a question has come to. */
export interface Asked {
  readonly answer: Answer | null
  readonly error: unknown
}

/** Asks, and asks again as the log grows, until the signal. An answer that is there stays when a later one fails. */
export const follow = async (
  refunds: Tally.Refunds,
  { ask, touches }: Question,
  signal: AbortSignal,
  show: (asked: Asked) => void,
): Promise<void> => {
  let answer: Answer | null = null
  const once = async (): Promise<void> => {
    try {
      answer = await ask(signal)
      if (!signal.aborted) show({ answer, error: null })
    } catch (error) {
      if (!signal.aborted) show({ answer, error })
    }
  }
  await once()
  try {
    const newest = await refunds.latest({ signal })
    // What was committed while the answer was on its way is in neither of the two.
    if (answer !== null && BigInt(newest.ref.index) > BigInt((answer as Answer).ref.index)) await once()
    for await (const { value } of refunds.since(after(newest.ref), { signal })) {
      if (signal.aborted) return
      if (touches(value)) await once()
    }
  } catch {
    // The live list follows the same surface, and says there why it ended.
  }
}

const after = ({ position }: Ref): bigint => (position === null ? 0n : BigInt(position) + 1n)
