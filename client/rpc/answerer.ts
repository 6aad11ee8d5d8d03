import { CoalitionError, fromWire, toWire } from '../error.ts'
import { createGate, createPushes } from './flow.ts'
import { type Answer, type Ask, LIMITS, MessageError, type Port, readAsk, ShutdownError } from './wire.ts'

export interface CallContext {
  /** Aborts when the asker gives up or its port ends. */
  readonly signal: AbortSignal
  /** Came with the call. Whoever takes it closes it. */
  readonly port: Port | undefined
}

/** What a port answers to. Arguments are whatever a page sent: each method checks its own. */
export interface Methods {
  readonly calls: Readonly<Record<string, (args: readonly unknown[], context: CallContext) => Promise<unknown>>>
  readonly streams: Readonly<Record<string, (args: readonly unknown[], signal: AbortSignal) => AsyncIterable<unknown>>>
}

interface Running {
  readonly controller: AbortController
  /** Streams only: takes credit; false for more than a window of it. */
  readonly credit?: (n: number) => boolean
}

type Call = Ask & { readonly kind: 'call' }
type Stream = Ask & { readonly kind: 'stream' }

/** The answering side of a port, until it ends from whichever side. */
export class Answerer {
  readonly #port: Port
  readonly #methods: Methods
  readonly #closed: () => void
  readonly #seen: (isHidden: boolean) => void
  readonly #running = new Map<number, Running>()
  // Counted until the work itself has ended, not until nobody waits for it: else asking and giving up would pile it up.
  readonly #busy = { call: 0, stream: 0 }
  readonly #pushes = createPushes((value) => this.#send({ kind: 'push', value }))
  #over = false

  /**
   * @param closed called once, when the port has ended
   * @param seen called when a push was taken
   */
  constructor(port: Port, methods: Methods, closed: () => void, seen: (isHidden: boolean) => void = () => {}) {
    this.#port = port
    this.#methods = methods
    this.#closed = closed
    this.#seen = seen
    port.addEventListener?.('close', () => this.close())
    port.addEventListener?.('messageerror', () => this.close(new MessageError('a request that cannot be read')))
    port.onmessage = ({ data }: { readonly data: unknown }) => {
      const ask = readAsk(data)
      if (ask) this.#take(ask)
      else this.close(new MessageError('not a request'))
    }
  }

  /** Tells the other side; the newest value of a matter replaces one that still waits to be sent. */
  push(value: unknown, matter = ''): void {
    this.#pushes.push(value, matter)
  }

  /** Ends everything that is open, tells the other side why and closes the port. */
  close(cause?: unknown): void {
    if (this.#over) return
    const error = new ShutdownError(cause)
    this.#send({ kind: 'close', error: toWire(cause ?? error) })
    this.#over = true
    this.#port.onmessage = null
    this.#port.close()
    for (const { controller } of this.#running.values()) controller.abort(error)
    this.#running.clear()
    this.#closed()
  }

  #send(answer: Answer): void {
    if (!this.#over) this.#port.postMessage(answer)
  }

  /** The last word on a request, unless nobody waits for it any more. */
  #answer(answer: Answer & { readonly id: number }): void {
    if (!this.#running.has(answer.id)) return
    // This throws for a value that cannot be cloned, and `#start` then sends that as the failure.
    this.#send(answer)
    this.#running.delete(answer.id)
  }

  #take(ask: Ask): void {
    switch (ask.kind) {
      case 'close':
        this.close()
        break
      case 'seen':
        this.#seen(ask.hidden === true)
        this.#pushes.seen()
        break
      case 'credit':
        // Late credit for a stream that has ended is lawful; more than a window of it would let a page make the Worker run ahead.
        if (this.#running.get(ask.id)?.credit?.(ask.n) === false) this.close(new MessageError('more credit than a window'))
        break
      case 'abort':
        this.#running.get(ask.id)?.controller.abort(fromWire(ask.reason))
        this.#running.delete(ask.id)
        break
      case 'call':
      case 'stream':
        this.#admit(ask)
    }
  }

  #admit(ask: Call | Stream): void {
    const limit = ask.kind === 'call' ? LIMITS.calls : LIMITS.streams
    if (this.#running.has(ask.id)) this.close(new MessageError(`request ${ask.id} is open already`))
    else if (this.#busy[ask.kind] < limit) void this.#start(ask)
    else this.#send({ kind: 'fail', id: ask.id, error: toWire(new BusyError(`${ask.kind}s`, limit)) })
  }

  async #start(ask: Call | Stream): Promise<void> {
    const controller = new AbortController()
    this.#busy[ask.kind]++
    try {
      await (ask.kind === 'call' ? this.#call(ask, controller) : this.#stream(ask, controller))
    } catch (error) {
      // A stream's source waits still, as after an item that could not be cloned.
      controller.abort(error)
      this.#answer({ kind: 'fail', id: ask.id, error: toWire(error) })
    } finally {
      this.#busy[ask.kind]--
    }
  }

  async #call({ id, method, args, port }: Call, controller: AbortController): Promise<void> {
    this.#running.set(id, { controller })
    const run = Object.hasOwn(this.#methods.calls, method) ? this.#methods.calls[method] : undefined
    if (!run) throw new MessageError(`no method ${JSON.stringify(method)}`)
    this.#answer({ kind: 'done', id, value: await run(args, { signal: controller.signal, port }) })
  }

  async #stream({ id, method, args, credit }: Stream, controller: AbortController): Promise<void> {
    const { signal } = controller
    const gate = createGate(credit, signal)
    this.#running.set(id, { controller, credit: gate.credit })
    const open = Object.hasOwn(this.#methods.streams, method) ? this.#methods.streams[method] : undefined
    if (!open) throw new MessageError(`no stream ${JSON.stringify(method)}`)
    const iterator = open(args, signal)[Symbol.asyncIterator]()
    // A source that waits for its next item learns of the end here, whether or not it listens to the signal.
    signal.addEventListener('abort', () => void iterator.return?.().catch(() => {}), { once: true })
    while (await gate.pass()) {
      const { done, value } = await iterator.next()
      if (signal.aborted) return
      if (done) return this.#answer({ kind: 'end', id })
      this.#send({ kind: 'item', id, value })
    }
  }
}

/** A port has as many requests open as it may. */
export class BusyError extends CoalitionError {
  declare readonly what: string
  declare readonly limit: number

  constructor(what: string, limit: number) {
    super('Rpc.BusyError', `more than ${limit} ${what} are open on this port`, { what, limit })
  }
}
