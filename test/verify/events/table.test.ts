import { describe, expect, it } from 'vitest'
import { type Bytes, concat, utf8 } from '../../../client/primitives/bytes.ts'
import { readCcelTable } from '../../../client/verify/events/index.ts'
import { u32, u64 } from './_log-writer.ts'

const table = (signature = 'CCEL', length = 56, type = 2): Bytes => {
  const bytes = concat(
    utf8(signature),
    u32(length),
    Uint8Array.of(1, 0),
    utf8('MAKER TABLE   '),
    new Uint8Array(12),
    Uint8Array.of(type, 0, 0, 0),
    u64(0x4_0000n),
    u64(0xbedb_f000n),
  )
  bytes[9] = -bytes.reduce((sum, byte) => sum + byte, 0)
  return bytes
}

const path = (bytes: Bytes): unknown => {
  try {
    return readCcelTable(bytes)
  } catch (error) {
    expect(error).toMatchObject({ name: 'Verify.EventLogError' })
    return (error as { readonly path?: unknown }).path
  }
}

describe('CCEL table, ACPI 6.5 section 5.2.34', () => {
  it('says where the log lies', () => {
    expect(readCcelTable(table())).toEqual({ length: 0x4_0000n, address: 0xbedb_f000n })
  })

  it('refuses another table, another length, another TEE, a sum that is not zero and bytes after it', () => {
    expect(path(table('TPM2'))).toBe('table.signature')
    expect(path(table('CCEL', 57))).toBe('table.length')
    expect(path(table('CCEL', 56, 1))).toBe('table.ccType')
    expect(path(table().with(10, 0x21) as Bytes)).toBe('table.checksum')
    expect(path(concat(table(), Uint8Array.of(0)))).toBe('table.length')
    for (let length = 0; length < 56; length++) expect(path(table().subarray(0, length))).toMatch(/^table\.(signature|length)$/)
  })
})
