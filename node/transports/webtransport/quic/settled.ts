import type { NativeConnection } from './native.ts'

/** Milliseconds after which what was sent is taken for acknowledged on a connection that is never quiet, on top of two round trips. */
const LONGEST = 1_000
/** Of quiche's two timers that of lost packets is due within a second or so, and only while something is on its way; the idle one is not. */
const QUIET = 5_000

/** Milliseconds in which what was sent is acknowledged, unless it was lost. */
export const settling = (native: NativeConnection): number => 2 * Math.max(0, ...native.pathStats().map(({ rtt }) => rtt)) + LONGEST

/** Whether everything that was sent is acknowledged. quiche (0.18) does not say so; its next timer and what it would take now tell. */
export const isSettled = (native: NativeConnection, stream: number): boolean => {
  if ((native.timeout() ?? 0) > QUIET) return true
  try {
    // What congestion leaves is the whole of its window when nothing is on its way.
    const capacity = native.streamCapacity(stream)
    return native.pathStats().some(({ cwnd }) => cwnd === capacity)
  } catch {
    // The peer has stopped the stream: nobody waits for its end.
    return true
  }
}
