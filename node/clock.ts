/** The platform's clock and timers, as hosts and transports take them. */
export const CLOCK = {
  /** Milliseconds since 1970. */
  now: (): number => Date.now(),
  /** Calls once after so many milliseconds; the function that it gives calls it off. */
  after: (ms: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
} as const
