import { afterEach, describe, expect, it, vi } from 'vitest'
import { concat, toHex, utf8 } from '../../client/primitives/bytes.ts'
import { hash, hashLeaf, hashLeaves, hashNode, hashText, implementation } from '../../wasm/core.ts'
import { coreCases } from './_core-cases.ts'

// Input of the BLAKE3 team's test_vectors.json: bytes 0, 1, … 250, 0, 1, …; the hash column, cut to 32 bytes.
const counted = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251)
const OFFICIAL: readonly (readonly [number, string])[] = [
  [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
  [1023, '10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11'],
  [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
  [1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'],
  [2048, 'e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a'],
]

describe('BLAKE3', () => {
  it.each(OFFICIAL)('%i bytes', (length, expected) => {
    expect(toHex(hash(counted(length)))).toBe(expected)
  })

  it('parts hash as their concatenation, wherever they are cut, and no parts as nothing', () => {
    const whole = counted(2500)
    for (const cut of [0, 1, 64, 1023, 1024, 1025, 2500]) {
      expect(hash(whole.slice(0, cut), whole.slice(cut))).toEqual(hash(whole))
    }
    expect(hash(...Array.from(whole, (byte) => Uint8Array.of(byte)))).toEqual(hash(whole))
    expect(hash()).toEqual(hash(new Uint8Array(0)))
  })

  it('reads a view and no further, and gives memory of its own', () => {
    const room = counted(300)
    const digest = hash(room.subarray(100, 164))
    expect(digest).toEqual(hash(room.slice(100, 164)))
    const before = toHex(digest)
    hash(counted(5))
    expect(toHex(digest)).toBe(before)
    expect(digest.buffer.byteLength).toBe(32)
  })
})

describe('text', () => {
  it('is hashed as UTF-8, byte order mark and characters beyond U+FFFF included', () => {
    for (const text of ['', 'atlas', 'ünïcode', '\u{1f9ff}', '\ufeffmarked']) expect(hashText(text)).toEqual(hash(utf8(text)))
    expect(hashText('\ufeffa')).not.toEqual(hashText('a'))
  })

  it.each(['\ud800', 'a\udc00b', '\udc00\ud800', '\u{1f9ff}\ud83e'])('with a lone surrogate has no hash: %j', (text) => {
    expect(() => hashText(text)).toThrow(TypeError)
  })
})

describe('tree hashes (RFC 6962 section 2.1)', () => {
  const [left, right] = [hash(utf8('left')), hash(utf8('right'))]

  it('put 0x00 before a leaf and 0x01 before a node', () => {
    expect(hashLeaf(utf8('item'))).toEqual(hash(concat(Uint8Array.of(0), utf8('item'))))
    expect(hashNode(left, right)).toEqual(hash(concat(Uint8Array.of(1), left, right)))
    expect(hashNode(left, right)).not.toEqual(hashNode(right, left))
  })

  it('keep a node apart from the item that its children spell', () => {
    expect(hashNode(left, right)).not.toEqual(hashLeaf(concat(left, right)))
  })

  it('of a batch are those of its items, in order', () => {
    const items = [utf8(''), utf8('a'), counted(2000)]
    expect(hashLeaves(items)).toEqual(items.map((item) => hashLeaf(item)))
    expect(hashLeaves([])).toEqual([])
  })
})

describe('the core of this process', () => {
  it('is the wasm one', () => {
    expect(implementation()).toBe('wasm')
  })

  coreCases(() => import('../../wasm/core.ts'))
})

class Refused {
  constructor() {
    throw new Error("WebAssembly.Module(): violates the page's policy")
  }
}

/** An engine without SIMD. */
class Unknown {
  constructor() {
    throw new WebAssembly.CompileError('invalid value type')
  }
}

const { Module, Instance } = WebAssembly

describe.each([
  ['has no WebAssembly', undefined],
  ['has no SIMD', { Module: Unknown, Instance }],
  ["may not compile by the page's policy", { Module: Refused, Instance }],
  ['may not start what it compiled', { Module, Instance: Refused }],
])('where the engine %s', (_, engine) => {
  const load = async () => {
    vi.resetModules()
    vi.stubGlobal('WebAssembly', engine)
    return import('../../wasm/core.ts')
  }
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  it('the library hashes, and says so', async () => {
    const core = await load()
    expect(core.implementation()).toBe('fallback')
    expect(toHex(core.hash(counted(1)))).toBe('2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213')
    expect(core.implementation()).toBe('fallback')
  })

  it('nothing is read', async () => {
    await load()
    const { read } = await import('../../wasm/reading.ts')
    const certificate = { name: 'certificate', reader: 'readCertificate', problems: [], paths: [] } as const
    expect(() => read(certificate, counted(100))).toThrow(
      expect.objectContaining({ name: 'Core.UnsupportedError', message: expect.stringContaining("'wasm-unsafe-eval'") }),
    )
  })

  coreCases(load)
})

describe('without an engine the choice is made once', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  it('and an engine that comes later is not asked', async () => {
    vi.resetModules()
    vi.stubGlobal('WebAssembly', undefined)
    const core = await import('../../wasm/core.ts')
    core.hash()
    vi.unstubAllGlobals()
    expect(core.implementation()).toBe('fallback')
  })
})
