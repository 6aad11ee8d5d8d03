import type { Bytes } from '../../client/primitives/bytes.ts'
import type { Instance } from '../../wasm/instance.ts'
import { DIGESTS, END, INPUT, RESULT, SIDES } from '../../wasm/layout.ts'
import type { Format } from '../../wasm/reading.ts'
import { below, type Draw } from './_seeded.ts'

// A reader of the core called directly, on an input that lies anywhere. A trap ends wasm only outside its memory: inside, an answer that
// depends on what lies around the input is what shows that a reader looked there.

export type Reader = Format['reader']

/** Longest input, in bytes. A reader's list in DIGESTS is shorter than what it lists. */
export const LONGEST = 0x10000

/** A core to read in, where its readers leave their answers, and one answer kept to compare others with. */
export interface Placed {
  readonly core: Instance
  readonly result: Bytes
  readonly list: Bytes
  readonly keptResult: Bytes
  readonly keptList: Bytes
}

/** Where inputs are put: each leaves the zone as it was, full of one byte. The last one ends where memory does. */
const ZONES = [
  { from: INPUT, to: INPUT + 0x18000, filler: 0x00 },
  { from: INPUT + 0x18000, to: INPUT + 0x30000, filler: 0xff },
  { from: INPUT + 0x30000, to: END, filler: 0x5a },
] as const

/** Bytes of a zone on either side of an input. */
const MARGIN = 256

/** Before a reading, so that what it left out is the same in every answer. */
const UNWRITTEN = 0xa5

export const placed = (core: Instance): Placed => {
  const { bytes } = core
  for (const { from, to, filler } of ZONES) bytes.fill(filler, from, to)
  const result = bytes.subarray(RESULT, SIDES)
  const list = bytes.subarray(DIGESTS, DIGESTS + LONGEST)
  return { core, result, list, keptResult: new Uint8Array(result.length), keptList: new Uint8Array(LONGEST) }
}

const keep = ({ result, list, keptResult, keptList }: Placed, length: number): void => {
  keptResult.set(result)
  keptList.set(list.subarray(0, length))
}

const isKept = ({ result, list, keptResult, keptList }: Placed, length: number): boolean =>
  Buffer.compare(keptResult, result) === 0 && Buffer.compare(keptList.subarray(0, length), list.subarray(0, length)) === 0

/** One reading, after which the zone is as it was. What is wrong with it, or null. */
const readAt = ({ core, result, list }: Placed, reader: Reader, input: Bytes, at: number, filler: number): string | null => {
  const { length } = input
  const place = core.bytes.subarray(at, at + length)
  place.set(input)
  result.fill(UNWRITTEN)
  list.fill(UNWRITTEN, 0, length)
  try {
    core.exports[reader](at, length)
    return Buffer.compare(place, input) === 0 ? null : 'writes into its input'
  } finally {
    place.fill(filler)
  }
}

/** Reads the input in three places, each time between other bytes, at last at the end of memory. What is wrong with the answers, or null. */
export const judge = (all: Placed, draw: Draw, reader: Reader, input: Bytes): string | null => {
  const { length } = input
  for (const [i, { from, to, filler }] of ZONES.entries()) {
    // Any address: alignment must change nothing.
    const at = to === END ? END - length : from + MARGIN + below(draw, to - from - length - 2 * MARGIN)
    const problem = readAt(all, reader, input, at, filler)
    if (problem !== null) return problem
    if (i === 0) keep(all, length)
    else if (!isKept(all, length)) return `answers otherwise at ${at.toString(16)} between bytes ${filler.toString(16)}`
  }
  const [problem = 0, , offset = 0] = all.core.words.subarray(RESULT >> 2)
  return problem === 0 || offset <= length ? null : `refuses at byte ${offset} of ${length}`
}

/** Whether the last reading gave a value. */
export const isRead = ({ core: { words } }: Placed): boolean => words[RESULT >> 2] === 0

/** Offsets at which another byte makes another answer: sizes, types, tags, and what else a reader looks at. */
export const jointsOf = (all: Placed, reader: Reader, input: Bytes): readonly number[] => {
  const [{ from, filler }] = ZONES
  readAt(all, reader, input, from, filler)
  keep(all, input.length)
  const found: number[] = []
  const changed = input.slice()
  for (const [at, byte] of input.entries()) {
    changed[at] = byte ^ 0xff
    readAt(all, reader, changed, from, filler)
    if (!isKept(all, input.length)) found.push(at)
    changed[at] = byte
  }
  return found
}
