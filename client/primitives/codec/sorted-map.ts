import { type Bytes, compare } from '../bytes.ts'
import { type Codec, enter, type Reader, Refusal, shape, sized, type Writer, within } from './shape.ts'
import { readLength, writeUleb128 } from './uleb128.ts'

type Entries<K, V> = readonly (readonly [key: K, value: V])[]

/**
 * A count and that many keys and values, ascending by encoded key, each key once. Decoded entries are in that order; those given to
 * `encode` may be in any, so two members that filled one map in different orders sign the same bytes. Not a `Map`: it would look up a key
 * of bytes by identity and never find it.
 *
 * @throws TypeError for keys that may take no bytes: nothing would hold their count against the input.
 * @see IDENTITY.md, "Fingerprints of content and ACL"
 */
export const sortedMap = <K, V>(key: Codec<K>, value: Codec<V>, max: number): Codec<Entries<K, V>> => {
  sized(key, 'map')
  const read = (reader: Reader): Entries<K, V> => {
    const count = readLength(reader, max, 'entries', 0, key.least + value.least)
    const entries: (readonly [K, V])[] = []
    let last: Uint8Array | undefined
    let part = 'key'
    try {
      while (entries.length < count) {
        part = 'key'
        const start = reader.pos
        // A view of all that is left, of which the key turns out to be the beginning: its own bytes are what the order is by.
        const rest = reader.bytes(reader.leftBytes, true)
        const k = key.read(reader)
        const raw = rest.subarray(0, reader.pos - start)
        const order = last === undefined ? 1 : compare(raw, last)
        if (order <= 0) throw new Refusal(order === 0 ? 'key stands twice' : 'key out of order', start)
        last = raw
        part = 'value'
        entries.push([k, value.read(reader)])
      }
    } catch (thrown) {
      throw within(`[${entries.length}].${part}`, thrown, reader.pos)
    }
    return entries
  }
  const write = (writer: Writer, entries: Entries<K, V>): void => {
    if (!Array.isArray(entries)) throw new Refusal('not a list of entries')
    if (entries.length > max) throw new Refusal(`${entries.length} entries, at most ${max}`)
    writeUleb128(writer, entries.length)
    // Equal keys stand side by side once they are sorted.
    let last: Bytes | undefined
    for (const { at, raw } of ordered(key, entries)) {
      if (last !== undefined && compare(raw, last) === 0) throw within(`[${at}].key`, new Refusal('key stands twice'))
      last = raw
      writer.bytes(raw)
      enter(`[${at}].value`, value, writer, entries[at]?.[1] as V)
    }
  }
  return shape('map', 1, read, write)
}

interface Place {
  /** The entry's place in what the caller gave, which is what an error names. */
  readonly at: number
  readonly raw: Bytes
}

const ordered = <K, V>(key: Codec<K>, entries: Entries<K, V>): readonly Place[] => {
  const places = entries.map((entry, at): Place => {
    if (!Array.isArray(entry)) throw within(`[${at}]`, new Refusal('not a key and a value'))
    try {
      return { at, raw: key.pack(entry[0]) }
    } catch (thrown) {
      throw within(`[${at}].key`, thrown)
    }
  })
  // By place where keys are equal, so that the error names the later one.
  return places.sort((a, b) => compare(a.raw, b.raw) || a.at - b.at)
}
