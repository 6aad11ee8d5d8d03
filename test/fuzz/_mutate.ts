import { type Bytes, concat } from '../../client/primitives/bytes.ts'
import type { Codec } from '../../client/primitives/codec.ts'
import { below, chance, type Draw, pick } from './_seeded.ts'

// Changes to bytes. Most of an encoding is hashes, where every change is alike; so half of the changes go to its joints, if they are known.

export interface Hints {
  /** Offsets at which something begins: lengths, counts, indexes, numbers. */
  readonly joints?: readonly number[]
  /** Other inputs to take parts of. */
  readonly others?: readonly Bytes[]
}

/** A reader that notes every offset at which a codec reads: at each of them something of the encoding begins. */
export const jointsOf = (codec: Codec<unknown>, input: Bytes): readonly number[] => {
  const found = new Set<number>()
  const reader = {
    pos: 0,
    get leftBytes(): number {
      return input.length - reader.pos
    },
    byte: (): number => reader.bytes(1)[0] as number,
    bytes: (size: number, peek = false): Bytes => {
      found.add(reader.pos)
      const taken = input.subarray(reader.pos, reader.pos + size)
      if (!peek) reader.pos += size
      return taken
    },
  }
  try {
    codec.read(reader as never)
  } catch {
    // Another type's encoding: as far as it was read.
  }
  return [...found]
}

/** Bytes in which a sign, a continuation or a limit turns over. */
const EDGES = [0, 1, 2, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xf7, 0xf8, 0xfe, 0xff]

type Change = (draw: Draw, input: Bytes, hints: Hints) => Bytes

/** An offset below `size`, at a joint every other time. */
const place = (draw: Draw, size: number, { joints = [] }: Hints): number => {
  const near = joints.length > 0 && chance(draw, 0.5) ? pick(draw, joints) : below(draw, size)
  return Math.min(near, Math.max(0, size - 1))
}

const stretch = (draw: Draw, size: number, hints: Hints): readonly [number, number] => {
  const from = place(draw, size, hints)
  const length = chance(draw, 0.5) ? 1 + below(draw, 8) : pick(draw, [8, 16, 20, 32, 64, 1 + below(draw, Math.max(1, size))])
  return [from, Math.min(size, from + length)]
}

const noise = (draw: Draw, size: number): Bytes => {
  const bytes = new Uint8Array(size)
  const same = chance(draw, 0.3) ? pick(draw, EDGES) : null
  for (let i = 0; i < size; i++) bytes[i] = same ?? below(draw, 256)
  return bytes
}

const replaced = (input: Bytes, from: number, to: number, part: Bytes): Bytes => concat(input.subarray(0, from), part, input.subarray(to))

const flip: Change = (draw, input, hints) => {
  const changed = input.slice()
  const at = place(draw, input.length, hints)
  changed[at] = (changed[at] ?? 0) ^ (1 << below(draw, 8))
  return changed
}

const set: Change = (draw, input, hints) => {
  const changed = input.slice()
  changed[place(draw, input.length, hints)] = chance(draw, 0.7) ? pick(draw, EDGES) : below(draw, 256)
  return changed
}

const truncate: Change = (draw, input, hints) => input.slice(0, place(draw, input.length, hints))

const extend: Change = (draw, input) => concat(input, noise(draw, 1 + below(draw, chance(draw, 0.1) ? 2_000 : 12)))

const remove: Change = (draw, input, hints) => replaced(input, ...stretch(draw, input.length, hints), new Uint8Array(0))

const repeat: Change = (draw, input, hints) => {
  const [from, to] = stretch(draw, input.length, hints)
  return replaced(input, to, to, input.slice(from, to))
}

/** Two neighbouring stretches change places. */
const swap: Change = (draw, input, hints) => {
  const [from, middle] = stretch(draw, input.length, hints)
  const [, to] = stretch(draw, input.length, hints)
  const end = Math.max(middle, to)
  return concat(input.subarray(0, from), input.subarray(middle, end), input.subarray(from, middle), input.subarray(end))
}

/** The beginning of this and the end of another, or a part of another over a part of this. */
const splice: Change = (draw, input, hints) => {
  const { others = [input] } = hints
  const other = pick(draw, others)
  const at = place(draw, input.length, hints)
  if (chance(draw, 0.5)) return concat(input.subarray(0, at), other.subarray(below(draw, other.length + 1)))
  const from = below(draw, other.length + 1)
  const part = other.slice(from, from + pick(draw, [1, 4, 8, 20, 32, 33]))
  return replaced(input, at, chance(draw, 0.5) ? at : Math.min(input.length, at + part.length), part)
}

/** ULEB128 of any number below 2^35, padded to `least` bytes: padding makes another form of the same number. */
export const uleb = (value: number, least = 1): Bytes => {
  const bytes: number[] = []
  for (let rest = value; bytes.length < least || rest > 0; rest = Math.floor(rest / 128)) bytes.push(rest % 128)
  return Uint8Array.from(bytes, (byte, i) => (i < bytes.length - 1 ? byte | 0x80 : byte))
}

/** What stands at an offset, read as a length: its value and where it ends. */
const lengthAt = (input: Bytes, at: number): readonly [value: number, end: number] => {
  let value = 0
  for (let i = 0; i < 5; i++) {
    const byte = input[at + i]
    if (byte === undefined) break
    value += (byte & 0x7f) * 128 ** i
    if (byte < 0x80) return [value, at + i + 1]
  }
  return [0, Math.min(input.length, at + 1)]
}

/** A length prefix says something else, or the same in another form. */
const length: Change = (draw, input, hints) => {
  const at = place(draw, input.length, hints)
  const [value, end] = lengthAt(input, at)
  const left = input.length - end
  const other = pick(draw, [
    value + 1,
    Math.max(0, value - 1),
    0,
    left,
    left + 1,
    127,
    128,
    1_024,
    65_535,
    65_536,
    2 ** 20,
    2 ** 32 - 1,
    2 ** 32,
  ])
  return replaced(input, at, end, chance(draw, 0.15) ? uleb(value, 2 + below(draw, 4)) : uleb(other))
}

const CHANGES: readonly Change[] = [flip, flip, set, set, truncate, extend, remove, repeat, swap, splice, length, length, length]

/** The input after one to four changes; now and then it comes out as it was. */
export const mutate = (draw: Draw, input: Bytes, hints: Hints = {}): Bytes => {
  let changed = input
  do {
    changed = pick(draw, CHANGES)(draw, changed, hints)
  } while (chance(draw, 0.4))
  return changed
}

/** A count grown to `count`, with as many copies of a few bytes after it: what a sender does who wants much made of little. */
export const swell = (draw: Draw, input: Bytes, most: number, hints: Hints = {}): Bytes => {
  const at = place(draw, input.length, hints)
  const [, end] = lengthAt(input, at)
  const unit = chance(draw, 0.5) ? new Uint8Array(1 + below(draw, 4)) : input.slice(end, end + 1 + below(draw, 80))
  const count = Math.min(pick(draw, [1_024, 4_096, 65_535, 65_535]), Math.floor((most - input.length) / Math.max(1, unit.length)))
  const copies = new Uint8Array(Math.max(0, count) * unit.length)
  for (let i = 0; i < copies.length; i += Math.max(1, unit.length)) copies.set(unit, i)
  return replaced(input, at, end, concat(uleb(Math.max(0, count)), copies))
}
