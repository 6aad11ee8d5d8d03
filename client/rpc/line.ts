import { fields, LIMITS, type Port } from './wire.ts'

// A BroadcastChannel carries no ports, and a page's RPC opens one for every handle. So ports become streams by number over one channel that
// has two ends, a tab and the Worker. Stream 0 is the line's own: short words, and the ports that open a network.

/** One message on the channel. `port` is the number of the stream that `data.port` stands for. */
interface Frame {
  readonly stream: number
  readonly data: unknown
  readonly port?: number
}

export interface LineOptions {
  /** Streams that the other end may have open: 0 for the end that opens them. */
  readonly streams: number
  /** What came on stream 0. */
  readonly take: (message: unknown) => void
  /** Called once, when the line has ended, from whichever side. */
  readonly closed: () => void
}

/** The ports of one tab. Whatever is wrong with one message ends them all, and nobody else's. */
export interface Line {
  /** To `take` of the other end. A port that `channel` made may go along, as with a MessagePort. */
  readonly postMessage: (message: unknown, transfer?: unknown[]) => void
  /** What `new MessageChannel()` is to a Worker: `port2` is good for being sent, once. */
  readonly channel: () => { readonly port1: Port; readonly port2: Port }
  /** Ends every port of it; the other end is told. */
  readonly close: () => void
}

/** The word by which an end says that it has gone. */
const END = 'end'

export const createLine = (channel: Port, { streams: most, take, closed }: LineOptions): Line => {
  const streams = new Map<number, Stream>()
  let last = 0
  let isOver = false
  const post = (frame: Frame): void => {
    if (!isOver) channel.postMessage(frame)
  }
  const close = (): void => {
    if (isOver) return
    post({ stream: 0, data: END })
    isOver = true
    channel.onmessage = null
    channel.close()
    for (const stream of [...streams.values()]) stream.end()
    closed()
  }
  const send = (stream: number, message: unknown, [sent]: readonly unknown[] = []): void => {
    const port = sent instanceof Stream ? sent.number : undefined
    post(port ? { stream, data: { ...fields(message), port: null }, port } : { stream, data: message })
  }
  const make = (number: number): Stream => new Stream(number, send, () => streams.delete(number), close)
  const open = (number: number): Stream => {
    const stream = make(number)
    streams.set(number, stream)
    return stream
  }
  const receive = ({ stream, data, port }: Frame): void => {
    let message = data
    if (port !== undefined) {
      if (port <= last || streams.size >= most) {
        close()
        return
      }
      last = port
      message = { ...fields(data), port: open(port) }
    }
    if (stream > 0) streams.get(stream)?.receive(message)
    else if (message === END) close()
    else take(message)
  }
  channel.onmessage = ({ data }: { readonly data: unknown }) => {
    if (isFrame(data)) receive(data)
    else close()
  }
  channel.addEventListener?.('messageerror', close)
  return {
    postMessage: (message, transfer) => send(0, message, transfer),
    channel: () => ({ port1: open(++last), port2: make(last) }),
    close,
  }
}

const isNumber = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isFrame = (data: unknown): data is Frame => {
  const { stream, port = 1 } = fields(data)
  return isNumber(stream) && isNumber(port)
}

type Listener = (event: { readonly data: unknown }) => void

/** One end of a stream, as a MessagePort would be: what comes before anybody listens waits, and comes in its order. */
class Stream implements Port {
  readonly number: number
  readonly postMessage: Port['postMessage']
  readonly #drop: () => void
  readonly #flood: () => void
  readonly #queue: unknown[] = []
  readonly #ends: (() => void)[] = []
  #listener: Listener | null = null

  /** @param flood called when more has come than may wait */
  constructor(number: number, send: (stream: number, message: unknown, transfer?: unknown[]) => void, drop: () => void, flood: () => void) {
    this.number = number
    this.postMessage = (message, transfer) => send(number, message, transfer)
    this.#drop = drop
    this.#flood = flood
  }

  get onmessage(): Port['onmessage'] {
    return this.#listener
  }

  set onmessage(listener: Port['onmessage']) {
    this.#listener = listener as Listener | null
    if (this.#queue.length > 0) void Promise.resolve().then(() => this.#next())
  }

  addEventListener(type: string, listener: () => void): void {
    if (type === 'close') this.#ends.push(listener)
  }

  close(): void {
    this.#listener = null
    this.#queue.length = 0
    this.#drop()
  }

  receive(data: unknown): void {
    if (this.#listener && this.#queue.length === 0) this.#listener({ data })
    else if (this.#queue.push(data) > LIMITS.waiting) this.#flood()
  }

  /** The line has ended. */
  end(): void {
    for (const tell of this.#ends) tell()
    this.close()
  }

  // One a microtask: a listener that throws must not keep the others from what came for them.
  #next(): void {
    const listener = this.#listener
    if (!listener || this.#queue.length === 0) return
    const data = this.#queue.shift()
    void Promise.resolve().then(() => this.#next())
    listener({ data })
  }
}
