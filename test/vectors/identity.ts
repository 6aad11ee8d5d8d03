import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { type Bytes, fromHex, toHex } from '../../client/primitives/bytes.ts'
import { asId, type Id } from '../../client/primitives/id.ts'

/** A member of a vector file: whatever its kind, a flat record of JSON values. */
export type Vector = Readonly<Record<string, unknown>>

const load = (file: string): Readonly<Record<string, readonly Vector[]>> => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'))

export const vectors = load('./identity-vectors.json')
export const extra = load('./identity-extra.json')

/** The vectors of one kind; an empty or missing list would make a test of nothing. */
export const members = (file: typeof vectors, kind: string): readonly Vector[] => {
  const found = file[kind] ?? []
  expect(found.length, kind).toBeGreaterThan(0)
  return found
}

/** Every key of the vector is one that the test looks at, and none is missing: a new field must not pass unseen. */
export const exactly = (vector: object, keys: readonly string[]): void => expect(Object.keys(vector).sort()).toEqual([...keys].sort())

export const bytes = (hex: unknown): Bytes => fromHex(String(hex))
export const idOf = <K extends string>(hex: unknown): Id<K> => asId<K>(bytes(hex))
export const idOrNone = <K extends string>(hex: unknown): Id<K> | undefined => (hex === null || hex === undefined ? undefined : idOf<K>(hex))
export const hexOf = (value: Uint8Array): string => toHex(value)

/** An id that no formula gives, for tests that need one of a kind. */
export const filled = <K extends string>(byte: number): Id<K> => asId<K>(new Uint8Array(32).fill(byte))
