import type { AskOptions, Handle, StateReport, StreamOptions, Subject, Verified } from '../network/handle.ts'
import type { OpenOptions } from '../network/network.ts'
import type { Evidence } from '../verify/evidence/format.ts'
import { Caller } from './caller.ts'
import { fields, type Port, ShutdownError } from './wire.ts'

/** The network that a handle is of. */
export interface Opener {
  readonly call: Caller['call']
  readonly channel: () => { readonly port1: Port; readonly port2: Port }
  /** Runs `run` when a handle that could not be opened again is to be tried once more; null where there is one Worker only. */
  readonly again: ((run: () => void) => void) | null
  /** Whether nobody can see the page. */
  readonly hidden: (() => boolean) | undefined
  /** The committee was caught signing two histories. */
  readonly caught: () => void
}

/** What is opened, in one Worker after another. */
export interface Opening {
  readonly name: string
  readonly config: unknown
  readonly options: OpenOptions
}

const LOST = 'another worker takes over'

/** A handle of a page: its questions and iterations go to a port of its own, and to the next one when that is lost. */
export class PageHandle<T> implements Handle<T> {
  readonly #opener: Opener
  readonly #opening: Opening
  readonly #caller: Caller
  readonly #over = new AbortController()
  readonly #listeners = new Set<(report: StateReport) => void>()
  #state: StateReport | null = null
  #isOpening = true
  /** A committee that was caught stays caught, whatever the next Worker is shown: why. */
  #caught: unknown = null

  /** @param closed called once, when it has ended, from whichever side */
  constructor(opener: Opener, opening: Opening, closed: () => void) {
    this.#opener = opener
    this.#opening = opening
    this.#caller = new Caller(null, {
      push: (report) => this.#tell(report as StateReport),
      hidden: opener.hidden,
      closed: () => {
        this.#over.abort(new ShutdownError())
        closed()
      },
      // Whoever gives the network another Worker says when; where there is one only, the handle ends with its port.
      ...(opener.again && { lost: () => {} }),
    })
  }

  /** @throws as Network.open */
  async open(): Promise<this> {
    const { options } = this.#opening
    try {
      await this.#open(options, options.signal ?? this.#over.signal)
      this.#over.signal.throwIfAborted()
      this.#isOpening = false
      return this
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(cause?: unknown): void {
    this.#caller.close(cause)
  }

  /** Its Worker is gone. */
  lose(): void {
    this.#caller.lose()
    if (!this.#state) return
    if (this.#caught) this.#caller.refuse(this.#caught)
    else {
      this.#tell({ ...this.#state, state: 'connecting', detail: LOST, peers: [] })
      void this.#reopen()
    }
  }

  get state(): StateReport {
    return this.#state as StateReport
  }

  onState(listener: (report: StateReport) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  latest({ signal, ...options }: AskOptions = {}): Promise<Verified<T | null>> {
    return this.#caller.call('latest', [worded(options)], { signal }) as Promise<Verified<T | null>>
  }

  ask<R>(question: string, argument: unknown, { signal, ...options }: AskOptions = {}): Promise<Verified<R>> {
    return this.#caller.call('ask', [question, argument, worded(options)], { signal }) as Promise<Verified<R>>
  }

  export(subject: Subject, { signal, ...options }: AskOptions = {}): Promise<Evidence> {
    return this.#caller.call('export', [subject, worded(options)], { signal }) as Promise<Evidence>
  }

  since(position: bigint, { signal }: StreamOptions = {}): AsyncIterable<Verified<T>> {
    return { [Symbol.asyncIterator]: () => this.#items(position, signal) }
  }

  [Symbol.asyncIterator](): AsyncIterator<Verified<T>> {
    return this.#items(null)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#caller.dispose()
  }

  /** @param from null for the next new item: the other side tells first where that is */
  #items(from: bigint | null, signal?: AbortSignal): AsyncIterator<Verified<T>> {
    let next = from
    const see = (value: unknown): boolean => {
      const isMark = typeof value === 'bigint'
      next = isMark ? value : (after(value) ?? next)
      return !isMark
    }
    const ask = () => (next === null ? (['iterate', []] as const) : (['since', [next]] as const))
    return this.#caller.stream(ask, { signal, see }) as AsyncIterator<Verified<T>>
  }

  async #open({ timeout, withstand }: OpenOptions, signal: AbortSignal): Promise<void> {
    const { call, channel } = this.#opener
    let own: Port | null = null
    const port = (): Port => {
      const { port1, port2 } = channel()
      own?.close()
      own = port1
      return port2
    }
    try {
      const { name, config } = this.#opening
      const state = await call('open', [name, config, { timeout, withstand }], { signal, port })
      this.#caller.use(own as unknown as Port)
      this.#tell(state as StateReport)
    } catch (error) {
      ;(own as Port | null)?.close()
      throw error
    }
  }

  async #reopen(): Promise<void> {
    if (this.#isOpening || this.#over.signal.aborted) return
    this.#isOpening = true
    try {
      // With a deadline it would be given up where a handle that has no peer for an hour is not.
      await this.#open({ ...this.#opening.options, timeout: Number.POSITIVE_INFINITY }, this.#over.signal)
    } catch (error) {
      if (this.#over.signal.aborted) return
      this.#caller.refuse(error)
      this.#tell({ ...this.state, detail: (error as Error).message })
      this.#opener.again?.(() => void this.#reopen())
    } finally {
      this.#isOpening = false
    }
  }

  #tell(report: StateReport): void {
    this.#state = report
    for (const listener of [...this.#listeners]) listener(report)
    if (report.state !== 'wedged' || this.#caught) return
    this.#opener.caught()
    this.latest().catch((error: unknown) => {
      this.#caught = error
    })
  }
}

/** The position that comes after an item, or null for what is none. */
const after = (value: unknown): bigint | null => {
  const { position } = fields(fields(value).ref)
  return typeof position === 'string' && /^\d{1,20}$/.test(position) ? BigInt(position) + 1n : null
}

// What may cross, by name: a caller's object may hold anything besides.
const worded = ({ disclose, timeout }: AskOptions): AskOptions => ({
  ...(disclose !== undefined && { disclose }),
  ...(timeout !== undefined && { timeout }),
})
