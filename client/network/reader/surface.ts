import { check } from '../../verify/checks.ts'
import type { AskOptions, Handle, Verified } from '../handle.ts'
import { deadlineOf, scope } from '../scope.ts'
import { answer } from './ask.ts'
import { assure } from './assurance.ts'
import { timeoutOf } from './consult.ts'
import { exportOf } from './export.ts'
import { refOf } from './item.ts'
import { placedAt, present, type Read } from './present.ts'
import { ShutdownError } from './state.ts'
import { itemsFrom, iterable } from './stream.ts'

/** Milliseconds for a question, from asking to a verified answer, changes of server included. */
const ASK_MS = 30_000

/**
 * A handle on a reader that others may use too.
 *
 * @param release lets go of the reader; called once
 */
export const createHandle = <T>(read: Read<T>, release: () => Promise<void>): Handle<T> => {
  const { reader } = read
  const own = scope()
  const closed = own.signal
  const asking = async <R>(options: AskOptions | undefined, run: (signal: AbortSignal) => Promise<R>): Promise<R> => {
    const deadline = deadlineOf(options?.timeout, ASK_MS)
    const asked = scope(options?.signal, closed)
    const cancel = reader.options.host.after(deadline, () => asked.abort(timeoutOf(reader, 'answer', deadline)))
    return run(asked.signal).finally(() => {
      cancel()
      asked.end()
    })
  }
  const verified = async function* (position: bigint, signal: AbortSignal): AsyncGenerator<Verified<T>, void, undefined> {
    for await (const placed of itemsFrom(reader, position, signal)) yield present(read, placed)
  }
  return {
    get state() {
      return reader.report
    },
    onState: (listener) => reader.reports.listen(listener),
    latest: (options) => asking(options, (signal) => latest(read, signal)),
    since: (position, options) => iterable((signal) => verified(position, signal), closed, options?.signal),
    ask: (question, argument, options) => asking(options, (signal) => answer(read, question, argument, { ...options, signal })) as never,
    export: (subject, options) => asking(options, (signal) => exportOf(read, subject, { ...options, signal })),
    [Symbol.asyncIterator]: () => {
      // Live from now on. What was there before is asked for with `since`.
      const from = reader.trusted?.edge.size ?? 0n
      return iterable((signal) => verified(from, signal), closed, undefined)[Symbol.asyncIterator]()
    },
    [Symbol.asyncDispose]: async () => {
      if (closed.aborted) return
      own.abort(new ShutdownError())
      await release()
    },
  }
}

/** The newest item, or the proof that there is none. */
const latest = async <T>(read: Read<T>, signal: AbortSignal): Promise<Verified<T | null>> => {
  const { reader, binding } = read
  const trusted = await reader.until(() => reader.trusted, signal)
  const { header, commit, edge } = trusted
  if (edge.size > 0n) return present(read, await placedAt(read, edge.size - 1n, signal))
  const checks = [check('item.inclusion', 'passed', 'the root of no items', `0 items in block ${header.index}`)]
  const verdict = assure(reader.standing(trusted), { checks, disclosed: 'nothing', header, commit })
  return { value: null, ref: refOf(binding, verdict, null), verdict }
}
