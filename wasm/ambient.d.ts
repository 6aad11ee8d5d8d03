// The few names outside ECMAScript that wasm/ uses. Node and browsers have all of them but Buffer, which is Node's, and the core works
// without any of them. This file is never published.

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
  }
  class Instance {
    constructor(module: Module)
    readonly exports: unknown
  }
}

declare const Buffer: { from(text: string, encoding: 'hex'): Uint8Array<ArrayBuffer> } | undefined

interface Uint8ArrayConstructor {
  /** ECMAScript 2026; not in every engine yet. */
  readonly fromHex?: (hex: string) => Uint8Array<ArrayBuffer>
}
