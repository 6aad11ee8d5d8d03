import { CoalitionError, type WireError } from '../error.ts'

// The messages between a page and its Worker. One side asks, the other answers; every port has one of each, so there is one reader a side.
// Both readers take anything: a page's port may be in the hands of whatever script got into the page, and a Worker that was
// replaced may answer nonsense. What is not one of these messages ends the port.

/** A MessagePort, in a page, a Worker or Node; tests bring their own. */
export interface Port {
  /** @throws DataCloneError for a value that cannot cross; nothing is sent then */
  postMessage(message: unknown, transfer?: unknown[]): void
  /** Setting it starts the delivery of what has queued up. */
  onmessage: ((event: never) => void) | null
  close(): void
  /** `close` (the other end is gone: Node only, Chromium 156 does not tell) and `messageerror` (what came cannot be cloned here). */
  addEventListener?(type: string, listener: () => void): void
}

/** What one port may hold open at once. Beyond it a request is answered with BusyError, so a flood costs the flooder, not the Worker. */
export const LIMITS = {
  calls: 64,
  streams: 32,
  handles: 64,
  /** Messages that wait on a port of a tab that nobody listens to yet. */
  waiting: 64,
  /** Items that a stream may be ahead of its consumer. */
  credit: 16,
  /** Characters of a method's name, and of any name or address inside the arguments. */
  text: 512,
  args: 4,
} as const

/** From the side that asks. `id` is the asker's, counts up and is used once. */
export type Ask =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[]; readonly port?: Port }
  | { readonly kind: 'stream'; readonly id: number; readonly method: string; readonly args: readonly unknown[]; readonly credit: number }
  /** So many more items of stream `id` may come. */
  | { readonly kind: 'credit'; readonly id: number; readonly n: number }
  /** Nobody waits for `id` any more. */
  | { readonly kind: 'abort'; readonly id: number; readonly reason: WireError }
  /** The last push was taken: the next may come. `hidden` where nobody can see what came of it. */
  | { readonly kind: 'seen'; readonly hidden?: boolean | undefined }
  | { readonly kind: 'close' }

/** From the side that answers. */
export type Answer =
  | { readonly kind: 'done'; readonly id: number; readonly value?: unknown }
  | { readonly kind: 'fail'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'item'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'end'; readonly id: number }
  /** Something changed that nobody asked for. One is on its way at a time, and the newest of a matter replaces what waits. */
  | { readonly kind: 'push'; readonly value: unknown }
  | { readonly kind: 'close'; readonly error: WireError }

/** How a page hands a fresh port to a Worker's global scope: `worker.postMessage(attach(port), [port])`. */
export const attach = (port: unknown) => ({ coalition: 'attach/1', port })

/** The port of an attach message, or null for any other message: a Worker may have a life of its own besides us. */
export const attached = (data: unknown): Port | null => {
  const { coalition, port } = fields(data)
  return coalition === 'attach/1' && isPort(port) ? port : null
}

/** How a page offers a Worker its RTCPeerConnections, once: `worker.postMessage(attachRtc(port), [port])`. Before `attach`, so that they are there. */
export const attachRtc = (port: unknown) => ({ coalition: 'rtc/1', port })

export const fields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

// A structured clone has no functions, so nothing but a transferred port passes.
export const isPort = (value: unknown): value is Port => {
  const { postMessage, close } = fields(value)
  return typeof postMessage === 'function' && typeof close === 'function'
}

const isId = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0
const isCredit = (value: unknown): boolean => isId(value) && (value as number) <= LIMITS.credit
const isRequest = ({ id, method, args }: Readonly<Record<string, unknown>>): boolean =>
  isId(id) && typeof method === 'string' && method.length <= LIMITS.text && Array.isArray(args) && args.length <= LIMITS.args

const ASKS: Readonly<Record<Ask['kind'], (message: Readonly<Record<string, unknown>>) => boolean>> = {
  call: (message) => isRequest(message) && (message.port === undefined || isPort(message.port)),
  stream: (message) => isRequest(message) && isCredit(message.credit),
  credit: ({ id, n }) => isId(id) && isCredit(n),
  abort: ({ id }) => isId(id),
  seen: ({ hidden }) => hidden === undefined || typeof hidden === 'boolean',
  close: () => true,
}

const ANSWERS: Readonly<Record<Answer['kind'], (message: Readonly<Record<string, unknown>>) => boolean>> = {
  done: ({ id }) => isId(id),
  fail: ({ id }) => isId(id),
  item: ({ id }) => isId(id),
  end: ({ id }) => isId(id),
  push: () => true,
  close: () => true,
}

// Errors inside a message are not looked at here: `fromWire` takes anything and bounds it.
const reader =
  <M>(shapes: Readonly<Record<string, (message: Readonly<Record<string, unknown>>) => boolean>>) =>
  (data: unknown): M | null => {
    const message = fields(data)
    const { kind } = message
    return typeof kind === 'string' && Object.hasOwn(shapes, kind) && shapes[kind]?.(message) ? (data as M) : null
  }

/** The message, or null for what is none. */
export const readAsk = /* @__PURE__ */ reader<Ask>(ASKS)
/** The message, or null for what is none. */
export const readAnswer = /* @__PURE__ */ reader<Answer>(ANSWERS)

/** What was asked will not be answered: the network, the handle or the Worker behind it has ended. Its cause says why, if it is known. */
export class ShutdownError extends CoalitionError {
  constructor(cause?: unknown) {
    super('Network.ShutdownError', 'the connection to the network was closed', {}, { cause })
  }
}

/** The other side of a port sent what is no message of this protocol. */
export class MessageError extends CoalitionError {
  declare readonly problem: string

  constructor(problem: string) {
    super('Rpc.MessageError', problem, { problem })
  }
}
