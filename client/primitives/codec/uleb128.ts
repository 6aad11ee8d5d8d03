import { type Reader, Refusal, take, type Writer } from './shape.ts'

// Seven bits a byte, least significant first, the top bit set on all but the last (DWARF 5 section 7.6). BCS uses it for lengths, counts and
// variant indexes, within u32 and in the shortest form only: a zero at the end would be a second encoding of the same value.

const U32_MAX = 0xffff_ffff

/** @throws Refusal unless the number is at most 2^32−1 and in its shortest form; its offset is that of the first byte. */
export const readUleb128 = (reader: Reader): number => {
  const start = reader.pos
  let value = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = reader.leftBytes > 0 ? reader.byte() : (take(reader, 1)[0] as number)
    // Not a shift: from the fifth byte on it would lose bits, and 2^32 would read as 0.
    value += (byte & 0x7f) * scale
    if (value > U32_MAX) throw new Refusal('ULEB128 above 2^32−1', start)
    if (byte < 0x80) {
      if (byte === 0 && scale > 1) throw new Refusal('ULEB128 not in its shortest form', start)
      return value
    }
    // A fifth byte that promises a sixth: either too large or padded, and without this line a run of 0x80 would be read to its end.
    if (scale === 128 ** 4) throw new Refusal('ULEB128 longer than 5 bytes', start)
  }
}

/** @param value an integer, 0 … 2^32−1: lengths and declared indexes always are. */
export const writeUleb128 = (writer: Writer, value: number): void => {
  let rest = value
  while (rest >= 0x80) {
    writer.byte((rest % 128) | 0x80)
    rest = Math.floor(rest / 128)
  }
  writer.byte(rest)
}

/** A length or count, held against its limit and against the input that is left, before anything is allocated for it. */
export const readLength = (reader: Reader, max: number, what: string, min = 0, least = 1): number => {
  const start = reader.pos
  const length = readUleb128(reader)
  if (length > max) throw new Refusal(`${length} ${what}, at most ${max}`, start)
  if (length < min) throw new Refusal(`${length} ${what}, at least ${min}`, start)
  if (length * least > reader.leftBytes) throw new Refusal(`${length} ${what} do not fit, bytes left: ${reader.leftBytes}`, start)
  return length
}
