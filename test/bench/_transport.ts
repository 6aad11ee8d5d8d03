// What server and Worker of the transport bench agree on.

export const ECHO = '/bench/echo/1'
/** Four bytes, least significant first, ask for so many; the peer sends them and closes its side. */
export const GET = '/bench/get/1'
/** Bytes until the side is closed, answered with one byte. */
export const PUT = '/bench/put/1'
export const CHUNK = 65_536

/** What a Worker is asked: `address` is a multiaddr, or the URL of plain WebSockets. */
export interface Job {
  readonly what: 'dial' | 'rtt' | 'get' | 'put'
  readonly address: string
  readonly streams: number
  /** Of each stream; of rtt how many trips. */
  readonly amount: number
}
