import { CoalitionError } from '../../error.ts'
import { type Bytes, copy } from '../../primitives/bytes.ts'

// A walk over little-endian fields in which no read is unchecked: each names the field it is for, and an error says where it stood.

/** Reads forward; `at` is the offset of the next byte. Every read throws EventLogError where the input ends before the field does. */
export type Cursor = {
  readonly at: number
  readonly left: number
  readonly u8: (path: string) => number
  readonly u16: (path: string) => number
  readonly u32: (path: string) => number
  readonly u64: (path: string) => bigint
  /** A copy of the next `size` bytes: what is kept of a log does not keep the log. */
  readonly bytes: (path: string, size: number) => Bytes
}

export const cursor = (input: Bytes, start = 0): Cursor => {
  const view = new DataView(input.buffer, input.byteOffset, input.length)
  let at = start
  const advance = (path: string, size: number): number => {
    const from = at
    if (size > input.length - from) throw new EventLogError(path, from, `needs ${size} bytes, ${input.length - from} are left`)
    at = from + size
    return from
  }
  return {
    get at() {
      return at
    },
    get left() {
      return input.length - at
    },
    u8: (path) => view.getUint8(advance(path, 1)),
    u16: (path) => view.getUint16(advance(path, 2), true),
    u32: (path) => view.getUint32(advance(path, 4), true),
    u64: (path) => view.getBigUint64(advance(path, 8), true),
    bytes: (path, size) => {
      const from = advance(path, size)
      return copy(input.subarray(from, from + size))
    },
  }
}

/** Bytes that are no event log, or no CCEL table: `path` names the field, `offset` the byte it begins at. */
export class EventLogError extends CoalitionError {
  declare readonly path: string
  declare readonly offset: number
  declare readonly problem: string

  constructor(path: string, offset: number, problem: string) {
    super('Verify.EventLogError', `${path} at byte ${offset}: ${problem}`, { path, offset, problem })
  }
}
