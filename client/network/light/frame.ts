import { CoalitionError } from '../../error.ts'
import { type Bytes, concat } from '../../primitives/bytes.ts'
import { LIGHT_LIMITS } from './messages.ts'

// A frame is a ULEB128 length and that many bytes (docs/wire.md section 5). Three bytes say every length up to the limit, so a fourth
// is refused before it is waited for.
const MAX_LENGTH_BYTES = 3

/**
 * A payload with its length before it.
 * @param limit most bytes of a payload, below 2^21
 * @throws FrameError when it is longer than a frame may be
 */
export const frame = (payload: Bytes, limit: number = LIGHT_LIMITS.frame): Bytes => {
  if (payload.length > limit) throw new FrameError(0, `a frame of ${payload.length} bytes, at most ${limit}`)
  const head: number[] = []
  let rest = payload.length
  for (; rest >= 0x80; rest >>= 7) head.push((rest & 0x7f) | 0x80)
  return concat(Uint8Array.of(...head, rest), payload)
}

/**
 * The payloads in a stream of chunks, each in a buffer of its own. Holds at most one frame and one chunk: the stream is read only as far as
 * the next frame needs, so a reader who stops taking frames stops the writer.
 *
 * @throws FrameError with the offset in the stream for a length above the limit or not in its shortest form, and for an end inside of a frame
 */
export async function* frames(chunks: AsyncIterable<Bytes>, limit: number = LIGHT_LIMITS.frame): AsyncGenerator<Bytes, void, undefined> {
  const input = new Input(chunks)
  while (await input.fill(1)) {
    const start = input.offset
    const length = await lengthOf(input, limit)
    if (!(await input.fill(length))) throw new FrameError(start, `the stream ends ${input.buffered} bytes into a frame of ${length}`)
    yield input.take(length)
  }
}

const lengthOf = async (input: Input, limit: number): Promise<number> => {
  const start = input.offset
  let length = 0
  for (let i = 0; i < MAX_LENGTH_BYTES; i++) {
    if (!(await input.fill(1))) throw new FrameError(start, 'the stream ends inside of a length')
    const byte = input.take(1)[0] as number
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte >= 0x80) continue
    if (byte === 0 && i > 0) throw new FrameError(start, 'a length that is not in its shortest form')
    if (length > limit) throw new FrameError(start, `a frame of ${length} bytes, at most ${limit}`)
    return length
  }
  throw new FrameError(start, `a length of more than ${MAX_LENGTH_BYTES} bytes`)
}

/** Chunks as one run of bytes. They are copied into one buffer as they come: a megabyte sent in chunks of one byte costs no more than that. */
class Input {
  readonly #chunks: AsyncIterator<Bytes>
  #buffer: Bytes = new Uint8Array(256)
  #start = 0
  #end = 0
  /** Bytes taken so far. */
  offset = 0

  constructor(chunks: AsyncIterable<Bytes>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  get buffered(): number {
    return this.#end - this.#start
  }

  /** Whether `size` bytes are there, once they are or the stream has ended. */
  async fill(size: number): Promise<boolean> {
    while (this.buffered < size) {
      const next = await this.#chunks.next()
      if (next.done) return false
      this.#append(next.value)
    }
    return true
  }

  take(size: number): Bytes {
    const taken = this.#buffer.slice(this.#start, this.#start + size)
    this.#start += size
    this.offset += size
    return taken
  }

  // Room grows with the bytes that came and not with the length that was announced: an announcement costs its sender three bytes.
  #append(chunk: Bytes): void {
    const held = this.#buffer.subarray(this.#start, this.#end)
    const room = held.length + chunk.length
    if (this.#end + chunk.length > this.#buffer.length) {
      if (room > this.#buffer.length) this.#buffer = new Uint8Array(2 * room)
      this.#buffer.set(held)
      this.#start = 0
      this.#end = held.length
    }
    this.#buffer.set(chunk, this.#end)
    this.#end += chunk.length
  }
}

/** Bytes that are no frame. `offset` counts from the beginning of the stream. */
export class FrameError extends CoalitionError {
  declare readonly offset: number
  declare readonly problem: string

  constructor(offset: number, problem: string) {
    super('Light.FrameError', `frame at byte ${offset}: ${problem}`, { offset, problem })
  }
}
