import { CoalitionError } from '../../client/error.ts'
import type { RtcAnswer, RtcAsk, Step } from '../../client/rpc/rtc.ts'
import { Channel } from './channel.ts'

/** The way to the page, for the connections of one port. */
export interface Line {
  /** The page answers under this id. @throws RtcError when there are too many */
  readonly join: (connection: PagedConnection) => number
  readonly leave: (id: number) => void
  readonly say: (ask: RtcAsk) => void
  readonly version: 1 | 2
}

/** Description of one side, as RTCSessionDescriptionInit. */
export interface Description {
  readonly type: string
  readonly sdp?: string
}

const V2 = 'libp2p+webrtc+v2/'

/** Channels that the other side may have open. */
const OPENED = 32

type Handler = ((event: Event) => void) | null

/**
 * An RTCPeerConnection as far as @libp2p/webrtc (6.0) uses one to dial webrtc-direct; the real one is the page's.
 *
 * The library dials by version 1 of the protocol: it puts an ICE ufrag and password of its own into the browser's offer. Chromium is about
 * to refuse that (its field trial WebRTC-NoSdpMangleUfrag). Version 2 leaves the offer alone and carries the browser's password in the ufrag
 * of the answer instead (libp2p specs, webrtc-direct), so it can be made of what the library asks for: its offer is dropped, its answer rewritten.
 */
export class PagedConnection extends EventTarget {
  onconnectionstatechange: Handler = null
  ondatachannel: Handler = null
  connectionState = 'new'
  localDescription: Description | null = null
  readonly #line: Line
  readonly #id: number
  readonly #steps = new Map<Step, { readonly resolve: (sdp: string) => void; readonly reject: (error: Error) => void }>()
  /** Made here, until they close. */
  readonly #channels = new Map<number, Channel>()
  /** Opened by the other side. */
  readonly #opened = new Set<Channel>()
  #made = 0

  constructor(line: Line) {
    super()
    this.#line = line
    this.#id = line.join(this)
    line.say({ kind: 'open', id: this.#id })
  }

  createDataChannel(_label: string, { negotiated = false }: { readonly negotiated?: boolean } = {}): Channel {
    if (this.#isOver) throw new DOMException(`the connection is ${this.connectionState}`, 'InvalidStateError')
    const channel = new Channel()
    this.#hold(channel, ++this.#made)
    this.#line.say({ kind: 'channel', id: this.#id, channel: this.#made, first: negotiated })
    return channel
  }

  async createOffer(): Promise<Description> {
    // Of version 2 nobody reads it: the browser makes its own when it sets it.
    return { type: 'offer', sdp: this.#line.version === 1 ? await this.#ask('offer') : '' }
  }

  async setLocalDescription({ sdp }: Description): Promise<void> {
    const set = this.#line.version === 1 && sdp !== undefined ? await this.#ask('local', sdp) : await this.#ask('local')
    this.localDescription = { type: 'offer', sdp: set }
  }

  async setRemoteDescription({ sdp = '' }: Description): Promise<void> {
    await this.#ask('remote', this.#line.version === 1 ? sdp : this.#toVersion2(sdp))
  }

  close(): void {
    if (this.connectionState === 'closed') return
    this.#line.say({ kind: 'close', id: this.#id })
    this.end('closed')
  }

  /** What the page says. */
  take(answer: RtcAnswer): void {
    if (answer.kind === 'state') this.#become(answer.state)
    else if (answer.kind !== 'channel') this.#settle(answer)
    else if (answer.channel > 0) this.#channels.get(answer.channel)?.bind(answer.real)
    else this.#takeChannel(answer.real)
  }

  /** Ends it without a word to the page. */
  end(state: 'closed' | 'failed'): void {
    this.#line.leave(this.#id)
    this.connectionState = state
    for (const { reject } of this.#steps.values()) reject(new RtcError('the connection was closed'))
    this.#steps.clear()
    for (const channel of [...this.#channels.values(), ...this.#opened]) channel.end()
  }

  get #isOver(): boolean {
    return this.connectionState === 'closed' || this.connectionState === 'failed'
  }

  #ask(kind: Step, sdp?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#isOver || this.#steps.has(kind)) return reject(new RtcError(`${kind} cannot be asked for now`))
      this.#steps.set(kind, { resolve, reject })
      this.#line.say({ kind, id: this.#id, ...(sdp !== undefined && { sdp }) })
    })
  }

  #toVersion2(answer: string): string {
    const [, password] = /^a=ice-pwd:([A-Za-z0-9+/]{22,239})\r?$/m.exec(this.localDescription?.sdp ?? '') ?? []
    if (password === undefined) throw new RtcError('the browser shows no ICE password')
    return answer.replaceAll(/^(a=ice-(?:ufrag|pwd):).*$/gm, `$1${V2}${password}`)
  }

  #hold(channel: Channel, number: number): void {
    this.#channels.set(number, channel)
    channel.addEventListener('close', () => this.#channels.delete(number), { once: true })
  }

  #settle(answer: RtcAnswer & { readonly kind: Step }): void {
    const step = this.#steps.get(answer.kind)
    this.#steps.delete(answer.kind)
    if ('error' in answer) step?.reject(new RtcError(answer.error))
    else step?.resolve(answer.sdp)
  }

  #takeChannel(real: unknown): void {
    const channel = new Channel()
    channel.bind(real)
    this.#opened.add(channel)
    channel.addEventListener('close', () => this.#opened.delete(channel), { once: true })
    // A client has few exchanges that its peer began. It is closed after it is bound, or nobody would tell the page.
    if (this.#opened.size > OPENED) channel.close()
    else this.#fire(Object.assign(new Event('datachannel'), { channel }))
  }

  #become(state: string): void {
    if (this.#isOver || this.connectionState === state) return
    if (state === 'closed' || state === 'failed') this.end(state)
    else this.connectionState = state
    this.#fire(new Event('connectionstatechange'))
  }

  #fire(event: Event): void {
    this[`on${event.type}` as 'ondatachannel']?.(event)
    this.dispatchEvent(event)
  }
}

/** The page refused a step of a dial, or the connection was closed meanwhile. */
export class RtcError extends CoalitionError {
  declare readonly problem: string

  constructor(problem: string) {
    super('Network.RtcError', problem, { problem })
  }
}
