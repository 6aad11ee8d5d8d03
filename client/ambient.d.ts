// The few names outside ECMAScript that `client/` may use. Every host has them (WHATWG DOM section 3.3, WHATWG Encoding section 7),
// none of them reaches a clock, a socket or a disk. Whatever is not declared here does not compile in `client/`: a new capability
// comes in through the `Host` port, not through this file. `AbortSignal.timeout` is left out on purpose: it is a clock.
// Other places see their own library's declarations instead; this file is never published.

interface AbortSignal {
  readonly aborted: boolean
  readonly reason: unknown
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean; readonly signal?: AbortSignal }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

declare const AbortSignal: {
  readonly prototype: AbortSignal
  /** A signal that is aborted already. */
  abort(reason?: unknown): AbortSignal
  /** Aborted as soon as one of `signals` is, with its reason. */
  any(signals: AbortSignal[]): AbortSignal
}

interface AbortController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}

declare const AbortController: {
  readonly prototype: AbortController
  new (): AbortController
}

interface TextEncoder {
  /** UTF-8. A lone surrogate becomes U+FFFD: whoever folds text into an id refuses it first (`utf8` in primitives/bytes.ts). */
  encode(input?: string): Uint8Array<ArrayBuffer>
}

declare const TextEncoder: {
  readonly prototype: TextEncoder
  new (): TextEncoder
}

interface TextDecoder {
  /** @throws TypeError when `fatal` was given and the input is not UTF-8 */
  decode(input?: Uint8Array | ArrayBuffer): string
}

declare const TextDecoder: {
  readonly prototype: TextDecoder
  new (label?: 'utf-8', options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean }): TextDecoder
}
