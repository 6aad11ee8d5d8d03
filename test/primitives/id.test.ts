import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type { CoalitionRoot } from '../../client/coalition/root.ts'
import { concat, equal, fromHex, utf8 } from '../../client/primitives/bytes.ts'
import {
  asId,
  type CitizenId,
  type ComponentId,
  type ContentHash,
  checkName,
  citizenId,
  committeeOf,
  derive,
  type GroupId,
  type Id,
  id,
  LengthError,
  NameError,
  type StableId,
  type SurfaceId,
  short,
  surfaceOf,
  toText,
  UNIVERSE,
  type UniqueId,
} from '../../client/primitives/id.ts'
import { hash } from '../../wasm/core.ts'
import { exactly, filled, hexOf, members, vectors } from '../vectors/identity.ts'

describe('UniqueId', () => {
  it('IDN-13 every vector: from text, derived by a label, by two, by itself', () => {
    for (const vector of members(vectors, 'ids')) {
      exactly(vector, ['input', 'uniqueId', 'derive_module', 'derive_module_atlas', 'derive_self'])
      const value = id(String(vector.input))
      expect(toText(value)).toBe(vector.uniqueId)
      expect(toText(derive(value, 'module'))).toBe(vector.derive_module)
      expect(toText(derive(derive(value, 'module'), 'atlas'))).toBe(vector.derive_module_atlas)
      expect(toText(derive(value, value))).toBe(vector.derive_self)
    }
  })

  it('IDN-01 VOC-07 UNIVERSE is the hash of its name', () => {
    expect(toText(UNIVERSE)).toBe('b82b6f3b4a1e53d2d56523f5a7b1974e3842ac37a068cc302286065a8853cf43')
    expect(short(UNIVERSE)).toBe('b82b6f3b4a')
  })

  it('64 hex digits of either case are decoded; 63, 65, a prefix or a newline are hashed', () => {
    const digits = 'B82b6f3b4a1e53d2d56523f5a7b1974e3842ac37a068cc302286065a8853cf43'
    expect(equal(id(digits), fromHex(digits))).toBe(true)
    for (const text of [digits.slice(1), `${digits}0`, `0x${digits}`, `0x${digits.slice(2)}`, `${digits}\n`, ` ${digits.slice(1)}`])
      expect(equal(id(text), hash(utf8(text))), text).toBe(true)
  })

  it('IDN-13 derive joins without a separator and never decodes hex', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        expect(hexOf(derive(UNIVERSE, a + b))).toBe(hexOf(hash(concat(UNIVERSE, utf8(a + b)))))
        expect(hexOf(derive(derive(UNIVERSE, a), b))).not.toBe(hexOf(derive(UNIVERSE, a + b)))
      }),
    )
    const digits = toText(UNIVERSE)
    expect(hexOf(derive(UNIVERSE, digits))).not.toBe(hexOf(derive(UNIVERSE, UNIVERSE)))
    expect(hexOf(derive(UNIVERSE, utf8('atlas')))).toBe(hexOf(derive(UNIVERSE, 'atlas')))
  })

  it('a lone surrogate has no id', () => {
    for (const text of ['\ud800', 'a\udc00b']) expect(() => id(text)).toThrow(/surrogate/)
    expect(() => derive(UNIVERSE, '\udfff')).toThrow(/surrogate/)
  })

  it('IDN-31 a citizen id is the first 20 bytes of a stable id, in memory of its own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (raw) => {
        for (const given of [raw, Buffer.from(raw)]) {
          const citizen = citizenId(asId<'StableId'>(given))
          expect(citizen).toHaveLength(20)
          expect([...citizen]).toEqual([...raw.slice(0, 20)])
          expect(citizen.buffer).not.toBe(given.buffer)
        }
      }),
    )
  })

  it('bytes of another length are no id', () => {
    for (const length of [0, 20, 31, 33, 64]) expect(() => asId(new Uint8Array(length))).toThrow(LengthError)
    expect(() => asId('b8'.repeat(16) as unknown as Uint8Array)).toThrow(LengthError)
  })

  it('committee and surface are one derivation below their component', () => {
    const component = filled<'ConfigId'>(7)
    expect(hexOf(committeeOf(component))).toBe(hexOf(hash(concat(component, utf8('committee')))))
    expect(hexOf(surfaceOf(component, 'refunds'))).toBe(hexOf(hash(concat(component, utf8('refunds')))))
    expect(() => surfaceOf(component, 'a|b')).toThrow(NameError)
  })
})

describe('the name grammar', () => {
  const problem = (name: string): { offset: number; problem: string } | null => {
    try {
      checkName(name)
      return null
    } catch (error) {
      expect(error).toBeInstanceOf(NameError)
      expect((error as NameError).name).toBe('Identity.NameError')
      return { offset: (error as NameError).offset, problem: (error as NameError).problem }
    }
  }

  it('CFG-02 CFG-13 takes the names of the documents', () => {
    const names = [
      'ethereum.mainnet',
      'unichain.mainnet',
      'base.testnet',
      'ethereum.superchain',
      'signals.euro-fx',
      'oracle.γ',
      ' ',
      '\u007f',
      '\ufeffx',
    ]
    for (const name of names) expect(checkName(name)).toBe(name)
  })

  it('CFG-02 refuses, and says at which byte', () => {
    expect(problem('')).toEqual({ offset: 0, problem: 'is empty' })
    expect(problem('a|b')).toEqual({ offset: 1, problem: 'has a |' })
    expect(problem('γ\u001f')).toEqual({ offset: 2, problem: 'has a control character' })
    expect(problem('ab\n')?.offset).toBe(2)
    expect(problem('𝄞\u0000')?.offset).toBe(4)
    expect(problem('x'.repeat(64))).toBeNull()
    expect(problem('x'.repeat(65))).toEqual({ offset: 64, problem: 'is longer than 64 bytes' })
    expect(problem('γ'.repeat(32))).toBeNull()
    expect(problem(`${'γ'.repeat(32)}.`)?.offset).toBe(64)
    expect(problem(`${'γ'.repeat(31)}.𝄞`)?.offset).toBe(64)
    expect(problem('cafe\u0301')).toEqual({ offset: 3, problem: 'is not in normal form C' })
    expect(problem('caf\u00e9')).toBeNull()
    expect(problem('ok\u212b')?.offset).toBe(2)
    expect(problem('a\ud800b')).toEqual({ offset: 1, problem: 'has a lone surrogate' })
    expect(problem('\udc00')?.problem).toBe('has a lone surrogate')
    expect(problem(undefined as unknown as string)?.problem).toBe('is not text')
  })

  it('CFG-02 accepts exactly the texts of the grammar', () => {
    const wanted = (name: string): boolean => {
      const size = Buffer.byteLength(name)
      return (
        size >= 1 &&
        size <= 64 &&
        name === name.normalize('NFC') &&
        ![...name].some((character) => character < ' ' || character === '|') &&
        !/\p{Surrogate}/u.test(name)
      )
    }
    const unit = fc.oneof(
      { weight: 4, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
      {
        weight: 2,
        arbitrary: fc.constantFrom('a', 'e', '\u0301', '|', '\u001f', '\u0020', '\ud800', '\udc00', '\u1100', '\u1161', '\u0958'),
      },
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 24 }), (parts) => {
        const name = parts.join('')
        expect(problem(name) === null, JSON.stringify(name)).toBe(wanted(name))
      }),
      { numRuns: 3_000 },
    )
  })

  it('a name of megabytes does not end in the error', () => {
    expect(() => checkName('x'.repeat(2_000_000))).toThrow(/^.{0,200}$/)
  })
})

describe('brands', () => {
  it('VOC-08 THR-18 no kind of id is another kind, in the types', () => {
    const stable = filled<'StableId'>(1)
    const content = filled<'ContentHash'>(2)
    const takesStable = (value: StableId): number => value.length
    const takesComponent = (value: ComponentId): number => value.length
    // @ts-expect-error a content hash is no stable id
    takesStable(content)
    // @ts-expect-error a stable id derives no committee
    takesComponent(stable)
    // @ts-expect-error plain bytes are no id
    takesStable(new Uint8Array(32))
    // @ts-expect-error a root is no component: nothing lives under it but modules
    takesComponent(filled<'CoalitionRoot'>(3))
    expect(takesStable(stable)).toBe(32)

    expectTypeOf<ContentHash>().not.toExtend<StableId>()
    expectTypeOf<StableId>().not.toExtend<ContentHash>()
    expectTypeOf<StableId>().not.toExtend<UniqueId>()
    expectTypeOf<UniqueId>().not.toExtend<GroupId>()
    expectTypeOf<GroupId>().not.toExtend<SurfaceId>()
    expectTypeOf<StableId>().not.toExtend<CitizenId>()
    expectTypeOf<CoalitionRoot>().not.toExtend<StableId | GroupId | UniqueId | ComponentId>()
    expectTypeOf<StableId>().toExtend<Id>()
    expectTypeOf<StableId>().toExtend<Uint8Array>()
  })
})
