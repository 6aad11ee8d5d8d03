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

/** One push on its way: a page that sleeps finds the newest state of each matter when it wakes, not every one in between. */
export const createPushes = (send: (value: unknown) => void) => {
  let sent = false
  const next = new Map<string, unknown>()
  return {
    push: (value: unknown, matter: string): void => {
      if (!sent) send(value)
      else if (next.size < LIMITS.handles || next.has(matter)) next.set(matter, value)
      sent = true
    },
    seen: (): void => {
      const [first] = next
      sent = first !== undefined
      if (first === undefined) return
      next.delete(first[0])
      send(first[1])
    },
  }
}
