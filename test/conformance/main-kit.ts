// How main.test.ts reads the vectors: entries that note which of their fields were looked at, and parts that each say what is done with the
// entries of one list. The main-* files are the only ones here that import client/; the second implementation does not import them.

import { readFileSync } from 'node:fs'
import { CoalitionError } from '../../client/error.ts'
import { type Bytes, concat, equal, fromHex, toHex } from '../../client/primitives/bytes.ts'
import { type Codec, decode, encode } from '../../client/primitives/codec.ts'
import type { Json } from './bcs.ts'

const FILE = new URL('../vectors/conformance.json', import.meta.url)

/** Said for people, or the second implementation's own name of a rule. */
const WORDS: ReadonlySet<string> = new Set(['name', 'why', 'rule', 'label'])

/** An object of the file. A scalar in a list is one with the field `value`. */
export class Entry {
  readonly #fields: { readonly [name: string]: Json }
  readonly #read = new Set<string>()

  constructor(json: Json) {
    this.#fields = typeof json === 'object' && json !== null && !Array.isArray(json) ? json : { value: json }
  }

  get words(): string {
    return [this.#fields.name, this.#fields.why, this.#fields.type].filter((each) => typeof each === 'string').join(', ')
  }

  /** Fields that nobody looked at: a test that passes over one does not know what the entry says. */
  get unread(): string[] {
    return Object.keys(this.#fields).filter((name) => !this.#read.has(name) && !WORDS.has(name))
  }

  /** The field as it is, or undefined. */
  json(name: string): Json | undefined {
    this.#read.add(name)
    return this.#fields[name]
  }

  has(name: string): boolean {
    return this.json(name) != null
  }

  text(name: string): string {
    const value = this.json(name)
    if (typeof value !== 'string') throw new Error(`no text at ${name}`)
    return value
  }

  number(name: string): number {
    const value = this.json(name)
    if (typeof value !== 'number') throw new Error(`no number at ${name}`)
    return value
  }

  big(name: string): bigint {
    return BigInt(this.text(name))
  }

  hex(name: string): Bytes {
    return fromHex(this.text(name))
  }

  of<T>(codec: Codec<T>, name: string): T {
    return decode(codec, this.hex(name))
  }

  entry(name: string): Entry {
    const value = this.json(name)
    if (value === undefined) throw new Error(`nothing at ${name}`)
    return new Entry(value)
  }

  list(name: string): Json[] {
    const value = this.json(name)
    if (!Array.isArray(value)) throw new Error(`no list at ${name}`)
    return value
  }

  entries(name: string): Entry[] {
    return this.list(name).map((each) => new Entry(each))
  }

  hexes(name: string): Bytes[] {
    return this.list(name).map((each) => fromHex(String(each)))
  }
}

const FILE_JSON = JSON.parse(readFileSync(FILE, 'utf8')) as Json

const jsonAt = (path: string): Json => {
  let here: Json = FILE_JSON
  for (const step of path.split('.')) {
    const next: Json | undefined = typeof here === 'object' && here !== null && !Array.isArray(here) ? here[step] : undefined
    if (next === undefined) throw new Error(`the file has nothing at ${path}`)
    here = next
  }
  return here
}

/** What stands at a path of the file: one entry, or those of a list. */
export const at = (path: string): Entry => new Entry(jsonAt(path))
export const allAt = (path: string): Entry[] => {
  const found = jsonAt(path)
  return (Array.isArray(found) ? found : [found]).map((each) => new Entry(each))
}
export const hexAt = (path: string): Bytes => fromHex(String(jsonAt(path)))

/** A list of the file, or a single value, and what is done with each of its entries. */
export interface Part {
  readonly path: string
  /** What the entries have to be, after the path in the test's title. */
  readonly title: string
  readonly run: (entry: Entry, place: number) => void | Promise<void>
}

export const accepts = (path: string, title: string, run: Part['run']): Part => ({ path, title, run })

/** Each entry has to be refused by an error of ours, not by whatever a mistake throws. */
export const refuses = (path: string, title: string, run: (entry: Entry) => unknown): Part => ({
  path,
  title,
  run: (entry) => expectRefusal(() => run(entry)),
})

/** What other entries rest on: read by them, true or false by itself in no way. */
export const given = (path: string): Part => ({ path, title: 'is given', run: () => {} })
export const isGiven = ({ title }: Part): boolean => title === 'is given'

export const expectRefusal = async (run: () => unknown): Promise<void> => {
  try {
    await run()
  } catch (error) {
    if (error instanceof CoalitionError) return
    throw error
  }
  throw new Error('not refused')
}

/** What our decoder alone has to refuse. */
export const expectUndecodable = (run: () => unknown): void => {
  try {
    run()
  } catch (error) {
    if (error instanceof CoalitionError && error.name === 'Codec.DecodeError') return
    throw error
  }
  throw new Error('decoded')
}

/** Every list and every single value of the file, by path; a registered path is not gone into. */
export const pathsOf = (registered: ReadonlySet<string>, json: Json = FILE_JSON, path = ''): string[] => {
  if (registered.has(path)) return [path]
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return [path]
  return Object.entries(json).flatMap(([name, each]) => pathsOf(registered, each, path === '' ? name : `${path}.${name}`))
}

/** What went wrong with the entries of a part, a line for each. */
export const failures = async ({ path, run }: Part): Promise<string[]> => {
  const lines: string[] = []
  for (const [i, entry] of allAt(path).entries()) {
    try {
      await run(entry, i)
      // A refusal may come before the last field was looked at.
      if (entry.unread.length > 0 && !entry.has('rule'))
        lines.push(`${path}[${i}] ${entry.words}: ${entry.unread.join(', ')} not looked at`)
    } catch (error) {
      lines.push(`${path}[${i}] ${entry.words}: ${String(error)}`)
    }
  }
  return lines
}

// --- comparing

export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}

export const demandHex = (found: Bytes, expected: Bytes, what: string): void =>
  demand(equal(found, expected), `${what}: ${toHex(found)}, not ${toHex(expected)}`)

/** A decoded value in the JSON form of the file. */
export const shown = (value: unknown): Json => {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value as Json
  const fields = Object.entries(value)
  const { kind, value: inner } = value as { readonly kind?: unknown; readonly value?: unknown }
  // A variant is an object of one field there and has two here.
  if (fields.length === 2 && typeof kind === 'string' && 'value' in value) return { [kind]: shown(inner) }
  return Object.fromEntries(fields.map(([name, each]) => [name, shown(each)]))
}

export const demandShown = (value: unknown, expected: Json | undefined): void => {
  const found = JSON.stringify(shown(value))
  demand(found === JSON.stringify(expected), `reads as ${found}`)
}

/** `hex` decodes, to `value` where the entry has one, and what was decoded encodes to `hex` again. */
export const roundTrip = <T>(codec: Codec<T>, entry: Entry): T => {
  const bytes = entry.hex('hex')
  const value = decode(codec, bytes)
  demandHex(encode(codec, value), bytes, 'encodes to other bytes')
  if (entry.has('value')) demandShown(value, entry.json('value'))
  return value
}

/** `value` without `hex`, in a list of encoded values. */
export const roundTripHex = <T>(codec: Codec<T>, bytes: Bytes): T => roundTrip(codec, new Entry({ hex: toHex(bytes) }))

export const join = concat
