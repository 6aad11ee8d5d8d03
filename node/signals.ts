/** Resolves at the first SIGINT or SIGTERM, or when the parent, or whoever read what is printed, is gone. */
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
    // As behind `| head`. It stays: what is printed from now on fails too, and must not end us before what we started has ended.
    process.stdout.on('error', end)
  })

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
