import { CoalitionError } from '../../client/error.ts'
import { type Address, AddressError, asAddress, peerIdOf, readAddress, type TransportName } from '../../client/network/address.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'

/** Addresses that an operator may name: what a signed entry holds leaves room for those of the listeners. */
const MOST = 8

export interface AnnounceOptions {
  /** Own link key. */
  readonly peer: Bytes
  /** As the operator gave them, without peer ids or with the own one, and without hashes of certificates: the listeners know those. */
  readonly given: readonly string[]
  /** Where it listens as of now, each with the peer id. */
  readonly listened: () => readonly string[]
}

/**
 * Where a member says that it is: what its operator announced, in place of what it listens on. Listeners whose address is the hash of their
 * certificate are told of as well, where none of their transport was announced.
 *
 * @returns the addresses as of now, for the hashes in them change
 * @throws AnnounceError
 */
export const announced = ({ peer, given, listened }: AnnounceOptions): (() => readonly string[]) => {
  if (given.length === 0) return listened
  if (given.length > MOST) throw new AnnounceError(given[MOST] as string, `is one too many: at most ${MOST} can be announced`)
  const bases = given.map((text) => baseOf(text, peer))
  const now = (): readonly string[] => {
    const own = listened().flatMap((text) => asAddress(text) ?? [])
    const named = bases.map((base) => complete(base, own, peer))
    const transports = new Set(named.map(({ transport }) => transport))
    return [...named, ...own.filter(({ transport }) => isHashed(transport) && !transports.has(transport))].map(({ text }) => text)
  }
  now()
  return now
}

const isHashed = (transport: TransportName): boolean => transport === 'webtransport' || transport === 'webrtc-direct'

/** An announced address without its peer id, which has to be the own one. */
const baseOf = (text: string, peer: Bytes): string => {
  const at = text.lastIndexOf('/p2p/')
  if (at >= 0 && text.slice(at + 5) !== peerIdOf(peer)) throw new AnnounceError(text, 'has the peer id of somebody else')
  if (text.includes('/certhash/'))
    throw new AnnounceError(text, 'has the hash of a certificate: leave it out, the member adds those of its own, which change')
  return at < 0 ? text : text.slice(0, at)
}

/** With the hashes that its listener has now, and the peer id. */
const complete = (base: string, own: readonly Address[], peer: Bytes): Address => {
  const [, name] = /\/(webtransport|webrtc-direct)$/.exec(base) ?? []
  const listener = name === undefined ? null : own.find(({ transport }) => transport === name)
  if (listener === undefined) throw new AnnounceError(base, `is of ${name}, and nothing listens on that here`)
  const hashes = listener === null ? '' : (/(?:\/certhash\/[^/]+)+/.exec(listener.text)?.[0] ?? '')
  try {
    return readAddress(`${base}${hashes}/p2p/${peerIdOf(peer)}`)
  } catch (error) {
    if (error instanceof AddressError) throw new AnnounceError(base, `at ${error.offset}: ${error.problem}`, error)
    throw error
  }
}

/** An address to be announced that leads nobody to this member. */
export class AnnounceError extends CoalitionError {
  declare readonly address: string
  declare readonly problem: string

  constructor(address: string, problem: string, cause?: unknown) {
    const options = cause === undefined ? {} : { cause }
    super('Member.AnnounceError', `the address to announce, ${JSON.stringify(address)}, ${problem}`, { address, problem }, options)
  }
}
