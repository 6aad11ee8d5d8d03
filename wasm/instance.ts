import { binary } from './binary.generated.ts'
import type { Bytes } from './hashing.ts'

/** What `wasm/assembly/index.ts` exports. Addresses are those of `layout.ts`; lengths are in bytes. */
export interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly hash: (length: number) => void
  readonly update: (length: number, more: 0 | 1) => void
  readonly finish: () => void
  readonly output: (low: number, high: number, blocks: number) => void
  readonly hashEach: (n: number, length: number) => void
  readonly hashMany: (n: number) => void
  readonly hashPairs: (n: number) => void
  readonly fold: (steps: number, prefix: number, length: number) => void
  readonly readCertificate: (at: number, length: number) => void
  readonly readCrl: (at: number, length: number) => void
  readonly readSignature: (at: number, length: number) => void
  readonly readQuote: (at: number, length: number) => void
}

export interface Instance {
  readonly exports: Exports
  /** All of its memory, which never moves: it does not grow. */
  readonly bytes: Bytes
  readonly words: Uint32Array<ArrayBuffer>
}

/** A core of its own, of a module in hex. @throws the engine's error where it does not take the module, or the page's policy forbids compiling */
export const instantiate = (hex: string = binary): Instance => {
  // Compiled at once, not as a stream: the callers' calls are synchronous, and a worker of one file has nothing to fetch.
  const exports = new WebAssembly.Instance(new WebAssembly.Module(bytesOf(hex))).exports as Exports
  const { buffer } = exports.memory
  return { exports, bytes: new Uint8Array(buffer), words: new Uint32Array(buffer) }
}

let core: Instance | null | undefined

/** The one core of this thread, made on first use; null where there is none to be had. */
export const shared = (): Instance | null => {
  if (core === undefined) core = made()
  return core
}

const made = (): Instance | null => {
  try {
    return instantiate()
  } catch {
    // No WebAssembly, or none with SIMD; or a page without 'wasm-unsafe-eval' in its policy, where the engine could and may not.
    return null
  }
}

/** A module's bytes, from hex. */
export const bytesOf = (hex: string): Bytes => {
  if (typeof Uint8Array.fromHex === 'function') return Uint8Array.fromHex(hex)
  if (typeof Buffer !== 'undefined') return Buffer.from(hex, 'hex')
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}
