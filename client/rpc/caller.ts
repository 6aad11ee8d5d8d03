import { fromWire, toWire } from '../error.ts'
import { type Pull, Pulled } from './pull.ts'
import { type Answer, type Ask, MessageError, type Port, readAnswer, ShutdownError } from './wire.ts'

/** What an open request does with its answers. */
export interface Exchange {
  readonly done: (value: unknown) => void
  readonly fail: (error: unknown) => void
  /** False when the item was not asked for. */
  readonly item: (value: unknown) => boolean
}

interface Open extends Exchange {
  /** Asks, on whichever port there is. */
  readonly ask: () => void
  /** Stops listening to the asker's signal. */
  readonly drop: () => void
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** A port that goes along with the call and belongs to the other side from then on; another one whenever it is asked. */
  readonly port?: () => Port
}

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined
  /** False for an item that is not the consumer's. */
  readonly see?: (value: unknown) => boolean
}

export interface CallerOptions {
  readonly push?: (value: unknown) => void
  /** Called once, when it has ended, from whichever side, with the reason if one is known. */
  readonly closed?: (cause: unknown) => void
  /** Whether nobody can see what comes of a push. */
  readonly hidden?: (() => boolean) | undefined
  /** The port has ended by itself, and another one may come. Without this there is no other: it ends too. */
  readonly lost?: () => void
}

/** The asking side of a port, or of one port after another: what is open when one is lost is asked again on the next. */
export class Caller {
  readonly #options: CallerOptions
  readonly #open = new Map<number, Open>()
  #port: Port | null = null
  #last = 0
  #ended: ShutdownError | null = null
  #refusal: { readonly error: unknown } | null = null

  /** @param port null for one that comes later, by `use` */
  constructor(port: Port | null, options: CallerOptions = {}) {
    this.#options = options
    if (port) this.use(port)
  }

  /** Rejects with what the other side threw, with the signal's reason, or with ShutdownError. */
  call(method: string, args: readonly unknown[], { signal, port }: CallOptions = {}): Promise<unknown> {
    return new Promise((done, fail) => {
      const ask = (id: number): void => {
        const sent = port?.()
        this.#send({ kind: 'call', id, method, args, ...(sent && { port: sent }) }, sent && [sent])
      }
      this.#exchange(ask, { done, fail, item: () => false }, signal)
    })
  }

  /** A stream, opened by its first `next`. @param what method and arguments, as they are when the other side is asked */
  stream(what: () => readonly [method: string, args: readonly unknown[]], { signal, see }: StreamOptions = {}): AsyncIterator<unknown> {
    const start = (answers: Exchange, credit: () => number): Pull => {
      const ask = (id: number): void => {
        const [method, args] = what()
        this.#send({ kind: 'stream', id, method, args, credit: credit() })
      }
      return this.#exchange(ask, answers, signal)
    }
    return new Pulled(start, see)
  }

  /** Goes on over another port. @param first asked before what is open already */
  use(port: Port, first: () => void = () => {}): void {
    this.lose()
    this.#port = port
    if (this.#ended) {
      this.#send({ kind: 'close' })
      this.lose()
      return
    }
    this.#refusal = null
    const open = [...this.#open.values()]
    port.onmessage = ({ data }: { readonly data: unknown }) => {
      const answer = readAnswer(data)
      if (answer) this.#take(answer)
      else this.close(new MessageError('not an answer'))
    }
    port.addEventListener?.('close', () => {
      if (this.#port === port) this.#lost()
    })
    port.addEventListener?.('messageerror', () => this.close(new MessageError('an answer that cannot be read')))
    first()
    for (const { ask } of open) ask()
  }

  /** Nothing comes over the port any more. What is open waits for another. */
  lose(): void {
    const port = this.#port
    this.#port = null
    if (port) port.onmessage = null
    port?.close()
  }

  /** What is open fails, and whatever is asked before there is another port. */
  refuse(error: unknown): void {
    this.#refusal ??= { error }
    for (const exchange of [...this.#open.values()]) exchange.fail(error)
  }

  /** Ends it as `close` does, but lets the other side close what it has before whoever waits goes on. */
  async dispose(): Promise<void> {
    try {
      if (this.#port) await this.call('dispose', [])
    } catch {
      // It has ended: by this call, from the other side, or by an earlier call.
    }
    this.close()
  }

  /** Ends everything that is open with ShutdownError, tells the other side and closes the port. */
  close(cause?: unknown): void {
    if (this.#ended) return
    this.#ended = new ShutdownError(cause)
    this.#send({ kind: 'close' })
    this.lose()
    this.#refusal = null
    this.refuse(this.#ended)
    this.#options.closed?.(cause)
  }

  #lost(): void {
    if (this.#options.lost) this.#options.lost()
    else this.close()
  }

  #send(ask: Ask, transfer: unknown[] = []): void {
    this.#port?.postMessage(ask, transfer)
  }

  #exchange(send: (id: number) => void, answers: Exchange, signal?: AbortSignal): Pull {
    if (this.#refusal) throw this.#refusal.error
    signal?.throwIfAborted()
    const id = ++this.#last
    // Before anything is remembered: this throws for an argument that cannot be cloned.
    if (this.#port) send(id)
    const stop = (): void => {
      abort(signal?.reason)
      answers.fail(signal?.reason)
    }
    const abort = (reason: unknown): void => {
      if (this.#settle(id)) this.#send({ kind: 'abort', id, reason: toWire(reason) })
    }
    const fail = (error: unknown): void => {
      if (this.#settle(id)) answers.fail(error)
    }
    const ask = (): void => {
      try {
        send(id)
      } catch (error) {
        fail(error)
      }
    }
    signal?.addEventListener('abort', stop)
    this.#open.set(id, {
      done: (value) => this.#settle(id) && answers.done(value),
      fail,
      item: (value) => answers.item(value),
      ask,
      drop: () => signal?.removeEventListener('abort', stop),
    })
    return { abort, credit: (n) => this.#open.has(id) && this.#send({ kind: 'credit', id, n }) }
  }

  #settle(id: number): boolean {
    this.#open.get(id)?.drop()
    return this.#open.delete(id)
  }

  #take(answer: Answer): void {
    if (answer.kind === 'close') this.close(fromWire(answer.error))
    else if (answer.kind === 'push') {
      // First, since the listener is the page's and may throw.
      this.#send({ kind: 'seen', hidden: this.#options.hidden?.() })
      this.#options.push?.(answer.value)
    } else {
      // An answer to what was given up in the meantime is late, not wrong.
      const waiting = this.#open.get(answer.id)
      if (answer.kind === 'item') {
        if (waiting?.item(answer.value) === false) this.close(new MessageError('an item that was not asked for'))
      } else if (answer.kind === 'fail') waiting?.fail(fromWire(answer.error))
      else waiting?.done(answer.kind === 'done' ? answer.value : undefined)
    }
  }
}
