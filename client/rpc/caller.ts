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
  /** Stops listening to the asker's signal. */
  readonly drop: () => void
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Goes along with the call and belongs to the other side from then on. */
  readonly port?: Port
}

export interface CallerOptions {
  readonly push?: (value: unknown) => void
  /** Called once, when the port has ended, from whichever side. */
  readonly closed?: () => void
}

/** The asking side of a port. */
export class Caller {
  readonly #port: Port
  readonly #options: CallerOptions
  readonly #open = new Map<number, Open>()
  #last = 0
  #ended: ShutdownError | null = null

  constructor(port: Port, options: CallerOptions = {}) {
    this.#port = port
    this.#options = options
    port.onmessage = ({ data }: { readonly data: unknown }) => {
      const answer = readAnswer(data)
      if (answer) this.#take(answer)
      else this.close(new MessageError('not an answer'))
    }
    port.addEventListener?.('close', () => this.close())
    port.addEventListener?.('messageerror', () => this.close(new MessageError('an answer that cannot be read')))
  }

  /** Rejects with what the other side threw, with the signal's reason, or with ShutdownError. */
  call(method: string, args: readonly unknown[], { signal, port }: CallOptions = {}): Promise<unknown> {
    return new Promise((done, fail) => {
      const ask = (id: number): Ask => ({ kind: 'call', id, method, args, ...(port && { port }) })
      this.#exchange(ask, { done, fail, item: () => false }, signal, port && [port])
    })
  }

  /** Each iteration is a stream of its own, opened by its first `next`. */
  stream(method: string, args: readonly unknown[], signal?: AbortSignal): AsyncIterable<unknown> {
    const start = (answers: Exchange, credit: number): Pull => {
      return this.#exchange((id) => ({ kind: 'stream', id, method, args, credit }), answers, signal)
    }
    return { [Symbol.asyncIterator]: () => new Pulled(start) }
  }

  /** Ends everything that is open with ShutdownError, tells the other side and closes the port. */
  close(cause?: unknown): void {
    if (this.#ended) return
    this.#ended = new ShutdownError(cause)
    this.#send({ kind: 'close' })
    this.#port.onmessage = null
    this.#port.close()
    for (const exchange of [...this.#open.values()]) exchange.fail(this.#ended)
    this.#options.closed?.()
  }

  #send(ask: Ask, transfer: unknown[] = []): void {
    this.#port.postMessage(ask, transfer)
  }

  #exchange(ask: (id: number) => Ask, answers: Exchange, signal?: AbortSignal, transfer?: unknown[]): Pull {
    if (this.#ended) throw this.#ended
    signal?.throwIfAborted()
    const id = ++this.#last
    // Before anything is remembered: this throws for an argument that cannot be cloned.
    this.#send(ask(id), transfer)
    const stop = (): void => {
      abort(signal?.reason)
      answers.fail(signal?.reason)
    }
    const abort = (reason: unknown): void => {
      if (this.#settle(id)) this.#send({ kind: 'abort', id, reason: toWire(reason) })
    }
    signal?.addEventListener('abort', stop)
    this.#open.set(id, {
      done: (value) => this.#settle(id) && answers.done(value),
      fail: (error) => this.#settle(id) && answers.fail(error),
      item: (value) => answers.item(value),
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
      this.#send({ kind: 'seen' })
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
