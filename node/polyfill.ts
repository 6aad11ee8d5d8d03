// What libp2p 3 takes for granted and Node 20 lacks. Imported before anything of libp2p; newer Nodes bring their own and keep it.
import { QuietWebSocket } from './transports/quiet-socket.ts'

const define = (owner: object, name: string, value: unknown): void => {
  if (!(name in owner)) Object.defineProperty(owner, name, { value, configurable: true, writable: true })
}

// ECMAScript 2024, in Node since 22.
define(Promise, 'withResolvers', function withResolvers<T>(this: PromiseConstructor) {
  let resolve: (value: T | PromiseLike<T>) => void = () => {}
  let reject: (reason?: unknown) => void = () => {}
  const promise = new this<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
})

// In Node since 22; @libp2p/websockets dials with the global one.
define(globalThis, 'WebSocket', QuietWebSocket)

// In Node since 19; kept for runtimes that are Node by name.
define(
  globalThis,
  'CustomEvent',
  class CustomEvent<T> extends Event {
    readonly detail: T | null

    constructor(type: string, init?: ConstructorParameters<typeof Event>[1] & { readonly detail?: T }) {
      super(type, init)
      this.detail = init?.detail ?? null
    }
  },
)
