import { isError } from '../../error.ts'
import { whenAborted } from '../../network/scope.ts'
import { createPage, type PageNetwork, type PageOptions } from '../../rpc/page.ts'
import { ShutdownError } from '../../rpc/wire.ts'
import type { Place } from '../worker.ts'

/** Tries in a row before a Worker of this page that fails is given up, how the pause between them grows, and how long a sound one runs. */
const RETRY = { most: 5, firstMs: 100, longestMs: 5_000, soundMs: 10_000 } as const

export interface LastingOptions {
  readonly connect: Omit<PageOptions, 'closed' | 'lost' | 'after'>
  /** The next place. @throws ConnectError when it is for this page to start a Worker, and it cannot; the signal's reason */
  readonly next: (signal: AbortSignal) => Promise<Place>
  /** Runs `run` after `ms`; the returned function takes that back. */
  readonly after: (ms: number, run: () => void) => () => void
  /** There is one place only, and the network ends with it. */
  readonly isOne?: boolean
  /** Called once, when the network has ended. */
  readonly ended: () => void
}

/**
 * A network that outlives its Worker, if there may be another: everything that is open goes on in the next one.
 * @throws ConnectError when there is no Worker to be had, or what the Worker refuses the options with
 */
export const lastingNetwork = (options: LastingOptions, signal: AbortSignal): Promise<PageNetwork> =>
  new Promise((resolve, reject) => {
    const lasting = new Lasting(options, (network) => {
      keep()
      resolve(network)
    })
    const keep = whenAborted(signal, () => lasting.close(signal.reason))
    void lasting.run().then(reject)
  })

class Lasting {
  readonly #o: LastingOptions
  readonly #began: (network: PageNetwork) => void
  readonly #own = new AbortController()
  readonly #network: PageNetwork
  #lost = (): void => {}
  #hasBegun = false
  #tries = 0

  constructor(options: LastingOptions, began: (network: PageNetwork) => void) {
    this.#o = options
    this.#began = began
    this.#network = createPage({
      ...options.connect,
      ...(!options.isOne && { after: options.after, lost: () => this.#lost() }),
      closed: () => {
        this.#own.abort(new ShutdownError())
        this.#lost()
      },
    })
  }

  close(cause: unknown): void {
    this.#own.abort(cause)
    this.#network.close(cause)
  }

  /** Until the network has ended. The reason why. */
  async run(): Promise<unknown> {
    const { after, ended, isOne } = this.#o
    const { signal } = this.#own
    while (!signal.aborted) {
      await this.#live().catch((error: unknown) => this.#forgive(error))
      if (isOne) this.close(new ShutdownError())
      this.#network.lose()
      // At once after the first loss: most often the tab that led was closed, and the next one has begun already.
      if (this.#tries++ === 0 || signal.aborted) continue
      await new Promise<void>((resolve) => {
        this.#lost = resolve
        after(Math.min(RETRY.longestMs, RETRY.firstMs * 2 ** this.#tries), resolve)
      })
    }
    ended()
    return signal.reason
  }

  /** In one Worker. @throws why it was lost */
  async #live(): Promise<void> {
    const { next, after } = this.#o
    const place = await next(this.#own.signal)
    const lost = new Promise<void>((resolve) => {
      this.#lost = resolve
    })
    try {
      const life = await this.#network.use(place, AbortSignal.any([this.#own.signal, place.failed]))
      place.loaded(life, this.#lost)
      this.#hasBegun = true
      this.#began(this.#network)
      const cancel = after(RETRY.soundMs, () => {
        this.#tries = 0
      })
      await lost
      cancel()
    } finally {
      place.end()
    }
    place.failed.throwIfAborted()
  }

  /** The Worker of another tab may go at any time. One of our own that fails again and again is no use, nor one that refuses the options. */
  #forgive(error: unknown): void {
    if (isError(error, 'Network.ShutdownError')) return
    const isFailure = this.#hasBegun && isError(error, 'Network.ConnectError')
    if (!isFailure || this.#tries >= RETRY.most) this.close(error)
  }
}
