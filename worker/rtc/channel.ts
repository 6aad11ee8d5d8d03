import { readBridgeReport } from '../../client/rpc/rtc.ts'
import { isPort, type Port } from '../../client/rpc/wire.ts'

/** What a Channel moves its bytes over. */
interface Carrier {
  readonly send: (data: Uint8Array<ArrayBuffer>) => void
  readonly close: () => void
  readonly buffered: () => number
  readonly setLow: (bytes: number) => void
}

type Handler = ((event: Event) => void) | null

/**
 * An RTCDataChannel as far as @libp2p/webrtc uses one. It is there at once, and its events come from the real channel when the page has sent
 * that: transferred, or as a port to it.
 */
export class Channel extends EventTarget {
  readonly label = ''
  readonly protocol = ''
  binaryType = 'arraybuffer'
  onopen: Handler = null
  onmessage: Handler = null
  onbufferedamountlow: Handler = null
  onclose: Handler = null
  onerror: Handler = null
  #carrier: Carrier | null = null
  #state: RTCDataChannelState = 'connecting'
  #id: number | null = null
  #low = 0

  get readyState(): RTCDataChannelState {
    return this.#state
  }

  get id(): number | null {
    return this.#id
  }

  get bufferedAmount(): number {
    return this.#carrier?.buffered() ?? 0
  }

  get bufferedAmountLowThreshold(): number {
    return this.#low
  }

  set bufferedAmountLowThreshold(bytes: number) {
    this.#low = bytes
    this.#carrier?.setLow(bytes)
  }

  /** @throws InvalidStateError, as the real one does */
  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.#state !== 'open' || this.#carrier === null) throw new DOMException(`the channel is ${this.#state}`, 'InvalidStateError')
    this.#carrier.send(data)
  }

  close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    // Before the real one came nothing says that it has closed.
    if (this.#carrier === null) this.end()
    else {
      this.#state = 'closing'
      this.#carrier.close()
    }
  }

  /** Closed without the real one's word: its connection is gone. */
  end(): void {
    this.#become('closed', this.#id)
  }

  /** Takes the real channel, or a port to one. It may have opened, and said so, before it was sent here. */
  bind(real: unknown): void {
    // Closed while it was on its way.
    const isLate = this.#state !== 'connecting'
    if (isChannel(real)) this.#carrier = this.#overChannel(real)
    else if (isPort(real)) this.#carrier = this.#overPort(real)
    else this.end()
    this.#carrier?.setLow(this.#low)
    if (isLate) this.#carrier?.close()
  }

  #overChannel(real: RTCDataChannel): Carrier {
    real.binaryType = 'arraybuffer'
    const follow = (): void => this.#become(real.readyState, real.id)
    real.onopen = real.onclosing = real.onclose = real.onerror = follow
    real.onbufferedamountlow = () => this.#fire(new Event('bufferedamountlow'))
    real.onmessage = ({ data }) => this.#take(data)
    follow()
    return {
      send: (data) => real.send(data),
      close: () => real.close(),
      buffered: () => real.bufferedAmount,
      setLow: (bytes) => {
        real.bufferedAmountLowThreshold = bytes
      },
    }
  }

  /** The bytes that were posted and have not left the real channel's buffer count as buffered, so that back-pressure reaches through. */
  #overPort(port: Port): Carrier {
    let buffered = 0
    port.onmessage = ({ data }: { readonly data: unknown }) => {
      if (data instanceof ArrayBuffer) return this.#take(data)
      const report = readBridgeReport(data)
      if (report === null) return this.end()
      const before = buffered
      buffered = Math.max(0, buffered - report.sent)
      this.#become(report.state, report.id)
      if (before > this.#low && buffered <= this.#low) this.#fire(new Event('bufferedamountlow'))
      if (this.#state === 'closed') port.close()
    }
    return {
      send: (data) => {
        const message = data.slice().buffer
        buffered += message.byteLength
        port.postMessage(message, [message])
      },
      close: () => port.postMessage('close'),
      buffered: () => buffered,
      setLow: () => {},
    }
  }

  #take(data: unknown): void {
    if (this.#state === 'closed') return
    // Text is nothing that a libp2p peer sends.
    if (data instanceof ArrayBuffer) this.#fire(new MessageEvent('message', { data }))
    else this.close()
  }

  #become(state: string, id: number | null): void {
    this.#id = id
    const before = this.#state
    if (state === before || before === 'closed') return
    if (state === 'open' && before === 'connecting') {
      this.#state = 'open'
      this.#fire(new Event('open'))
    } else if (state === 'closing') this.#state = 'closing'
    else if (state === 'closed') {
      this.#state = 'closed'
      this.#fire(new Event('close'))
    }
  }

  #fire(event: Event): void {
    this[`on${event.type}` as 'onopen']?.(event)
    this.dispatchEvent(event)
  }
}

const isChannel = (real: unknown): real is RTCDataChannel => typeof RTCDataChannel === 'function' && real instanceof RTCDataChannel
