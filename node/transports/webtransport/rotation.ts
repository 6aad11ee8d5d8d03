import { CoalitionError } from '../../../client/error.ts'
import { type Bytes, equal, fromHex, toHex, utf8 } from '../../../client/primitives/bytes.ts'
import { type Certificate, DAY, makeCertificate, readCertificate } from './certificate.ts'

// Two certificates overlap at all times. The current one is shown to new connections; the next one's hash is advertised beside it, so that
// an address that was learned now can be dialed until the next one's turn has ended, 12 to 24 days from now.

/** A minute below the two weeks that browsers allow, as both ends of a validity count. */
const VALID = 14 * DAY - 60_000
/** How far a browser's clock may be off, either way. */
const SKEW = DAY
/** Node's timers end at 2^31 milliseconds; a suspended machine's may be late. */
const LOOK_AGAIN = DAY
/** Three certificates in PEM are 2 kB. */
const MOST = 16_384

/** Where certificates are kept across restarts: a member that came back with others would have a new address. Holds private keys. */
export interface CertificateStore {
  readonly load: () => Promise<Bytes | null>
  readonly store: (bytes: Bytes) => Promise<void>
}

export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Calls once after so many milliseconds; the function that it gives calls it off. */
  readonly after: (ms: number, run: () => void) => () => void
}

export interface Turn {
  readonly current: Certificate
  readonly next: Certificate
  /**
   * Hash of the certificate before the current one. A browser that learned the address in its turn dials with that hash and the current
   * one, and libp2p breaks off unless noise names every hash that was dialed with.
   */
  readonly previous: Bytes | null
}

export interface Rotation {
  readonly turn: () => Turn
  readonly onChange: (listener: (turn: Turn) => void) => void
  readonly close: () => void
}

/** When the next certificate takes over. */
const endOf = ({ notAfter }: Certificate): number => notAfter - SKEW
const following = (current: Certificate): Certificate => {
  const from = endOf(current) - SKEW
  return makeCertificate(from, from + VALID)
}

const begin = (now: number): Turn => {
  const current = makeCertificate(now - SKEW, now - SKEW + VALID)
  return { current, next: following(current), previous: null }
}

/** The turn at `now`: the same object while it lasts. A machine that was off for longer than two turns begins anew. */
export const turnAt = (turn: Turn, now: number): Turn => {
  if (now < turn.current.notBefore) return begin(now)
  if (now < endOf(turn.current)) return turn
  if (now >= endOf(turn.next)) return begin(now)
  return { current: turn.next, next: following(turn.next), previous: turn.current.hash }
}

/** PEM, so that an operator can look at it: the previous hash in a comment, then key and certificate of the current one and of the next. */
export const writeTurn = ({ current, next, previous }: Turn): Bytes => {
  const head = previous === null ? '' : `previous ${toHex(previous)}\n`
  return utf8(`${head}${current.key}${current.certificate}${next.key}${next.certificate}`)
}

const FORM =
  /^(?:previous ([0-9a-f]{68})\n)?(-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n)(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n)(-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n)(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n)$/

/** @throws CertificateError, which says nothing of what is in it */
export const readTurn = (bytes: Uint8Array): Turn => {
  if (bytes.length > MOST) throw new CertificateError(`${bytes.length} bytes are more than ${MOST}`)
  const [, previous, ...blocks] = FORM.exec(Buffer.from(bytes).toString('latin1')) ?? []
  const [key, certificate, nextKey, nextCertificate] = blocks
  if (!key || !certificate || !nextKey || !nextCertificate) throw new CertificateError('they are not two keys and two certificates in PEM')
  const turn = { current: read(key, certificate), next: read(nextKey, nextCertificate), previous: previous ? fromHex(previous) : null }
  const { current, next } = turn
  if (equal(current.hash, next.hash) || next.notBefore > endOf(current) || endOf(next) <= endOf(current))
    throw new CertificateError('the second does not follow the first')
  return turn
}

const read = (key: string, text: string): Certificate => {
  const certificate = attempt(() => readCertificate(text, key))
  if (certificate.notAfter - certificate.notBefore > 14 * DAY) throw new CertificateError('a browser accepts two weeks at most')
  return certificate
}

const attempt = <T>(act: () => T): T => {
  try {
    return act()
  } catch (cause) {
    throw new CertificateError(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

export interface RotationInit {
  readonly store: CertificateStore | null
  readonly clock: Clock
  /** What went wrong and cost no more than a known address. */
  readonly warn: (error: unknown) => void
}

/**
 * Opens what is kept, or begins. What cannot be read is replaced: it costs the address that others know, and nothing else.
 * @throws what `store` throws: certificates that are lost at a restart would leave readers with addresses that do not work
 */
export const openRotation = async ({ store, clock, warn }: RotationInit): Promise<Rotation> => {
  const kept = await loadTurn(store, warn)
  let turn = kept === null ? begin(clock.now()) : turnAt(kept, clock.now())
  if (turn !== kept) await store?.store(writeTurn(turn))
  const listeners = new Set<(turn: Turn) => void>()
  let cancel = (): void => {}
  const look = (): void => {
    const found = turnAt(turn, clock.now())
    if (found !== turn) {
      turn = found
      store?.store(writeTurn(turn)).catch(warn)
      for (const listener of listeners) listener(turn)
    }
    cancel = clock.after(Math.max(1_000, Math.min(LOOK_AGAIN, endOf(turn.current) - clock.now())), look)
  }
  look()
  return {
    turn: () => turn,
    onChange: (listener) => void listeners.add(listener),
    close: () => cancel(),
  }
}

const loadTurn = async (store: CertificateStore | null, warn: (error: unknown) => void): Promise<Turn | null> => {
  try {
    const bytes = await store?.load()
    return bytes ? readTurn(bytes) : null
  } catch (error) {
    warn(error)
    return null
  }
}

/** Kept certificates that cannot be used. */
export class CertificateError extends CoalitionError {
  declare readonly problem: string

  constructor(problem: string, cause?: unknown) {
    super('WebTransport.CertificateError', `the kept certificates cannot be used: ${problem}`, { problem }, { cause })
  }
}
