import { blake3 as noble } from '@noble/hashes/blake3.js'
import * as jit from 'blake3-jit'
import { createBLAKE3 } from 'hash-wasm'
import { createBlake3 } from '../../wasm/blake3.ts'
import { createHasher, hash, hashChain, hashEach, hashMany, hashPairs, implementation } from '../../wasm/core.ts'
import { bytesOf, instantiate } from '../../wasm/instance.ts'
import { binary as relaxed } from '../wasm/relaxed.generated.ts'

// What is measured, in Node and in a browser alike: each library as its users call it, results copied out.

type Bytes = Uint8Array<ArrayBuffer>

/** Nanoseconds a call, by library, a sample for each round. */
export interface Measured {
  readonly case: string
  readonly ns: Readonly<Record<string, readonly number[]>>
}

export interface MeasureOptions {
  readonly rounds: number
  /** Measures only the cases that have this word in their name. */
  readonly only: string
  /** `hash` of blake3-wasm, where it loads. */
  readonly reference: ((message: Bytes) => Uint8Array) | null
}

type Call = () => Uint8Array
type Case = readonly [name: string, calls: Readonly<Record<string, Call>>]

const KB = 1_024
const SIZES: readonly (readonly [string, number])[] = [
  ['32 B', 32],
  ['64 B', 64],
  ['256 B', 256],
  ['1 KB', KB],
  ['4 KB', 4 * KB],
  ['16 KB', 16 * KB],
  ['64 KB', 64 * KB],
  ['1 MB', KB * KB],
  ['64 MB', 64 * KB * KB],
]
const MESSAGES = 1_000

/** Measures every case; `say` is told of each when it is done. */
export const measure = async (options: MeasureOptions, say: (done: Measured) => void): Promise<string> => {
  const wasm = await createBLAKE3()
  const { reference } = options
  const one = (message: Bytes): Readonly<Record<string, Call>> => ({
    ours: () => hash(message),
    'blake3-jit': () => jit.hash(message),
    'hash-wasm': () => wasm.init().update(message).digest('binary'),
    '@noble/hashes': () => noble(message),
    ...(reference === null ? {} : { 'blake3-wasm': () => reference(message) }),
  })
  const cases: readonly (() => Case)[] = [
    ...SIZES.map(
      ([name, size]) =>
        (): Case => [`hash ${name}`, one(pattern(size))],
    ),
    ...batches().map(
      ([name, lengths]) =>
        () =>
          batch(name, lengths),
    ),
    level,
    chain,
    ...(WebAssembly.validate(bytesOf(relaxed)) ? [KB, 64 * KB].map((size) => () => ourBuilds(size)) : []),
  ]
  for (const make of cases) {
    const [name, calls] = make()
    if (!name.includes(options.only)) continue
    expectAgreement(name, calls)
    say({ case: name, ns: sample(calls, options.rounds) })
  }
  return implementation()
}

/** Two that hash different things are not to be compared. @throws Error that names the library */
const expectAgreement = (name: string, calls: Readonly<Record<string, Call>>): void => {
  // A copy: libraries may share the caller's buffer.
  const [first, ...others] = Object.entries(calls).map(([library, call]) => [library, call().slice()] as const)
  for (const [library, bytes] of others) {
    if (bytes.some((byte, i) => byte !== first?.[1][i])) throw new Error(`${name}: ${library} hashes otherwise than ${first?.[0]}`)
  }
}

/** Rounds of all libraries in turn, each beginning with another one. */
const sample = (calls: Readonly<Record<string, Call>>, rounds: number): Readonly<Record<string, readonly number[]>> => {
  const entries = Object.entries(calls)
  const repeats = new Map(entries.map(([name, call]) => [name, repeatsFor(call)]))
  const ns: Record<string, number[]> = Object.fromEntries(entries.map(([name]) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < entries.length; i++) {
      const [name, call] = entries[(i + round) % entries.length] as [string, Call]
      const times = repeats.get(name) as number
      // A call that takes a fifth of a second is not noisy, and a slow library would take the whole run.
      if (times === 1 && round >= FEWEST) continue
      ns[name]?.push(timed(call, times) / times)
    }
  }
  return ns
}

/** Rounds of the slowest. */
const FEWEST = 9
const SAMPLE_NS = 5e6
/** Engines compile what is called often a second time, beside the program: on two busy cores that takes a while. */
const WARM_NS = 2e8

/** Warms a call up, and says how often it fits a sample. */
const repeatsFor = (call: Call): number => {
  const first = timed(call, 1)
  if (first > 40 * SAMPLE_NS) return 1
  for (let spent = 0; spent < WARM_NS; ) spent += timed(call, 16)
  let times = 1
  while (timed(call, times) < SAMPLE_NS * 4) times *= 2
  return Math.max(2, times >> 2)
}

/** Where results go, so that no engine leaves the work out. */
export let sink: unknown
const timed = (call: Call, times: number): number => {
  const start = performance.now()
  for (let i = 0; i < times; i++) sink = call()
  return (performance.now() - start) * 1e6
}

const pattern = (size: number, from = 0): Bytes => {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = (i + from) % 251
  return bytes
}

const batches = (): readonly (readonly [string, readonly number[]])[] => [
  ...[32, 64, 100, 256, 1_000].map((length) => [`${length} B`, Array<number>(MESSAGES).fill(length)] as const),
  ['40 to 400 B', Array.from({ length: MESSAGES }, (_, i) => 40 + ((i * 7_919) % 361))],
]

/** Many messages into a caller's buffer; the rival hashes one by one, also into it. For all of them together. */
const batch = (name: string, lengths: readonly number[]): Case => {
  const messages = lengths.map(pattern)
  const out = new Uint8Array(messages.length * 32)
  const [length] = lengths
  const packed = lengths.every((each) => each === length) ? new Uint8Array(messages.flatMap((message) => [...message])) : null
  return [
    `batch of ${MESSAGES}, ${name}`,
    {
      ours: () => hashMany(messages, out),
      ...(packed === null ? {} : { 'ours, packed': () => hashEach(packed, length ?? 1, out) }),
      'blake3-jit': oneByOne(messages, out),
    },
  ]
}

/** Views are made beforehand: one for each digest would be a sixth of the rival's time at 32 bytes. */
const oneByOne = (messages: readonly Bytes[], out: Bytes): Call => {
  const places = slices(out, 32)
  return () => {
    for (let i = 0; i < messages.length; i++) jit.hashInto(messages[i] as Bytes, places[i] as Bytes)
    return out
  }
}

const slices = (bytes: Bytes, size: number): readonly Bytes[] =>
  Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, i * size + size))

const level = (): Case => {
  const pairs = pattern(4_096 * 64)
  const out = new Uint8Array(4_096 * 32)
  const node = new Uint8Array(65).fill(1)
  const [children, places] = [slices(pairs, 64), slices(out, 32)]
  const rival = (): Bytes => {
    for (let i = 0; i < places.length; i++) {
      node.set(children[i] as Bytes, 1)
      jit.hashInto(node, places[i] as Bytes)
    }
    return out
  }
  return ['level of 4,096 nodes', { ours: () => hashPairs(pairs, out), 'blake3-jit': rival }]
}

const chain = (): Case => {
  const items = Array.from({ length: 64 }, (_, i) => pattern(32, i))
  const prefix = Uint8Array.of(1)
  const start = pattern(32)
  const step = new Uint8Array(65).fill(1)
  const before = step.subarray(1, 33)
  const rival = (): Bytes => {
    before.set(start)
    for (const item of items) {
      step.set(item, 33)
      jit.hashInto(step, before)
    }
    return before
  }
  return ['path of 64 steps', { ours: () => hashChain({ prefix, start, items }), 'blake3-jit': rival }]
}

/** The two builds against each other: the relaxed one would be shipped for a gain of 15 % at 64 KB. */
const ourBuilds = (size: number): Case => {
  const [ours, other] = [createBlake3(instantiate()), createBlake3(instantiate(relaxed))]
  const message = [pattern(size)]
  return [`${size / KB} KB, against the relaxed build`, { ours: () => ours.hash(message), 'the relaxed build': () => other.hash(message) }]
}

/** Seconds that a stream of `bytes` takes, in pieces of 64 KB. */
export const stream = (bytes: number): number => {
  const piece = pattern(64 * KB)
  const hasher = createHasher()
  const start = performance.now()
  for (let done = 0; done < bytes; done += piece.length) hasher.update(piece)
  hasher.digest()
  return (performance.now() - start) / 1_000
}
