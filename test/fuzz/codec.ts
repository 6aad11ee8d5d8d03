import { getHeapStatistics } from 'node:v8'
import { CoalitionError, isError } from '../../client/error.ts'
import { type Bytes, equal } from '../../client/primitives/bytes.ts'
import { type Codec, type DecodeError, decode, encode } from '../../client/primitives/codec.ts'
import { corpus, type Seeded } from './_corpus.ts'
import { longest } from './_long.ts'
import { jointsOf, mutate, swell } from './_mutate.ts'
import { chance, type Draw, fuzz, type Options, type Outcome, pick, program, readOptions, type Trial, wordsOf } from './_seeded.ts'

// Every codec of the wire on changed encodings: a value whose encoding is the input, or a DecodeError that says where; and neither time nor
// memory beyond what the input's size gives.

export const FULL = 200_000

/** A frame of light/1, the longest input that a peer can make us decode. */
const LONGEST = 1_048_576
/** One case in so many has a list grown to its bound, and one in so many is a whole frame: what little costs is seen on much of it only. */
const SWOLLEN_EVERY = 500
const LONG_EVERY = 2_000

/** Milliseconds for an input, and what of it more than one piece of 64 KiB adds. */
const timeLimit = (size: number): number => 50 * Math.ceil(Math.max(1, size) / 65_536)
/** Bytes of heap and buffers for an input: an item of one byte is an object with a buffer of its own. */
const memoryLimit = (size: number): number => 4_194_304 + 128 * size

interface Measured {
  readonly value: unknown
  readonly error: unknown
  readonly ms: number
  readonly bytes: number
}

const heap = (): number => {
  const { used_heap_size: used, external_memory: external } = getHeapStatistics()
  return used + external
}

const measure = (codec: Codec<unknown>, input: Bytes): Measured => {
  const before = heap()
  const started = performance.now()
  let value: unknown
  let error: unknown = null
  try {
    value = decode(codec, input)
  } catch (thrown) {
    error = thrown
  }
  // A collection in between makes it less, never more.
  return { value, error, ms: performance.now() - started, bytes: heap() - before }
}

/** The least time of a few: whatever else runs on this machine can make one slow, and not all of them. */
const fastest = (codec: Codec<unknown>, input: Bytes, first: number, limit: number): number => {
  let least = first
  for (let again = 0; again < 5 && least > limit; again++) least = Math.min(least, measure(codec, input).ms)
  return least
}

/** What is wrong with how the codec takes the input, or null. */
const judge = ({ name, codec }: Seeded, input: Bytes, tally: Trial['tally']): string | null => {
  // As it comes out of a frame: in the middle of somebody else's bytes, which change once it is decoded.
  const around = new Uint8Array(input.length + 16).fill(0x5a)
  const view = around.subarray(7, 7 + input.length)
  view.set(input)
  const { value, error, ms, bytes } = measure(codec, view)
  around.fill(0xa5)
  if (ms > timeLimit(input.length)) {
    const least = fastest(codec, input, ms, timeLimit(input.length))
    if (least > timeLimit(input.length)) return `${name}: ${least.toFixed(0)} ms for ${input.length} bytes`
  }
  if (bytes > memoryLimit(input.length)) return `${name}: ${bytes} bytes of memory for ${input.length} bytes of input`
  const problem = error === null ? expectSame(codec, value, input) : expectNamed(error, codec, input)
  tally(error === null ? 'decoded' : 'refused')
  return problem === null ? null : `${name}: ${problem}`
}

const expectSame = (codec: Codec<unknown>, value: unknown, input: Bytes): string | null => {
  try {
    return equal(encode(codec, value), input) ? null : 'decodes to a value with another encoding'
  } catch (error) {
    return `decodes to a value without an encoding: ${wordsOf(error)}`
  }
}

const expectNamed = (error: unknown, codec: Codec<unknown>, input: Bytes): string | null => {
  if (!(error instanceof CoalitionError) || !isError(error, 'Codec.DecodeError')) return `throws ${wordsOf(error)}`
  const { type, path, offset, problem, message } = error as DecodeError
  if (type !== codec.name || !path.startsWith(codec.name)) return `refuses a ${type} at ${path}`
  if (!Number.isInteger(offset) || offset < 0 || offset > input.length) return `refuses at byte ${offset} of ${input.length}`
  return problem !== '' && message.length < 400 ? null : `refuses in ${message.length} characters`
}

interface Chosen {
  readonly seeded: Seeded
  readonly input: Bytes
}

const chooser = (): ((draw: Draw) => Chosen) => {
  const groups = corpus()
  const all = groups.flat().flatMap(({ inputs }) => inputs)
  let long: readonly Seeded[] | null = null
  return (draw) => {
    if (chance(draw, 1 / LONG_EVERY)) {
      long ??= longest()
      const seeded = pick(draw, long)
      const input = pick(draw, seeded.inputs)
      // Its joints are a million; most of what matters is at its beginning.
      const joints = Array.from({ length: 400 }, (_, offset) => offset)
      return { seeded, input: chance(draw, 0.3) ? input : mutate(draw, input, { joints }).slice(0, LONGEST) }
    }
    const seeded = pick(draw, pick(draw, groups))
    // Now and then another type's encoding: what is taken for what it is not.
    const base = chance(draw, 0.03) ? pick(draw, all) : pick(draw, seeded.inputs)
    const hints = { joints: jointsOf(seeded.codec, base), others: seeded.inputs }
    return { seeded, input: chance(draw, 1 / SWOLLEN_EVERY) ? swell(draw, base, LONGEST, hints) : mutate(draw, base, hints) }
  }
}

export const fuzzCodec = (options: Options, beat?: (number: number) => void): Promise<Outcome> => {
  const choose = chooser()
  const run = (trial: Trial): string | null => {
    const { seeded, input } = choose(trial.draw)
    trial.input = input
    return judge(seeded, input, trial.tally)
  }
  return fuzz('codec', options, run, beat)
}

/** `npm run fuzz -- codec`. */
export const main = (args: readonly string[]): Promise<number> => program('codec', readOptions(args, FULL), fuzzCodec)
