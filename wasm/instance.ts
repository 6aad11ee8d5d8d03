import { base, relaxed } from './binaries.generated.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The two builds of the one source: with relaxed SIMD, and without. */
export type Build = 'relaxed' | 'base'

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
  readonly build: Build
  readonly exports: Exports
  /** All of its memory, which never moves: it does not grow. */
  readonly bytes: Bytes
  readonly words: Uint32Array<ArrayBuffer>
}

// (func (result v128) i32.const 1 i8x16.splat i32.const 2 i8x16.splat i8x16.relaxed_swizzle): an engine knows it or refuses the module.
const RELAXED_PROBE: Bytes = /* @__PURE__ */ Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 0x41, 1, 0xfd, 15, 0x41, 2, 0xfd, 15, 0xfd, 0x80, 2, 0x0b],
)

/** The builds to try, the faster one first. Whether an engine has SIMD at all shows when it compiles the base build, which checks it anyway. */
export const builds = (): readonly Build[] => {
  if (typeof WebAssembly === 'undefined') return []
  return WebAssembly.validate(RELAXED_PROBE) ? ['relaxed', 'base'] : ['base']
}

/** A core of its own. @throws the engine's error where it does not take the build, or the page's policy forbids compiling */
export const instantiate = (build: Build): Instance => {
  // Compiled at once, not as a stream: the callers' calls are synchronous, and a worker of one file has nothing to fetch.
  const exports = new WebAssembly.Instance(new WebAssembly.Module(binaryOf(build))).exports as Exports
  const { buffer } = exports.memory
  return { build, exports, bytes: new Uint8Array(buffer), words: new Uint32Array(buffer) }
}

let core: Instance | null | undefined

/** The one core of this thread, made on first use; null where there is none to be had. */
export const shared = (): Instance | null => {
  if (core === undefined) core = first(builds())
  return core
}

const first = (all: readonly Build[]): Instance | null => {
  for (const build of all)
    try {
      return instantiate(build)
    } catch {
      // No SIMD, or not all of the relaxed; or a page without 'wasm-unsafe-eval' in its policy, where the engine could and may not.
    }
  return null
}

/** The module's bytes. */
export const binaryOf = (build: Build): Bytes => {
  const hex = build === 'relaxed' ? relaxed : base
  if (typeof Uint8Array.fromHex === 'function') return Uint8Array.fromHex(hex)
  if (typeof Buffer !== 'undefined') return Buffer.from(hex, 'hex')
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}
