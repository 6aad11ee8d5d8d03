import { LitElement, type ReactiveController, type ReactiveControllerHost } from 'lit'

/** An element of this page: in the page's own tree, so that one stylesheet, find-in-page and labels reach into it. */
export class Part extends LitElement {
  protected override createRenderRoot(): this {
    return this
  }

  /** A page that nobody sees draws nothing: it waits, and then draws once what has come together. */
  protected override async scheduleUpdate(): Promise<void> {
    if (document.hidden) await seen()
    await super.scheduleUpdate()
  }
}

const seen = (): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden) return
      document.removeEventListener('visibilitychange', look)
      resolve()
    }
    document.addEventListener('visibilitychange', look)
  })

/** Milliseconds between two looks at all ages. */
const EVERY = 5_000

const agings = new Set<Aging>()

// One timer for all rows, and none while nobody looks.
setInterval(() => {
  if (!document.hidden) for (const aging of agings) aging.look()
}, EVERY)

/** Draws its element again when its age has another name. */
export class Aging implements ReactiveController {
  readonly #host: ReactiveControllerHost
  readonly #words: () => string
  #last: string

  /** @param words what is drawn of the age */
  constructor(host: ReactiveControllerHost, words: () => string) {
    this.#host = host
    this.#words = words
    this.#last = words()
    host.addController(this)
  }

  look(): void {
    const now = this.#words()
    if (now === this.#last) return
    this.#last = now
    this.#host.requestUpdate()
  }

  hostConnected(): void {
    agings.add(this)
  }

  hostDisconnected(): void {
    agings.delete(this)
  }
}
