import { describe, expect, it } from 'vitest'
import { type Bytes, concat, utf8 } from '../../../client/primitives/bytes.ts'
import { textOf } from '../../../client/verify/events/text.ts'
import { typeNameOf } from '../../../client/verify/events/types.ts'
import { NONE, u16, u32, u64, ucs2, variable } from './_log-writer.ts'

const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
const described = (text: string): Bytes => concat(Uint8Array.of(text.length), utf8(text))
const node = (kind: number, data: Bytes, size = data.length + 4): Bytes => concat(u16(kind), u16(size), data)
const image = (path: Bytes, size = BigInt(path.length)): Bytes => concat(u64(1n), u64(925_712n), u64(0n), u64(size), path)

describe('what an event says, TCG PFP section 10.4.1', () => {
  it.each([
    [0x4, u32(0), 'end of a stage'],
    [0x4, u32(-1), 'end of a stage'],
    [0x4, utf8('bad memory'), 'end of a stage after an error: bad memory'],
    [0x8000_0001, variable('SecureBoot', Uint8Array.of(1)), `variable SecureBoot = 1 (${GLOBAL})`],
    [0x8000_0001, variable('PK', NONE), `variable PK of 0 bytes (${GLOBAL})`],
    [0x8000_00e0, variable('db', new Uint8Array(900)), `variable db of 900 bytes (${GLOBAL})`],
    [0x8000_0003, image(node(0x0404, ucs2('\\EFI\\BOOT\0'))), 'image of 925712 bytes from \\EFI\\BOOT'],
    [0x8000_0003, image(concat(node(0x0102, NONE), node(0xff7f, NONE))), 'image of 925712 bytes'],
    [0x8000_0006, concat(new Uint8Array(92), u64(12n)), 'partition table with 12 partitions'],
    [0x8000_000a, concat(described('Fv(X)'), u64(0xffe0_0000n), u64(0x2_0000n)), 'Fv(X), 131072 bytes at 0xffe00000'],
    [0x8000_000b, concat(described('TdxTable'), u64(1n)), 'table TdxTable'],
    [0x8000_0007, utf8('Exit Boot Services Invocation'), 'Exit Boot Services Invocation'],
    [0xd, utf8('grub_cmd: set timeout=0\0'), 'grub_cmd: set timeout=0'],
    [0xd, ucs2('quiet splash\0'), 'quiet splash'],
    [0xd, Uint8Array.of(1, 2, 3), '3 bytes'],
    [0x1, NONE, 'no data'],
  ])('type %i', (type, data, text) => {
    expect(textOf(type, data)).toBe(text)
  })

  it('tells data that are not what the type says by their size', () => {
    const lengths = concat(new Uint8Array(16), u64(0xffff_ffff_ffff_ffffn), u64(0n))
    expect(textOf(0x8000_0001, lengths)).toBe('32 bytes')
    expect(textOf(0x8000_0003, image(NONE, 1n << 40n))).toBe('32 bytes')
    expect(textOf(0x8000_0006, new Uint8Array(99))).toBe('99 bytes')
    expect(textOf(0x8000_000a, described('no range'))).toBe('9 bytes')
  })

  it('stops at a device path node shorter than its header or longer than what is left', () => {
    for (const size of [0, 3, 200]) expect(textOf(0x8000_0004, image(node(0x0404, ucs2('x'), size)))).toBe('image of 925712 bytes')
  })

  it('prints no control, no escape, nothing beyond ASCII and no more than 200 characters', () => {
    const hostile = ['\u001b[2J', '\u202egnp', '\u0007', 'é', '\ud83d\ude00', '\n']
    for (const text of hostile)
      for (const data of [variable(text, NONE), concat(described(text), u64(0n), u64(0n))])
        for (const type of [0x8000_0001, 0x8000_000a, 0x8000_000b, 0xd, 0x4]) expect(textOf(type, data)).toMatch(/^[ -~]*…?$/)
    const files = concat(...Array.from({ length: 50 }, () => node(0x0404, ucs2('x'.repeat(100)))))
    for (const [type, data] of [
      [0xd, utf8('a'.repeat(5000))],
      [0x8000_0005, image(files)],
      [0x8000_0001, variable('n'.repeat(500), NONE)],
    ] as const) {
      expect(textOf(type, data).length).toBeLessThanOrEqual(200)
      expect(textOf(type, data)).toContain('…')
    }
  })

  it('names types as the profile does, others by their number', () => {
    expect([0x3, 0xd, 0x8000_00e0].map(typeNameOf)).toEqual(['EV_NO_ACTION', 'EV_IPL', 'EV_EFI_VARIABLE_AUTHORITY'])
    expect([0x99, 0xffff_ffff].map(typeNameOf)).toEqual(['0x00000099', '0xffffffff'])
  })
})
