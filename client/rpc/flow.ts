import { LIMITS } from './wire.ts'

/** Lets one item of a stream through for each credit. */
export const createGate = (first: number, signal: AbortSignal) => {
  let left = first
  let wake = (): void => {}
  signal.addEventListener('abort', () => wake())
  return {
    /** False when the consumer has given more than a window of it. */
    credit: (n: number): boolean => {
      left += n
      wake()
      return left <= LIMITS.credit
    },
    /** Resolves when the next item may go; false when none will be wanted. */
    pass: async (): Promise<boolean> => {
      while (left === 0 && !signal.aborted)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      left--
      return !signal.aborted
    },
  }
}

/** One push on its way: a page that sleeps finds the newest state when it wakes, not every one in between. */
export const createPushes = (send: (value: unknown) => void) => {
  let sent = false
  let next: { readonly value: unknown } | null = null
  return {
    push: (value: unknown): void => {
      if (sent) next = { value }
      else send(value)
      sent = true
    },
    seen: (): void => {
      sent = next !== null
      if (next) send(next.value)
      next = null
    },
  }
}
