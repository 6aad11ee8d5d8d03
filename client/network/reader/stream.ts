import { scope } from '../scope.ts'
import { consult } from './consult.ts'
import { fetchPage } from './questions.ts'
import type { Reader } from './reader.ts'
import type { Placed } from './recent.ts'

/** Items asked for at once by who reads back; the server sends what fits a frame. */
const PAGE = 1_024n
/** Items taken from the tail at once: what a consumer may hold while the tail moves on. */
const TAKEN = 64

/**
 * Every item of the surface from `position` on, then each new one, in order and once. There is no queue: a consumer is a position. What it
 * has not taken yet is in the reader's tail or, if it lags further, read back from a server, so a slow one costs what one page does.
 */
export async function* itemsFrom(reader: Reader, position: bigint, signal: AbortSignal): AsyncGenerator<Placed, void, undefined> {
  for (let next = position; ; ) {
    await reader.until(() => (reader.trusted !== null && reader.trusted.edge.size > next ? reader.trusted : null), signal)
    for (const placed of reader.recent.from(next, TAKEN) ?? (await readBack(reader, next, signal))) {
      yield placed
      next = placed.position + 1n
    }
  }
}

const readBack = (reader: Reader, from: bigint, signal: AbortSignal): Promise<readonly Placed[]> =>
  consult(
    reader,
    async (session, trusted) => {
      const { before, items } = await fetchPage(reader.options.ground, session, trusted, from, PAGE)
      const { header, commit } = trusted
      reader.join({ header, commit, first: from, before, items })
      return items.map((item, i) => ({ position: from + BigInt(i), item, header, commit }))
    },
    { signal },
  )

/**
 * An iterable that begins anew each time it is iterated, ends quietly with `closed`, and throws the reason of `signal`. Closing is what the
 * consumer's own side did; a signal is how it is told.
 */
export const iterable = <T>(
  items: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
  closed: AbortSignal,
  signal: AbortSignal | undefined,
): AsyncIterable<T> => ({
  [Symbol.asyncIterator]: () => {
    const own = scope(signal, closed)
    const inner = items(own.signal)
    const finish = async (): Promise<IteratorResult<T>> => {
      // Aborted first: a generator that waits for news would answer a return only after the next.
      own.abort(DONE)
      own.end()
      await inner.return().catch(() => {})
      return { done: true, value: undefined }
    }
    const next = async (): Promise<IteratorResult<T>> => {
      try {
        if (own.signal.aborted) throw own.signal.reason
        const result = await inner.next()
        if (result.done) own.end()
        return result
      } catch (error) {
        own.end()
        if (closed.aborted || own.signal.reason === DONE) return { done: true, value: undefined }
        throw error
      }
    }
    return { next, return: finish }
  },
})

const DONE = new Error('the iteration was ended')
