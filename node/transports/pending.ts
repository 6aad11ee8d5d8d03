/** A connection, as far as it is known before its peer has proven a key. */
interface Coming {
  abort(error: Error): void
  addEventListener(type: 'close', listener: () => void): void
}

/**
 * Connections whose handshake is not done yet. When there are too many, the oldest of the origin that has the most is ended, and not the
 * newest refused: whoever opens connections from two or three addresses and says nothing would shut everybody else out.
 * @param most at once
 */
export const createPending = (most: number) => {
  /** Their origins (addresses.ts), oldest first. */
  const coming = new Map<Coming, string>()
  const evict = (): void => {
    const counts = new Map<string, number>()
    for (const origin of coming.values()) counts.set(origin, (counts.get(origin) ?? 0) + 1)
    const worst = Math.max(...counts.values())
    for (const [connection, origin] of coming) {
      if (counts.get(origin) !== worst) continue
      coming.delete(connection)
      connection.abort(new Error('too many handshakes are under way'))
      return
    }
  }
  return {
    enter: (connection: Coming, origin: string): void => {
      if (coming.size >= most) evict()
      coming.set(connection, origin)
      connection.addEventListener('close', () => coming.delete(connection))
    },
    /** Its peer has said who it is. */
    leave: (connection: Coming): void => void coming.delete(connection),
    size: (): number => coming.size,
  }
}
