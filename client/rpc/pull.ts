import type { Exchange } from './caller.ts'
import { LIMITS } from './wire.ts'

/** What the consumer of a stream tells the other side. */
export interface Pull {
  readonly abort: (reason: unknown) => void
  readonly credit: (n: number) => void
}

interface Waiting {
  readonly resolve: (result: IteratorResult<unknown>) => void
  readonly reject: (error: unknown) => void
}

const OVER: IteratorResult<unknown> = { done: true, value: undefined }

/**
 * The consuming end of a stream. Nothing is asked for before the first `next`; from then on the producer may be LIMITS.credit items ahead of
 * what was taken, and no more: credit is given back for what the consumer took, half a window at a time.
 */
export const pull = (start: (answers: Exchange, credit: number) => Pull): AsyncIterator<unknown> & AsyncIterable<unknown> => {
  const ready: unknown[] = []
  const waiting: Waiting[] = []
  let source: Pull | null = null
  let over = false
  let failure: { readonly error: unknown } | null = null
  let taken = 0
  let granted = 0

  const finish = (error?: { readonly error: unknown }): void => {
    if (over) return
    over = true
    failure = error ?? null
    const [first, ...rest] = waiting.splice(0)
    if (first && failure) {
      first.reject(failure.error)
      failure = null
    } else first?.resolve(OVER)
    for (const other of rest) other.resolve(OVER)
  }

  const took = (): void => {
    taken++
    if (taken < LIMITS.credit / 2 || over) return
    granted += taken
    source?.credit(taken)
    taken = 0
  }

  const answers: Exchange = {
    done: () => finish(),
    fail: (error) => finish({ error }),
    item: (value) => {
      if (granted-- === 0) return false
      const first = waiting.shift()
      if (first) {
        took()
        first.resolve({ done: false, value })
      } else ready.push(value)
      return true
    },
  }

  const open = (): void => {
    granted = LIMITS.credit
    try {
      source = start(answers, LIMITS.credit)
    } catch (error) {
      finish({ error })
    }
  }

  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: async () => {
      if (!source && !over) open()
      if (ready.length > 0) {
        const value = ready.shift()
        took()
        return { done: false, value }
      }
      if (!over) return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
      const last = failure
      failure = null
      if (last) throw last.error
      return OVER
    },
    return: async () => {
      ready.length = 0
      source?.abort('the consumer stopped')
      finish()
      return OVER
    },
  }
}
