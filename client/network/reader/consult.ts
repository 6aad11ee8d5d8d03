import { CoalitionError, isError } from '../../error.ts'
import { scope, sleep } from '../scope.ts'
import { telling } from './assurance.ts'
import { isLie } from './opened.ts'
import type { Reader } from './reader.ts'
import { ConnectTimeoutError, pauseFor } from './state.ts'
import type { Session } from './sync.ts'
import type { Trusted } from './trust.ts'

export interface ConsultOptions {
  readonly signal: AbortSignal
  /** What the question tells the server under a head; "nothing" where it is about nobody. */
  readonly discloses?: (trusted: Trusted) => string
}

/**
 * Puts a question to the server that is followed, under the head that is trusted then. A server that fails a check, leaves, or no longer
 * holds that head is not the end of it: the next one is asked, under the head of that time.
 *
 * @throws EvidenceError when nobody is left but servers that failed a check, with what the question told them; ServerError when the
 *   question itself is refused, or the signal's reason
 */
export const consult = async <R>(
  reader: Reader,
  question: (session: Session, trusted: Trusted) => Promise<R>,
  { signal, discloses }: ConsultOptions,
): Promise<R> => {
  const { host, ground } = reader.options
  let disclosed = 'nothing'
  const asked: typeof question = (session, trusted) => {
    disclosed = discloses?.(trusted) ?? disclosed
    return question(session, trusted)
  }
  // Each server once and a half: one that was only slow gets a second chance, one that lies does not.
  for (let left = reader.peers.all.length + 2; ; left--) {
    try {
      return await once(reader, asked, signal)
    } catch (error) {
      if (signal.aborted || left <= 0 || !isPassing(error)) throw telling(error, disclosed)
      await sleep(host, isLie(error) ? 0 : pauseFor(error, ground.identified.heartbeatMs), signal)
    }
  }
}

/** What a reader can say when time is up. */
export const timeoutOf = ({ options, peers }: Reader, what: 'head' | 'answer', deadlineMs: number): ConnectTimeoutError =>
  new ConnectTimeoutError(what, options.component, options.ground.identified, deadlineMs, peers.all)

const once = async <R>(reader: Reader, question: (session: Session, trusted: Trusted) => Promise<R>, signal: AbortSignal): Promise<R> => {
  const [{ peer, session }, trusted] = await reader.until(() => {
    const { following, trusted } = reader
    return following !== null && trusted !== null ? ([following, trusted] as const) : null
  }, signal)
  const own = scope(signal, session.signal)
  try {
    return await question({ ...session, signal: own.signal }, trusted)
  } catch (error) {
    if (isLie(error) || isError(error, 'Network.EquivocationError')) reader.judge(peer, error)
    throw error
  } finally {
    own.end()
  }
}

// A server that says no to the question itself would be followed by one that says the same; and what the reader ended with is final.
const isPassing = (error: unknown): boolean => {
  if (isError(error, 'Light.ServerError')) return PASSING.has(error.facts.reason)
  if (!(error instanceof CoalitionError)) return true
  return !FINAL.has(error.name)
}

const PASSING: ReadonlySet<unknown> = new Set(['notYet', 'pruned', 'busy', 'unknownGroup'])
const FINAL: ReadonlySet<string> = new Set([
  'Verify.EvidenceError',
  'Network.ShutdownError',
  'Network.EquivocationError',
  'Network.ConvictedError',
  'Group.WithstandError',
])
