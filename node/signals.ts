/** Resolves at the first SIGINT or SIGTERM, or when the parent that holds our standard input is gone. */
export const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      for (const signal of SIGNALS) process.off(signal, end)
      process.off('disconnect', end)
      resolve()
    }
    for (const signal of SIGNALS) process.once(signal, end)
    // A child of `devnet` has an IPC channel: it ends with its parent, even if that was killed.
    process.once('disconnect', end)
  })

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
