// RTCPeerConnection and RTCDataChannel as a page has them, without a network: what is asked of them is kept, and a test plays the other side.

/** Cannot cross a port, as in a browser that does not transfer channels. */
export class FakeChannel {
  readonly label: string
  readonly init: unknown
  readonly sent: number[] = []
  readyState = 'connecting'
  id: number | null = null
  binaryType = 'blob'
  bufferedAmount = 0
  bufferedAmountLowThreshold = 0
  onopen: (() => void) | null = null
  onclose: (() => void) | null = null
  onerror: (() => void) | null = null
  onbufferedamountlow: (() => void) | null = null
  onmessage: ((event: { readonly data: unknown }) => void) | null = null
  /** Why it cannot be cloned. */
  readonly live = (): void => {}

  constructor(label: string, init: unknown) {
    this.label = label
    this.init = init
  }

  open(id: number): void {
    this.readyState = 'open'
    this.id = id
    this.onopen?.()
  }

  /** Keeps what it is given until `drain`. */
  send(data: ArrayBuffer): void {
    if (this.readyState !== 'open') throw new DOMException('not open', 'InvalidStateError')
    this.sent.push(data.byteLength)
    this.bufferedAmount += data.byteLength
  }

  drain(): void {
    this.bufferedAmount = 0
    this.onbufferedamountlow?.()
  }

  close(): void {
    if (this.readyState === 'closed') return
    this.readyState = 'closed'
    this.onclose?.()
  }
}

export class FakeConnection {
  static readonly all: FakeConnection[] = []
  readonly config: unknown
  readonly channels: FakeChannel[] = []
  readonly remote: unknown[] = []
  connectionState = 'new'
  localDescription: { readonly type: string; readonly sdp: string } | null = null
  onconnectionstatechange: (() => void) | null = null
  ondatachannel: ((event: { readonly channel: FakeChannel }) => void) | null = null

  constructor(config: unknown) {
    this.config = config
    FakeConnection.all.push(this)
  }

  createDataChannel(label: string, init: unknown): FakeChannel {
    const channel = new FakeChannel(label, init)
    this.channels.push(channel)
    return channel
  }

  async createOffer() {
    return { type: 'offer', sdp: OFFER }
  }

  async setLocalDescription(description?: { readonly type: string; readonly sdp: string }) {
    this.localDescription = description ?? { type: 'offer', sdp: OFFER }
  }

  async setRemoteDescription(description: unknown) {
    this.remote.push(description)
  }

  become(state: string): void {
    this.connectionState = state
    this.onconnectionstatechange?.()
  }

  close(): void {
    this.connectionState = 'closed'
  }
}

export const PASSWORD = 'browserpassword1234567890'
export const OFFER = `v=0\r\na=ice-ufrag:br0w\r\na=ice-pwd:${PASSWORD}\r\na=fingerprint:sha-256 AB:CD\r\n`
/** As @libp2p/webrtc writes it, by version 1. */
export const ANSWER = 'v=0\na=ice-ufrag:libp2p+webrtc+v1/abcdefghij\na=ice-pwd:libp2p+webrtc+v1/abcdefghij\na=setup:passive\n'
