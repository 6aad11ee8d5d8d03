import { type Listener, type ListenerEvents, TypedEventEmitter } from '@libp2p/interface'
import { getThinWaistAddresses } from '@libp2p/utils'
import type { WebRTCDirectTransportComponents } from '@libp2p/webrtc'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { CoalitionError } from '../../../client/error.ts'
import type { Log } from '../../../client/log.ts'
import { originOf } from '../addresses.ts'
import type { HostLimits } from '../limits.ts'
import { type Certificate, certhashOf } from '../webtransport/certificate.ts'
import { answer, type Source } from './answer.ts'
import type { Answerer } from './answerer.ts'
import { type Dial, readDial } from './credentials.ts'
import { createGate, type Gate } from './gate.ts'
import { type Mux, openMux } from './mux.ts'

export interface ListenerOptions {
  readonly components: WebRTCDirectTransportComponents
  readonly certificate: () => Promise<Certificate>
  readonly limits: HostLimits
  readonly log: Log
}

/** What is open on one port. */
interface Bound {
  readonly address: Multiaddr
  readonly certificate: Certificate
  readonly mux: Mux
}

/** A libp2p listener for one `/ip4|ip6/ADDRESS/udp/PORT/webrtc-direct`, which takes dials of both versions. */
export class WebRtcListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #options: ListenerOptions
  /** By server ufrag, which the dialling side makes up anew for every dial: its checks come from several addresses. */
  readonly #dials = new Map<string, { readonly stop: () => void; readonly done: Promise<void> }>()
  #isOver = false
  #bound: Bound | null = null

  constructor(options: ListenerOptions) {
    super()
    this.#options = options
  }

  /** @throws NoWebRtcError, or the system's error when the port cannot be had */
  async listen(address: Multiaddr): Promise<void> {
    const native = await import('./answerer.ts').catch((cause: unknown) => {
      throw new NoWebRtcError(cause)
    })
    const { certificate: load, limits } = this.#options
    const certificate = await load()
    const { host, port: wanted } = read(address)
    const gate = createGate(limits, () => performance.now())
    const mux = await openMux(host, wanted, ({ server, client, ...source }, port) => {
      const dial = readDial(server, client)
      if (dial === null || this.#dials.has(dial.server.ufrag)) return
      this.#take(dial, source, gate, () => new native.Answerer(dial, { certificate, port, channels: limits.streams }))
    })
    this.#bound = { address, certificate, mux }
    this.safeDispatchEvent('listening')
  }

  #take(dial: Dial, source: Source, gate: Gate, create: () => Answerer): void {
    const { components, log } = this.#options
    const turn = new AbortController()
    const stop = (): void => turn.abort()
    const entry = this.#isOver ? null : gate.enter(originOf(source.host), stop)
    if (entry === null) return
    const { ufrag } = dial.server
    const done = answer(create, ufrag, source, { components, entry, log, signal: turn.signal })
    this.#dials.set(ufrag, { stop, done })
    void done.then(() => this.#dials.delete(ufrag))
  }

  getAddrs(): Multiaddr[] {
    if (this.#bound === null) return []
    const { address, certificate, mux } = this.#bound
    const suffix = multiaddr(`/webrtc-direct/certhash/${certhashOf(certificate.hash)}`)
    return getThinWaistAddresses(address, mux.port).map((own) => own.encapsulate(suffix))
  }

  /** Addresses that an operator announces are written before anybody knows the hash. */
  updateAnnounceAddrs(addresses: Multiaddr[]): void {
    if (this.#bound === null) return
    const certhash = certhashOf(this.#bound.certificate.hash)
    for (const [i, address] of addresses.entries()) {
      const names = address.getComponents().map(({ name }) => name)
      if (!names.includes('webrtc-direct') || names.includes('certhash')) continue
      addresses[i] = multiaddr(address.toString().replace(/\/webrtc-direct(?=\/|$)/, `/webrtc-direct/certhash/${certhash}`))
    }
  }

  async close(): Promise<void> {
    this.#bound?.mux.stop()
    this.#bound = null
    this.#isOver = true
    const dials = [...this.#dials.values()]
    for (const { stop } of dials) stop()
    await Promise.all(dials.map(({ done }) => done))
    this.safeDispatchEvent('close')
  }
}

/** Whether an address names a port of ours, and nothing behind it. */
export const isListenAddress = (address: Multiaddr): boolean => {
  const [ip, udp, direct, ...rest] = address.getComponents().map(({ name }) => name)
  return (ip === 'ip4' || ip === 'ip6') && udp === 'udp' && direct === 'webrtc-direct' && rest.length === 0
}

const read = (address: Multiaddr): { readonly host: string; readonly port: number } => {
  const [ip, udp] = address.getComponents()
  return { host: ip?.value ?? '', port: Number(udp?.value) }
}

/** This platform has no build of the library that speaks WebRTC. */
export class NoWebRtcError extends CoalitionError {
  declare readonly platform: string

  constructor(cause: unknown) {
    const platform = `${process.platform}-${process.arch}`
    super('Network.NoWebRtcError', `node-datachannel has no build for ${platform}: leave webrtc-direct out`, { platform }, { cause })
  }
}
