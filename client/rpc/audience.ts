/** Milliseconds after which who has looked away is taken to stay away for a while. */
const AWAY_MS = 300_000

/** One handle of a page: with each report that it has taken the page says whether anybody can see it. */
export interface Viewer {
  readonly see: (isHidden: boolean) => void
  readonly leave: () => void
}

/** Who looks at what a Worker tells: the pages of all tabs that it serves. */
export interface Audience {
  readonly enter: () => Viewer
  /** There are pages, and all of them have been hidden for five minutes. One that has said nothing yet is seen. */
  readonly isAway: () => boolean
  /** Calls `listener` when one is seen again; the returned function stops it. */
  readonly onReturn: (listener: () => void) => () => void
}

/** @param now milliseconds by a clock that is never set */
export const createAudience = (now: () => number): Audience => {
  /** Since when each is hidden; null while it is seen. */
  const viewers = new Map<Viewer, number | null>()
  const listeners = new Set<() => void>()
  const isAway = (): boolean => viewers.size > 0 && [...viewers.values()].every((since) => since !== null && now() - since >= AWAY_MS)
  const set = (viewer: Viewer, since: number | null): void => {
    const wasAway = isAway()
    viewers.set(viewer, since)
    if (wasAway && since === null) for (const listener of [...listeners]) listener()
  }
  return {
    isAway,
    enter: () => {
      const viewer: Viewer = {
        see: (isHidden) => {
          if (viewers.has(viewer)) set(viewer, isHidden ? (viewers.get(viewer) ?? now()) : null)
        },
        leave: () => void viewers.delete(viewer),
      }
      set(viewer, null)
      return viewer
    },
    onReturn: (listener) => {
      const own = (): void => listener()
      listeners.add(own)
      return () => listeners.delete(own)
    },
  }
}
