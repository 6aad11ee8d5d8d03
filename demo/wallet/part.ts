import { LitElement, type ReactiveController, type ReactiveControllerHost } from 'lit'

/** An element of this page: in the page's own tree, so that one stylesheet, find-in-page and labels reach into it. */
export class Part extends LitElement {
  protected override createRenderRoot(): this {
    return this
  }
}

/** Milliseconds between two drawings of an age. */
const EVERY = 5_000

const hosts = new Set<ReactiveControllerHost>()

// One timer for all rows, and none while nobody looks.
setInterval(() => {
  if (!document.hidden) for (const host of hosts) host.requestUpdate()
}, EVERY)

/** Draws its element again as time goes by. */
export class Aging implements ReactiveController {
  readonly #host: ReactiveControllerHost

  constructor(host: ReactiveControllerHost) {
    this.#host = host
    host.addController(this)
  }

  hostConnected(): void {
    hosts.add(this.#host)
  }

  hostDisconnected(): void {
    hosts.delete(this.#host)
  }
}
