import { explainMeasurements, replayEventLog } from '../../client/verify/events/index.ts'
import { parsePolicy } from '../../client/verify/policies.ts'
import { createEcdsa, inspectAttestation, intelRoot, type QuoteVerdict, readRoot } from '../../client/verify/quotes.ts'
import { problem } from '../wallet/format.ts'
import { type Bytes, quoteFrom } from './given.ts'
import type { Answer, Answered, Asked, LogAnswer, Question } from './question.ts'

// The page's own Worker: verification and the replay of a log, off the thread that draws.

const ecdsa = createEcdsa(globalThis.crypto.subtle as Parameters<typeof createEcdsa>[0])

const explainLog = (log: Bytes, { measurements }: QuoteVerdict): LogAnswer => {
  try {
    const replay = replayEventLog(log)
    const registers = measurements === null || measurements.kind === 'sgx' ? null : measurements
    return { events: replay.events, explanation: registers && explainMeasurements(registers, replay) }
  } catch (error) {
    return { problem: problem(error) }
  }
}

const answer = async ({ quote, collateral, log, root, policy, at }: Question): Promise<Answer> => {
  try {
    const options = { ecdsa, at, policy: parsePolicy(policy), root: root === null ? intelRoot() : await readRoot(root, ecdsa) }
    const verdict = await inspectAttestation(quoteFrom(quote), collateral, options)
    return { verdict, log: log && explainLog(log, verdict) }
  } catch (error) {
    return { problem: problem(error) }
  }
}

addEventListener('message', (event: MessageEvent<Asked>) => {
  const { id, question } = event.data
  void answer(question).then((found) => postMessage({ id, answer: found } satisfies Answered))
})
