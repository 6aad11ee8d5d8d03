import type { Host } from '../host.ts'

/** Bounds of a beat, in milliseconds: a config may name any heartbeat. */
const BEAT = { shortest: 100, longest: 60_000 } as const

/** Calls `run` once a heartbeat; the returned function stops it. */
export const everyBeat = (host: Pick<Host, 'after'>, heartbeatMs: number, run: () => void): (() => void) => {
  const ms = Math.min(BEAT.longest, Math.max(BEAT.shortest, heartbeatMs))
  let cancel = (): void => {}
  const arm = (): void => {
    cancel = host.after(ms, () => {
      // Before `run`, which may stop it.
      arm()
      run()
    })
  }
  arm()
  return () => cancel()
}
