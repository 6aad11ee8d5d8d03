import { readTag } from './scalars.ts'
import { type Codec, enter, type Of, type Reader, Refusal, shape, sized, type Writer, within } from './shape.ts'
import { readLength, readUleb128, writeUleb128 } from './uleb128.ts'

/**
 * A count and that many items, `min` to `max` of them.
 *
 * @throws TypeError for items that may take no bytes: nothing would hold their count against the input.
 */
export const vector = <T>(item: Codec<T>, max: number, min = 0): Codec<readonly T[]> => {
  sized(item, 'list')
  const read = (reader: Reader): readonly T[] => {
    const count = readLength(reader, max, 'items', min, item.least)
    // Grown as the items come: room for `count` of them would be taken on the sender's word.
    const items: T[] = []
    try {
      while (items.length < count) items.push(item.read(reader))
    } catch (thrown) {
      throw within(`[${items.length}]`, thrown, reader.pos)
    }
    return items
  }
  const write = (writer: Writer, items: readonly T[]): void => {
    if (!Array.isArray(items)) throw new Refusal('not a list')
    if (items.length > max) throw new Refusal(`${items.length} items, at most ${max}`)
    if (items.length < min) throw new Refusal(`${items.length} items, at least ${min}`)
    writeUleb128(writer, items.length)
    for (let i = 0; i < items.length; i++) enter(`[${i}]`, item, writer, items[i] as T)
  }
  return shape('list', 1 + min * item.least, read, write)
}

/**
 * 0, or 1 and the item; null stands for none.
 *
 * @throws TypeError for an item that can itself be null: none and some of null would be one value with two encodings.
 */
export const option = <T extends NonNullable<unknown>>(item: Codec<T>): Codec<T | null> => {
  if (takes(item, null)) throw new TypeError(`an option of ${item.name} cannot tell none from null`)
  return shape<T | null>(
    `option ${item.name}`,
    1,
    (reader) => (readTag(reader) ? item.read(reader) : null),
    (writer, value) => {
      writer.byte(value === null ? 0 : 1)
      if (value !== null) item.write(writer, value)
    },
  )
}

const takes = (codec: Codec<unknown>, value: unknown): boolean => {
  try {
    codec.pack(value)
    return true
  } catch {
    return false
  }
}

type Fields = Readonly<Record<string, Codec<unknown>>>

/**
 * Its fields in the order they are declared, nothing between. The value is a plain object; fields that were not declared are not written.
 *
 * @throws TypeError for a field name that JavaScript would move or swallow.
 */
export const struct = <const F extends Fields>(name: string, fields: F): Codec<{ readonly [K in keyof F]: Of<F[K]> }> => {
  const codecs = Object.entries(fields)
  let least = 0
  for (const [field, codec] of codecs) {
    named(field)
    least += codec.least
  }
  const read = (reader: Reader): { readonly [K in keyof F]: Of<F[K]> } => {
    const value: Record<string, unknown> = {}
    // Outside of the loop, for the catch: the path is made of it only when something is refused.
    let field = ''
    try {
      for (let i = 0; i < codecs.length; i++) {
        const entry = codecs[i] as [string, Codec<unknown>]
        field = entry[0]
        value[field] = entry[1].read(reader)
      }
    } catch (thrown) {
      throw within(`.${field}`, thrown, reader.pos)
    }
    return value as { readonly [K in keyof F]: Of<F[K]> }
  }
  const write = (writer: Writer, value: { readonly [K in keyof F]: Of<F[K]> }): void => {
    if (typeof value !== 'object' || value === null) throw new Refusal('not an object')
    for (const [field, codec] of codecs) enter(`.${field}`, codec, writer, value[field as keyof F])
  }
  return shape(name, least, read, write)
}

type Kinds = Readonly<Record<string, readonly [index: number, codec: Codec<unknown>]>>
type OneOf<K extends Kinds> = { readonly [N in keyof K]: { readonly kind: N; readonly value: Of<K[N][1]> } }[keyof K]

/**
 * An index as ULEB128 and the value of that kind. Indexes need not be dense: 255 is an error, gaps are kept for later versions and refused
 * by this one (docs/wire.md section 5).
 *
 * @throws TypeError for an index that is no u32 or stands twice.
 */
export const variant = <const K extends Kinds>(name: string, kinds: K): Codec<OneOf<K>> => {
  type Row = readonly [kind: string, index: number, codec: Codec<unknown>]
  const rows: Row[] = Object.entries(kinds).map(([kind, [index, codec]]) => [kind, index, codec])
  // Maps, not objects: in an object a kind called toString would be found without having been declared.
  const byKind = new Map(rows.map((row) => [row[0], row]))
  const byIndex = new Map(rows.map((row) => [row[1], row]))
  if (byIndex.size !== rows.length) throw new TypeError(`${name}: an index stands twice`)
  for (const index of byIndex.keys()) if (index >>> 0 !== index) throw new TypeError(`${name}: ${index} is not an index`)
  for (const kind of byKind.keys()) named(kind)
  const read = (reader: Reader): OneOf<K> => {
    const start = reader.pos
    const index = readUleb128(reader)
    const row = byIndex.get(index)
    if (row === undefined) throw new Refusal(`no kind has index ${index}`, start)
    try {
      return { kind: row[0], value: row[2].read(reader) } as unknown as OneOf<K>
    } catch (thrown) {
      throw within(`.${row[0]}`, thrown, reader.pos)
    }
  }
  const write = (writer: Writer, value: OneOf<K>): void => {
    if (typeof value !== 'object' || value === null) throw new Refusal('not an object')
    const row = byKind.get(value.kind as string)
    if (row === undefined) throw new Refusal('no such kind')
    writeUleb128(writer, row[1])
    enter(`.${row[0]}`, row[2], writer, value.value)
  }
  return shape(name, 1 + Math.min(...rows.map((row) => row[2].least)), read, write)
}

/**
 * The same bytes, and a rule on the value: `check` gives null, or why the value is refused, on encoding and on decoding alike. What the
 * rule forbids can then neither be sent nor be received, and one place says so.
 */
export const refine = <T>(codec: Codec<T>, name: string, check: (value: T) => string | null): Codec<T> =>
  shape(
    name,
    codec.least,
    (reader) => {
      const start = reader.pos
      const value = codec.read(reader)
      const problem = check(value)
      if (problem !== null) throw new Refusal(problem, start)
      return value
    },
    (writer, value) => {
      const problem = check(value)
      if (problem !== null) throw new Refusal(problem)
      codec.write(writer, value)
    },
  )

// A key such as "7" would be moved before the others by the engine, and the declared order is the encoding; __proto__ would not be a field.
const named = (name: string): void => {
  if (!/^[a-z]\w*$/i.test(name)) throw new TypeError(`${name} cannot be the name of a field or kind`)
}
