// docs/wire.md, section 1: the canonical encoding. A type is three plain functions: write, read, and show (its form in the JSON).
// Reading is strict: whatever is not the one encoding of a value is refused, with a rule, a path and an offset.

import { type Bytes, hex, join, little } from './hash.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** The rules of section 1 that an encoding can break, and (from other files) the rules of the other sections. */
export class Refused extends Error {
  readonly rule: string
  constructor(rule: string, text: string) {
    super(`${rule}: ${text}`)
    this.rule = rule
  }
}

export class Source {
  readonly bytes: Bytes
  offset = 0
  constructor(bytes: Bytes) {
    this.bytes = bytes
  }
  left(): number {
    return this.bytes.length - this.offset
  }
  take(n: number, path: string): Bytes {
    if (n > this.left()) throw new Refused('truncated', `${path} at ${this.offset}: ${n} bytes wanted, ${this.left()} left`)
    this.offset += n
    return this.bytes.slice(this.offset - n, this.offset)
  }
  byte(path: string): number {
    return this.take(1, path)[0] ?? 0
  }
}

export interface Type<T> {
  write(value: T, path: string): Bytes
  read(from: Source, path: string): T
  show(value: T): Json
}
export type Of<T> = T extends Type<infer V> ? V : never

export const encode = <T>(type: Type<T>, value: T): Bytes => type.write(value, '')

export function decode<T>(type: Type<T>, bytes: Bytes): T {
  const from = new Source(bytes)
  const value = type.read(from, '')
  if (from.left() > 0) throw new Refused('trailing', `${from.left()} bytes after the last field`)
  return value
}

// --- ULEB128

const ULEB_MAX = 2 ** 32 - 1

export function writeUleb(value: number): Bytes {
  if (!Number.isInteger(value) || value < 0 || value > ULEB_MAX) throw new Refused('uleb-range', `${value}`)
  const out: number[] = []
  let rest = value
  while (rest >= 128) {
    out.push(128 + (rest % 128))
    rest = Math.floor(rest / 128)
  }
  out.push(rest)
  return Uint8Array.from(out)
}

export function readUleb(from: Source, path: string): number {
  let value = 0
  for (let i = 0; ; i++) {
    const byte = from.byte(path)
    value += (byte % 128) * 128 ** i
    if (value > ULEB_MAX || i > 4) throw new Refused('uleb-range', `${path}: above 2^32 - 1`)
    if (byte < 128) {
      if (byte === 0 && i > 0) throw new Refused('uleb-shortest', `${path}: not in its shortest form`)
      return value
    }
  }
}

// --- numbers

function small(width: number): Type<number> {
  const most = 2 ** (8 * width) - 1
  return {
    write(value, path) {
      if (!Number.isInteger(value) || value < 0 || value > most) throw new Refused('range', `${path}: ${value}`)
      return little(BigInt(value), width)
    },
    read(from, path) {
      return from.take(width, path).reduceRight((sum, byte) => sum * 256 + byte, 0)
    },
    show: (value) => value,
  }
}

function big(width: number): Type<bigint> {
  return {
    write(value, path) {
      if (value < 0n || value >= 1n << BigInt(8 * width)) throw new Refused('range', `${path}: ${value}`)
      return little(value, width)
    },
    read(from, path) {
      return from.take(width, path).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
    },
    show: (value) => value.toString(),
  }
}

export const u8 = small(1)
export const u16 = small(2)
export const u32 = small(4)
export const u64 = big(8)
export const u128 = big(16)

/** `T ≤ m` of a number: its width; a greater value is refused. */
export function atMost<T extends number | bigint>(type: Type<T>, most: T): Type<T> {
  const check = (value: T, path: string): T => {
    if (value > most) throw new Refused('range', `${path}: ${value} > ${most}`)
    return value
  }
  return {
    write: (value, path) => type.write(check(value, path), path),
    read: (from, path) => check(type.read(from, path), path),
    show: (value) => type.show(value),
  }
}

/** `a–b` of a number: a smaller value is refused too. */
export function atLeast<T extends number | bigint>(type: Type<T>, least: T): Type<T> {
  const check = (value: T, path: string): T => {
    if (value < least) throw new Refused('range', `${path}: ${value} < ${least}`)
    return value
  }
  return {
    write: (value, path) => type.write(check(value, path), path),
    read: (from, path) => check(type.read(from, path), path),
    show: (value) => type.show(value),
  }
}

// --- bytes and text

export const bool: Type<boolean> = {
  write: (value) => Uint8Array.of(value ? 1 : 0),
  read(from, path) {
    const tag = from.byte(path)
    if (tag > 1) throw new Refused('tag', `${path}: bool ${tag}`)
    return tag === 1
  },
  show: (value) => value,
}

export const unit: Type<null> = { write: () => new Uint8Array(0), read: () => null, show: () => null }

export function fixed(n: number): Type<Bytes> {
  return {
    write(value, path) {
      if (value.length !== n) throw new Refused('length', `${path}: ${value.length} bytes, not ${n}`)
      return value
    },
    read: (from, path) => from.take(n, path),
    show: hex,
  }
}

function readLength(from: Source, least: number, most: number, path: string): number {
  const length = readUleb(from, path)
  if (length < least || length > most) throw new Refused('length', `${path}: ${length}, allowed ${least}..${most}`)
  // Every item of every list here takes at least one byte, so a count is bounded by the bytes left as well.
  if (length > from.left()) throw new Refused('truncated', `${path}: length ${length}, ${from.left()} bytes left`)
  return length
}

export function bytes(most: number): Type<Bytes> {
  return {
    write(value, path) {
      if (value.length > most) throw new Refused('length', `${path}: ${value.length} > ${most}`)
      return join(writeUleb(value.length), value)
    },
    read: (from, path) => from.take(readLength(from, 0, most, path), path),
    show: hex,
  }
}

export function text(most: number): Type<string> {
  return {
    write(value, path) {
      // With the u flag, a surrogate matches only where it stands alone.
      if (/[\ud800-\udfff]/u.test(value)) throw new Refused('utf8', `${path}: lone surrogate`)
      const encoded = new TextEncoder().encode(value)
      if (encoded.length > most) throw new Refused('length', `${path}: ${encoded.length} > ${most}`)
      return join(writeUleb(encoded.length), encoded)
    },
    read(from, path) {
      const taken = from.take(readLength(from, 0, most, path), path)
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(taken)
      } catch {
        throw new Refused('utf8', `${path}: malformed`)
      }
    },
    show: (value) => value,
  }
}

// --- composites

export function list<T>(item: Type<T>, most: number, least = 0): Type<T[]> {
  return {
    write(value, path) {
      if (value.length < least || value.length > most) throw new Refused('length', `${path}: ${value.length} items`)
      return join(writeUleb(value.length), ...value.map((v, i) => item.write(v, `${path}[${i}]`)))
    },
    read(from, path) {
      const count = readLength(from, least, most, path)
      const out: T[] = []
      for (let i = 0; i < count; i++) out.push(item.read(from, `${path}[${i}]`))
      return out
    },
    show: (value) => value.map((v) => item.show(v)),
  }
}

export function option<T>(inner: Type<T>): Type<T | null> {
  return {
    write: (value, path) => (value === null ? Uint8Array.of(0) : join(Uint8Array.of(1), inner.write(value, path))),
    read(from, path) {
      const tag = from.byte(path)
      if (tag > 1) throw new Refused('tag', `${path}: option ${tag}`)
      return tag === 0 ? null : inner.read(from, path)
    },
    show: (value) => (value === null ? null : inner.show(value)),
  }
}

type Fields = Record<string, Type<unknown>>
type StructOf<F extends Fields> = { [K in keyof F]: Of<F[K]> }

/** Fields in the order in which they are written in the source. */
export function struct<F extends Fields>(fields: F): Type<StructOf<F>> {
  return {
    write(value, path) {
      const parts: Bytes[] = []
      for (const [name, type] of Object.entries(fields)) parts.push(type.write(value[name], `${path}.${name}`))
      return join(...parts)
    },
    read(from, path) {
      const out: Record<string, unknown> = {}
      for (const [name, type] of Object.entries(fields)) out[name] = type.read(from, `${path}.${name}`)
      return out as StructOf<F>
    },
    show(value) {
      const out: { [key: string]: Json } = {}
      for (const [name, type] of Object.entries(fields)) out[name] = type.show(value[name])
      return out
    },
  }
}

type Rows = Record<string, readonly [number, Type<unknown>]>
type VariantOf<R extends Rows> = { [K in keyof R]: { is: K; value: Of<R[K][1]> } }[keyof R]

/** A variant of rows `name: [index, type]`; `kept` are the indexes that the page keeps and this version refuses. */
export function variant<R extends Rows>(rows: R, kept: readonly number[] = []): Type<VariantOf<R>> {
  return {
    write(value, path) {
      const row = rows[value.is]
      if (row === undefined) throw new Refused('variant', `${path}: ${String(value.is)}`)
      return join(writeUleb(row[0]), row[1].write(value.value, `${path}.${String(value.is)}`))
    },
    read(from, path) {
      const index = readUleb(from, path)
      if (kept.includes(index)) throw new Refused('kept', `${path}: variant ${index} is kept for a later version`)
      for (const [name, [own, type]] of Object.entries(rows)) {
        if (own === index) return { is: name, value: type.read(from, `${path}.${name}`) } as VariantOf<R>
      }
      throw new Refused('variant', `${path}: unknown variant ${index}`)
    },
    show(value) {
      const row = rows[value.is]
      return { [String(value.is)]: row === undefined ? null : row[1].show(value.value) }
    },
  }
}
