import { describe, it } from 'vitest'
import { createBlake3 } from '../../wasm/blake3.ts'
import { fallback } from '../../wasm/fallback.ts'
import type { Blake3, Bytes } from '../../wasm/hashing.ts'
import { bytesOf, type Instance, instantiate } from '../../wasm/instance.ts'
import { random } from '../random.ts'
import { binary as relaxed } from './relaxed.generated.ts'

/** A build of the core with an instance of its own; the library has none. */
export interface Implementation {
  readonly name: 'base' | 'relaxed' | 'fallback'
  readonly blake3: Blake3
  readonly core: Instance | null
}

/** Registers the cases for each build that this engine takes, and says aloud which it does not. */
export const onEachBuild = (cases: (core: Instance, blake3: Blake3, name: 'base' | 'relaxed') => void): void => {
  const base = instantiate()
  describe('base', () => cases(base, createBlake3(base), 'base'))
  if (WebAssembly.validate(bytesOf(relaxed))) {
    const core = instantiate(relaxed)
    describe('relaxed', () => cases(core, createBlake3(core), 'relaxed'))
    return
  }
  console.warn('the relaxed build is not tested here: this engine does not take it')
  it.skip('relaxed: this engine does not take it')
}

/** The same for the builds and the library. */
export const onEach = (cases: (implementation: Implementation) => void): void => {
  onEachBuild((core, blake3, name) => cases({ name, blake3, core }))
  describe('fallback', () => cases({ name: 'fallback', blake3: fallback, core: null }))
}

/** The official vectors' input: bytes 0, 1, … 250, 0, 1, … */
export const counted = (length: number): Bytes => Uint8Array.from({ length }, (_, i) => i % 251)

/** Numbers and bytes from a seed. */
export const seeded = (seed: number) => {
  const draw = random(seed)
  const below = (n: number): number => Math.floor(draw() * n)
  const bytes = (length: number): Bytes => {
    const filled = new Uint8Array(length)
    const words = new Uint32Array(filled.buffer, 0, length >> 2)
    for (let i = 0; i < words.length; i++) words[i] = draw() * 2 ** 32
    for (let i = words.length << 2; i < length; i++) filled[i] = below(256)
    return filled
  }
  return { below, bytes }
}
