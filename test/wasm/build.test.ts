import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { build } from '../../tools/core.ts'
import { kernels } from '../../tools/kernels.ts'
import { binary as base } from '../../wasm/binary.generated.ts'
import { bytesOf } from '../../wasm/instance.ts'
import * as layout from '../../wasm/layout.ts'
import { binary as relaxed } from './relaxed.generated.ts'

const source = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** The numbers that assembly/memory.ts names, by name: a literal, or the name of one before it. */
const addresses = (text: string): Readonly<Record<string, number>> => {
  const named: Record<string, number> = {}
  for (const [, name = '', value = ''] of text.matchAll(/^export const (\w+): usize = (\w+)(?=\s|$)/gm))
    named[name] = /^\d/.test(value) ? Number(value) : (named[value] ?? Number.NaN)
  return named
}

describe('what is committed', () => {
  it('is what the sources make: the kernels and both builds, byte for byte', { timeout: 60_000 }, async () => {
    const made = await build()
    expect([...made.keys()]).toEqual(['wasm/assembly/kernels.generated.ts', 'wasm/binary.generated.ts', 'test/wasm/relaxed.generated.ts'])
    for (const [path, text] of made) expect(text === source(path), `${path} is another: npm run core`).toBe(true)
  })

  it('has the kernels of tools/kernels.ts', () => {
    expect(kernels()).toBe(source('wasm/assembly/kernels.generated.ts'))
  })

  it.each([
    ['base', base],
    ['relaxed', relaxed],
  ])('%s is a module of at most 24 kB gzip', (_, hex) => {
    const binary = bytesOf(hex)
    expect([...binary.subarray(0, 8)]).toEqual([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
    expect(gzipSync(binary).length).toBeLessThanOrEqual(24_000)
  })

  it('is read from hex in the same way where the engine has no word for it', async () => {
    const { Buffer } = globalThis
    const bytes = bytesOf(base)
    try {
      Reflect.deleteProperty(globalThis, 'Buffer')
      expect([...bytesOf(base)]).toEqual([...bytes])
    } finally {
      globalThis.Buffer = Buffer
    }
  })
})

describe('wasm/layout.ts', () => {
  it('has the addresses of assembly/memory.ts', () => {
    const { SCRATCH, ...named } = addresses(source('wasm/assembly/memory.ts'))
    expect(SCRATCH).toBe(0x1000)
    expect(Object.keys(layout).length).toBeGreaterThan(8)
    expect(named).toMatchObject({ ...layout })
  })

  it('ends where the memory does, which cannot grow', () => {
    const { initialMemory, maximumMemory } = JSON.parse(source('asconfig.json')).options
    expect([initialMemory * 65_536, maximumMemory * 65_536]).toEqual([layout.END, layout.END])
  })
})
