import { type Bytes, concat, toHex, u32le } from '../../client/primitives/bytes.ts'
import { readCertificate } from '../../wasm/certificate.ts'
import { readCrl } from '../../wasm/crl.ts'
import { instantiate } from '../../wasm/instance.ts'
import { readQuote } from '../../wasm/quote.ts'
import { FormatError } from '../../wasm/reading.ts'
import { readSignature } from '../../wasm/signature.ts'
import { draft, QUOTES, write } from '../wasm/_quote-writer.ts'
import { corpus } from '../wasm/_tdx-corpus.ts'
import { madeCertificates, madeCrls, madeSignatures, realOf } from './_documents.ts'
import { mutate } from './_mutate.ts'
import { isRead, jointsOf, judge, LONGEST, placed, type Reader } from './_placed.ts'
import { below, chance, type Draw, fuzz, type Options, type Outcome, pick, program, readOptions, type Trial, wordsOf } from './_seeded.ts'

// Every binary format that the core reads, on changed documents: an error with a path or a value, never a trap or a hang, and the same
// answer wherever the input lies and whatever lies around it.

export const FULL = 1_000_000

/** A format under test: documents to change, the core's reader, and what calls it. */
interface Subject {
  readonly name: string
  readonly seeds: readonly Bytes[]
  readonly reader: Reader
  readonly read: (bytes: Bytes) => unknown
}

/** Real ones too, where the corpus is: a case runs again alone in the same way only where they are, or are not, as well. */
const subjects = (): readonly Subject[] => [
  { name: 'quote', seeds: [...madeQuotes(), ...realQuotes()], reader: 'readQuote', read: readQuote },
  {
    name: 'certificate',
    seeds: [...madeCertificates(), ...realOf(({ certificates }) => certificates, 12)],
    reader: 'readCertificate',
    read: readCertificate,
  },
  { name: 'CRL', seeds: [...madeCrls(), ...realOf(({ crls }) => crls, 4)], reader: 'readCrl', read: readCrl },
  { name: 'signature', seeds: madeSignatures(), reader: 'readSignature', read: readSignature },
]

/** Right ones, and such as end inside a part while all sizes around it agree: changes alone hardly ever make two sizes agree. */
const madeQuotes = (): readonly Bytes[] => [
  ...QUOTES.map(([, right]) => write(right)),
  ...[0, 63, 127, 128, 129, 131, 133].map((keepSignature) => write(draft(4, 2, { keepSignature }))),
  ...[383, 447, 448, 449, 481, 482, 483, 484, 486, 487].flatMap((keepCertification) =>
    [3, 4].map((version) => write(draft(version, 1, { keepCertification }))),
  ),
]

/** One of each version and length: the others differ in bytes that no reader looks at. */
const realQuotes = (): readonly Bytes[] => {
  const found = new Map(corpus().map(({ quote }) => [`${toHex(quote.subarray(0, 2))} ${quote.length}`, quote]))
  return [...found.values()]
}

interface Seed {
  readonly bytes: Bytes
  readonly joints: readonly number[]
}

/** A size that says something else, in one of the forms that sizes have: u16 and u32 little-endian, and those of DER. */
const resize = (draw: Draw, { bytes, joints }: Seed): Bytes => {
  const at = joints.length > 0 && chance(draw, 0.9) ? pick(draw, joints) : below(draw, bytes.length + 1)
  const [first = 0, second = 0] = bytes.subarray(at)
  const left = Math.max(0, bytes.length - at)
  const near = pick(draw, [first, first | (second << 8), left]) + below(draw, 9) - 4
  const size = pick(draw, [near, near, near, 0, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) >>> 0
  const wide = u32le(size)
  const [low = 0, high = 0] = wide
  const form = pick(draw, [
    wide.subarray(0, 1),
    wide.subarray(0, 2),
    wide,
    Uint8Array.of(0x80),
    Uint8Array.of(0x81, low),
    Uint8Array.of(0x82, high, low),
    Uint8Array.of(0x84, ...wide.toReversed()),
  ])
  // Over what was there, mostly: what comes next stays where it was.
  const to = chance(draw, 0.8) ? Math.min(bytes.length, at + form.length) : Math.min(bytes.length, at + 1)
  return concat(bytes.subarray(0, at), form, bytes.subarray(to))
}

/** What is wrong with what the caller of the core makes of the input, or null. */
const called = ({ read }: Subject, input: Bytes, wasRead: boolean): string | null => {
  try {
    read(input)
    return wasRead ? null : 'is read though the core refuses it'
  } catch (error) {
    if (!(error instanceof FormatError)) return `throws ${wordsOf(error)}`
    if (wasRead) return `is refused though the core reads it: ${error.message}`
    return error.problem === 'unreadable' ? `is refused without words: ${error.message}` : null
  }
}

export const fuzzCore = (options: Options, beat?: (number: number) => void): Promise<Outcome> => {
  const core = placed(instantiate())
  const prepared = subjects().map((subject) => ({
    subject,
    seeds: subject.seeds.map((bytes): Seed => ({ bytes, joints: jointsOf(core, subject.reader, bytes) })),
  }))
  const everything = prepared.flatMap(({ subject }) => subject.seeds)
  const run = (trial: Trial): string | null => {
    const { draw, tally } = trial
    const { subject, seeds } = pick(draw, prepared)
    const seed = pick(draw, seeds)
    const sized = chance(draw, 0.5) ? resize(draw, seed) : seed.bytes
    const hints = { joints: seed.joints, others: chance(draw, 0.9) ? subject.seeds : everything }
    const input = (sized === seed.bytes || chance(draw, 0.3) ? mutate(draw, sized, hints) : sized).slice(0, LONGEST)
    trial.input = input
    const problem = judge(core, draw, subject.reader, input) ?? called(subject, input, isRead(core))
    tally(`${subject.name} ${isRead(core) ? 'read' : 'refused'}`)
    return problem === null ? null : `${subject.name}: ${problem}`
  }
  return fuzz('core', options, run, beat)
}

/** `npm run fuzz -- core`. */
export const main = (args: readonly string[]): Promise<number> => program('core', readOptions(args, FULL), fuzzCore)
