import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Bytes, concat, copy } from '../../../../client/primitives/bytes.ts'
import type { HostPort } from './native.ts'

// Tokens of Retry packets (RFC 9000 section 8.1.2): a client that brings one back has received it, so it is where it says it is. All that
// this end knows of it until then stands in the token.

/** Milliseconds for one round trip and a client that was busy. */
const VALID = 15_000
/** Milliseconds that a secret is used for; the one before stays good, so that no token ends early. */
const PERIOD = 60_000
const TIME = 8
const MAC = 32

export interface RetryTokens {
  /** @param scid the id that this end takes, and that the client's next packet must carry; @param odcid the id that its first one did */
  readonly make: (remote: HostPort, odcid: Uint8Array, scid: Uint8Array) => Bytes
  /** The id of the client's first packet, or null for a token that is not ours, too old, or another's. */
  readonly open: (token: Bytes, remote: HostPort, scid: Uint8Array) => Bytes | null
}

/** Token: milliseconds, u64 big-endian; HMAC-SHA-256; the first id. @param now milliseconds of any clock */
export const createRetryTokens = (now: () => number): RetryTokens => {
  let secrets: readonly Buffer[] = [randomBytes(32), randomBytes(32)]
  let since = now()
  const rotate = (): void => {
    const passed = now() - since
    if (passed < PERIOD) return
    secrets = passed < 2 * PERIOD ? [randomBytes(32), secrets[0] as Buffer] : [randomBytes(32), randomBytes(32)]
    since = now()
  }
  return {
    make: (remote, odcid, scid) => {
      rotate()
      const time = Buffer.alloc(TIME)
      time.writeBigUInt64BE(BigInt(Math.floor(now())))
      return concat(time, macOf(secrets[0] as Buffer, time, remote, odcid, scid), odcid)
    },
    open: (token, remote, scid) => {
      if (token.length <= TIME + MAC) return null
      rotate()
      const time = token.subarray(0, TIME)
      const mac = token.subarray(TIME, TIME + MAC)
      const odcid = token.subarray(TIME + MAC)
      const age = now() - Number(Buffer.from(time).readBigUInt64BE())
      if (age < 0 || age > VALID) return null
      return secrets.some((secret) => timingSafeEqual(mac, macOf(secret, time, remote, odcid, scid))) ? copy(odcid) : null
    },
  }
}

/** The lengths are in it, so that bytes cannot move from one part to the next. */
const macOf = (secret: Buffer, time: Uint8Array, remote: HostPort, odcid: Uint8Array, scid: Uint8Array): Buffer =>
  createHmac('sha256', secret)
    .update(time)
    .update(`${remote.host} ${remote.port} ${odcid.length} ${scid.length} `)
    .update(odcid)
    .update(scid)
    .digest()
