import { expect } from 'vitest'
import type { Bytes } from '../../client/primitives/bytes.ts'
import { FormatError } from '../../wasm/reading.ts'

const refused = (read: () => unknown): FormatError | null => {
  try {
    read()
    return null
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return error
  }
}

/** What a reader refuses its input with. */
export const refusal = (read: () => unknown): readonly [path: string, problem: string, offset: number] => {
  const error = refused(read)
  if (error === null) throw new Error('it was read')
  return [error.path, error.problem, error.offset]
}

/** Where a reader refuses the bytes and why; null where it reads them. */
export const refusalOf = (
  read: (bytes: Bytes) => unknown,
  bytes: Bytes,
): readonly [path: string, offset: number, problem: string] | null => {
  const error = refused(() => read(bytes))
  return error && [error.path, error.offset, error.problem]
}

/** Where the only occurrence of `part` begins. */
export const placeOf = (whole: Bytes, part: Bytes): number => {
  const bytes = Buffer.from(whole)
  const at = bytes.indexOf(part)
  expect([at >= 0, bytes.indexOf(part, at + 1)]).toEqual([true, -1])
  return at
}
