/**
 * Connections whose peer has not said yet who it is. When there are too many, the oldest of the origin that has the most is ended, and not the
 * newest refused: whoever opens connections from two or three addresses and says nothing would shut everybody else out.
 * @param most at once
 */
export const createPending = (most: number) => {
  /** Oldest first. */
  const coming = new Map<object, { readonly origin: string; readonly end: () => void }>()
  const evict = (): void => {
    const counts = new Map<string, number>()
    for (const { origin } of coming.values()) counts.set(origin, (counts.get(origin) ?? 0) + 1)
    const worst = Math.max(...counts.values())
    for (const [connection, { origin, end }] of coming) {
      if (counts.get(origin) !== worst) continue
      coming.delete(connection)
      end()
      return
    }
  }
  return {
    /**
     * @param origin whom it counts for (addresses.ts)
     * @param end ends it
     */
    enter: (connection: object, origin: string, end: () => void): void => {
      if (coming.size >= most) evict()
      coming.set(connection, { origin, end })
    },
    /** Its peer has said who it is, or it is gone. */
    leave: (connection: object): void => void coming.delete(connection),
    size: (): number => coming.size,
  }
}
