import { type Bytes, concat } from '../../../client/primitives/bytes.ts'
import { H3, Http3Error } from './codes.ts'
import { readHuffman } from './huffman.ts'
import { type Field, STATIC_TABLE } from './static-table.ts'

// QPACK (RFC 9204) without a dynamic table: SETTINGS announces a capacity of 0, so that a peer may use the static table and literals only,
// and nothing that one request says is kept for another.

/** A field section is refused above these. A browser's CONNECT has about 10 fields and 300 bytes. */
export const FIELD_LIMITS = {
  fields: 64,
  /** Bytes of names and values, and 32 a field, as RFC 9114 section 4.2.2 counts them. */
  size: 16_384,
} as const

const FIELD_COST = 32

/**
 * The fields of a section, in their order.
 * @throws Http3Error with QPACK_DECOMPRESSION_FAILED, or H3_EXCESSIVE_LOAD above FIELD_LIMITS
 */
export const readFields = (section: Uint8Array): readonly Field[] => {
  const reader = new SectionReader(section)
  // Section 4.5.1: how many entries of the dynamic table are needed, and a base that is then below none of them.
  if (reader.int(8) !== 0) throw reader.error('needs a dynamic table, and none was offered', 0)
  if (reader.peek() & 0x80) throw reader.error('has a base below nothing')
  reader.int(7)
  const fields: Field[] = []
  let size = 0
  while (!reader.isEmpty) {
    const field = readField(reader)
    size += field[0].length + field[1].length + FIELD_COST
    if (fields.length === FIELD_LIMITS.fields || size > FIELD_LIMITS.size)
      throw new Http3Error(H3.excessiveLoad, PLACE, reader.offset, `more than ${FIELD_LIMITS.fields} fields or ${FIELD_LIMITS.size} bytes`)
    fields.push(field)
  }
  return fields
}

// Sections 4.5.2 to 4.5.6, told apart by the first bits of a line.
const readField = (reader: SectionReader): Field => {
  const first = reader.peek()
  if (first & 0x80) {
    if (!(first & 0x40)) throw reader.error('names an entry of the dynamic table')
    return reader.entry(6)
  }
  if (first & 0x40) {
    if (!(first & 0x10)) throw reader.error('names an entry of the dynamic table')
    const [name] = reader.entry(4)
    return [name, reader.text(7)]
  }
  if (first & 0x20) {
    const name = reader.text(3)
    return [name, reader.text(7)]
  }
  throw reader.error('names an entry of the dynamic table')
}

const PLACE = 'field section'

class SectionReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get offset(): number {
    return this.#at
  }

  get isEmpty(): boolean {
    return this.#at >= this.#bytes.length
  }

  peek(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw this.error('ends too early')
    return byte
  }

  /** An integer whose first byte has it in its lowest `bits` (RFC 7541 section 5.1). Nothing here is beyond 28 bits. */
  int(bits: number): number {
    const most = (1 << bits) - 1
    const start = this.#at
    let value = this.peek() & most
    this.#at += 1
    if (value < most) return value
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.peek()
      this.#at += 1
      value += (byte & 0x7f) << shift
      if (!(byte & 0x80)) return value
    }
    throw this.error('an integer of more than 28 bits', start)
  }

  entry(bits: number): Field {
    const start = this.#at
    const entry = STATIC_TABLE[this.int(bits)]
    if (entry === undefined) throw this.error('names an entry beyond the static table', start)
    return entry
  }

  /** A string whose length is in the lowest `bits` of its first byte; the bit above them says that it is in Huffman code. */
  text(bits: number): string {
    const isHuffman = (this.peek() & (1 << bits)) !== 0
    const length = this.int(bits)
    const start = this.#at
    if (this.#bytes.length - start < length) throw this.error(`a string of ${length} bytes ends too early`)
    const bytes = this.#bytes.subarray(start, start + length)
    this.#at += length
    if (!isHuffman) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    const text = readHuffman(bytes)
    if (text === null) throw this.error('is no Huffman code', start)
    return text
  }

  error(problem: string, at = this.#at): Http3Error {
    return new Http3Error(H3.decompression, PLACE, at, problem)
  }
}

/** A section of these fields: an entry of the static table where there is one, else a literal. Ours only: a few short fields. */
export const writeFields = (fields: readonly Field[]): Bytes => {
  const lines = fields.map(([name, value]) => {
    const index = STATIC_TABLE.findIndex((entry) => entry[0] === name && entry[1] === value)
    if (index >= 0) return int(0xc0, 6, index)
    const known = STATIC_TABLE.findIndex((entry) => entry[0] === name)
    return known >= 0 ? concat(int(0x50, 4, known), text(0, 7, value)) : concat(text(0x20, 3, name), text(0, 7, value))
  })
  return concat(Uint8Array.of(0, 0), ...lines)
}

const int = (flags: number, bits: number, value: number): Bytes => {
  const most = (1 << bits) - 1
  if (value < most) return Uint8Array.of(flags | value)
  const bytes = [flags | most]
  let left = value - most
  for (; left >= 0x80; left >>= 7) bytes.push((left & 0x7f) | 0x80)
  return Uint8Array.of(...bytes, left)
}

const text = (flags: number, bits: number, value: string): Bytes => concat(int(flags, bits, value.length), Buffer.from(value, 'latin1'))
