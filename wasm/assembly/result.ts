import { RESULT } from './memory'

// What a reader leaves for its caller: RESULT[0] is 0 or the number of the problem, [1] the path's number, [2] the offset; fields from [3] on.
// A field is a u32; a range of the input is two of them, offset and length.

export const FIELDS: u32 = 3

let start: usize = 0

/** Begins a reading of the input at `at`: offsets count from there. */
export function begin(at: usize): void {
  start = at
  store<u32>(RESULT, 0)
}

/** Refuses the input: `problem` and `path` are numbered in the caller's lists. Always false, so that a reader can return it. */
export function refuse(problem: u32, path: u32, at: usize): bool {
  store<u32>(RESULT, problem)
  store<u32>(RESULT, path, 4)
  store<u32>(RESULT, <u32>(at - start), 8)
  return false
}

export function put(field: u32, value: u32): void {
  store<u32>(RESULT + ((FIELDS + field) << 2), value)
}

export function putRange(field: u32, at: usize, length: u32): void {
  put(field, <u32>(at - start))
  put(field + 1, length)
}
