import { base58, base64urlnopad } from '@scure/base'
import { CoalitionError } from '../error.ts'
import { type Bytes, concat } from '../primitives/bytes.ts'
import { type IpBytes, reachOf, readIp4, readIp6 } from './ip.ts'

// The addresses that a peer of a coalition may have: a small part of what a multiaddr can say, read strictly. What stands here is dialled by
// browsers and by servers inside somebody's network, and most of it was told by strangers.

/** How a peer is reached. wss is ws under TLS, with a certificate for a name. */
export type TransportName = 'webtransport' | 'webrtc-direct' | 'wss' | 'ws' | 'tcp'

export const TRANSPORTS: readonly TransportName[] = ['webtransport', 'webrtc-direct', 'wss', 'ws', 'tcp']

/** One way to one peer. */
export interface Address {
  /** The multiaddr as it was given. */
  readonly text: string
  /** Link key, 32 bytes. */
  readonly peer: Bytes
  readonly transport: TransportName
  /** IP address or DNS name. */
  readonly host: string
  readonly port: number
  /** Who can be behind it: this device · its own network, and what is not globally reachable · anybody · whatever a resolver says. */
  readonly reach: 'loopback' | 'private' | 'public' | 'name'
}

/** Characters of an address. Two certificate hashes and a name of full length fit. */
const MAX_TEXT = 512
/** Certificates that one address may name: the one in use, the next, and room. */
const MAX_HASHES = 4

// A peer id is a multihash in base58btc: identity (0x00), 36 bytes, then a protobuf with key type 1 (Ed25519) and 32 bytes of key
// (libp2p specs, peer-ids). Only this form stands in a roster, so only this form is read.
const ED25519_ID = /* @__PURE__ */ Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
/** Characters of such an id: "12D3KooW" and the key. */
const ID_TEXT = 52

/** The libp2p peer id of a link key of 32 bytes, as it stands in a multiaddr after /p2p/. */
export const peerIdOf = (peer: Bytes): string => base58.encode(concat(ED25519_ID, peer))

/** The link key that a multiaddr ends in, or null when it ends in none that can be read. */
export const peerOf = (address: string): Bytes | null => {
  const at = address.lastIndexOf('/p2p/')
  const text = address.slice(at + 5)
  if (at < 0 || text.length !== ID_TEXT) return null
  try {
    const decoded = base58.decode(text)
    return decoded.length === 38 && ED25519_ID.every((byte, i) => decoded[i] === byte) ? new Uint8Array(decoded.slice(6)) : null
  } catch {
    return null
  }
}

/**
 * An address of a peer: `/ip4|ip6|dns|dns4|dns6/HOST`, then `/tcp/N`, `/tcp/N/ws`, `/tcp/N/wss`, `/tcp/N/tls/ws`, `/tcp/N/tls/sni/NAME/ws`,
 * `/udp/N/webrtc-direct` or `/udp/N/quic-v1/webtransport`, the last two with the hashes of their certificates, and `/p2p/` with an Ed25519 peer id.
 *
 * @throws AddressError with the place in the text
 */
export const readAddress = (text: string): Address => {
  const parts = new Parts(text)
  const place = readHost(parts)
  // A browser connects to the name that TLS is asked for, not to the address before it.
  const { transport, port, host, reach } = { ...place, ...readTransport(parts) }
  parts.expect('p2p')
  const id = parts.next('a peer id')
  const peer = peerOf(`/p2p/${id}`)
  if (peer === null) throw parts.wrong('is no peer id of an Ed25519 key')
  parts.end()
  return { text, peer, transport, host, port, reach }
}

/** The address, or null when it is none: for lists in which one bad entry says nothing about the others. */
export const asAddress = (text: string): Address | null => {
  try {
    return readAddress(text)
  } catch (error) {
    if (error instanceof AddressError) return null
    throw error
  }
}

/**
 * Which addresses that peers told may be dialled. Public ones always: no peer may make a browser or a server knock on doors of its own network,
 * or look a name up that may lead there. A network whose every bootstrap address is loopback or private is somebody's own, and dials what it has.
 */
export const mayDial = (bootstrap: readonly Pick<Address, 'reach'>[]): ((told: Pick<Address, 'reach'>) => boolean) => {
  const isOwn = bootstrap.length > 0 && bootstrap.every(({ reach }) => reach === 'loopback' || reach === 'private')
  const reaches = new Set(isOwn ? ['public', ...bootstrap.map(({ reach }) => reach)] : ['public'])
  return ({ reach }) => reaches.has(reach)
}

/** The parts of a multiaddr, taken one by one. */
class Parts {
  readonly #text: string
  /** Where the part that was taken last begins, and where the next one does. */
  #from = 0
  #at = 0

  constructor(text: string) {
    this.#text = text
    if (typeof text !== 'string' || text.length > MAX_TEXT)
      throw new AddressError(String(text).slice(0, MAX_TEXT), 0, `is no text of at most ${MAX_TEXT} characters`)
  }

  next(what: string): string {
    if (this.#text[this.#at] !== '/') throw new AddressError(this.#text, this.#at, `should go on with ${what}`)
    this.#from = this.#at + 1
    const end = this.#text.indexOf('/', this.#from)
    this.#at = end < 0 ? this.#text.length : end
    return this.#text.slice(this.#from, this.#at)
  }

  /** Takes the next part if it is this one. */
  take(name: string): boolean {
    const from = this.#at
    if (from < this.#text.length && this.next(name) === name) return true
    this.#at = from
    return false
  }

  expect(name: string): void {
    if (this.next(`/${name}`) !== name) throw this.wrong(`should be ${name}`)
  }

  end(): void {
    if (this.#at < this.#text.length) throw new AddressError(this.#text, this.#at, 'should end here')
  }

  /** About the part that was taken last. */
  wrong(problem: string): AddressError {
    return new AddressError(this.#text, this.#from, problem)
  }
}

const readHost = (parts: Parts): Pick<Address, 'host' | 'reach'> => {
  const kind = parts.next('ip4, ip6 or dns')
  const host = parts.next('a host')
  switch (kind) {
    case 'ip4':
      return { host, reach: ipReach(parts, readIp4(host)) }
    case 'ip6':
      return { host, reach: ipReach(parts, readIp6(host)) }
    case 'dns':
    case 'dns4':
    case 'dns6':
      return named(parts, host)
    default:
      throw parts.wrong(`is no host: ${kind} is not known`)
  }
}

const named = (parts: Parts, host: string): Pick<Address, 'host' | 'reach'> => {
  if (!isName(host)) throw parts.wrong('is no host name')
  return { host, reach: 'name' }
}

const ipReach = (parts: Parts, ip: IpBytes | null): 'loopback' | 'private' | 'public' => {
  if (ip === null) throw parts.wrong('is no IP address')
  const reach = reachOf(ip)
  if (reach === 'nobody') throw parts.wrong('is the address of no host')
  return reach
}

/** RFC 1123 section 2.1. One whose last label is a number is an IPv4 address to some resolvers. */
const isName = (text: string): boolean =>
  text.length <= 253 &&
  text.split('.').every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(label)) &&
  !/(?:^|\.)(?:\d+|0x[\da-f]*)$/i.test(text)

type Way = Pick<Address, 'transport'> & Partial<Address>

const readTransport = (parts: Parts): Way & Pick<Address, 'port'> => {
  const kind = parts.next('tcp or udp')
  if (kind !== 'tcp' && kind !== 'udp') throw parts.wrong('should be tcp or udp')
  const digits = parts.next('a port')
  const port = /^[1-9]\d{0,4}$/.test(digits) ? Number(digits) : 0
  if (port === 0 || port > 65_535) throw parts.wrong('is no port')
  return { port, ...(kind === 'tcp' ? readStream(parts) : { transport: readDatagram(parts) }) }
}

const readStream = (parts: Parts): Way => {
  if (parts.take('ws')) return { transport: 'ws' }
  if (parts.take('wss')) return { transport: 'wss' }
  if (!parts.take('tls')) return { transport: 'tcp' }
  const name = parts.take('sni') ? named(parts, parts.next('a host name')) : {}
  parts.expect('ws')
  return { transport: 'wss', ...name }
}

const readDatagram = (parts: Parts): TransportName => {
  const isWebRtc = parts.take('webrtc-direct')
  if (!isWebRtc) {
    parts.expect('quic-v1')
    parts.expect('webtransport')
  }
  readHash(parts)
  for (let count = 1; !isWebRtc && parts.take('certhash'); count++) {
    if (count === MAX_HASHES) throw parts.wrong(`is the hash of more than ${MAX_HASHES} certificates`)
    checkHash(parts)
  }
  return isWebRtc ? 'webrtc-direct' : 'webtransport'
}

// Neither has a name that an authority vouches for: without the hash of its certificate there is nothing to dial (libp2p specs, webrtc and
// webtransport).
const readHash = (parts: Parts): void => {
  parts.expect('certhash')
  checkHash(parts)
}

/** multibase "u" (base64url) of a multihash: sha2-256 (0x12), 32 bytes. */
const checkHash = (parts: Parts): void => {
  const text = parts.next('the hash of a certificate')
  if (!/^uEi[\w-]{44}$/.test(text) || !isSha256(text.slice(1))) throw parts.wrong('is no SHA-256 hash of a certificate')
}

const isSha256 = (text: string): boolean => {
  try {
    const decoded = base64urlnopad.decode(text)
    return decoded.length === 34 && decoded[0] === 0x12 && decoded[1] === 0x20
  } catch {
    return false
  }
}

/** A text that is no address of a peer. `offset` counts characters. */
export class AddressError extends CoalitionError {
  declare readonly address: string
  declare readonly offset: number
  declare readonly problem: string

  constructor(address: string, offset: number, problem: string) {
    super('Network.AddressError', `${JSON.stringify(address)}: at ${offset}: ${problem}`, { address, offset, problem })
  }
}
