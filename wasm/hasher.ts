import { type Bytes, DIGEST, digestOf, expectOutput, expectRoom, type Hasher } from './hashing.ts'
import type { Instance } from './instance.ts'
import { DIGESTS, HASHER, INPUT } from './layout.ts'

// The core holds the state of one hasher. Each of ours keeps its own while another's is in there, so there can be any number of them and
// none is lost when nobody closes it.

/** Bytes that are handed to the core at once. */
export const WINDOW = 65_536
/** Bytes of output that it gives at once, 64 in a block. */
const OUTPUT = 65_536
const BLOCK = 64

/** The state, as in assembly/blake3.ts: flag, stack depth, chunks, bytes waiting; key; stack; the chunk that waits. */
const STATE = 1_792 + 1_024
const OWN_KEY = 32
const STACK = 64

/** Whose state a core holds. */
export interface Resident {
  current: CoreHasher | null
}

export class CoreHasher implements Hasher {
  readonly #core: Instance
  readonly #resident: Resident
  readonly #flag: number
  readonly #key: Bytes
  /** The state, while another's is in the core. */
  #kept: Bytes | null = null

  constructor(core: Instance, resident: Resident, flag: number, key: Bytes) {
    this.#core = core
    this.#resident = resident
    this.#flag = flag
    // A copy: whoever wipes a key after use must not leave a hasher of zeros behind.
    this.#key = new Uint8Array(key)
    this.reset()
  }

  update(piece: Bytes): this {
    this.#enter()
    const { bytes, exports } = this.#core
    for (let at = 0; at < piece.length; at += WINDOW) {
      const end = at + WINDOW
      const isLast = end >= piece.length
      const window = at === 0 && isLast ? piece : piece.subarray(at, end)
      bytes.set(window, INPUT)
      exports.update(window.length, isLast ? 0 : 1)
    }
    return this
  }

  digest(length: number = DIGEST, from = 0): Bytes {
    return digestOf(this, length, from)
  }

  digestInto(out: Bytes, at = 0, length: number = DIGEST, from = 0): void {
    expectOutput(length, from)
    expectRoom(out, at, length)
    this.#enter()
    const { bytes, exports } = this.#core
    exports.finish()
    for (let done = 0; done < length; ) {
      const first = Math.floor((from + done) / BLOCK)
      const skip = (from + done) % BLOCK
      const size = Math.min(length - done, OUTPUT - skip)
      exports.output(first | 0, Math.floor(first / 2 ** 32), Math.ceil((skip + size) / BLOCK))
      out.set(bytes.subarray(DIGESTS + skip, DIGESTS + skip + size), at + done)
      done += size
    }
  }

  reset(): this {
    const { bytes, words } = this.#core
    this.#become()
    bytes.fill(0, HASHER, HASHER + STACK)
    words[HASHER >> 2] = this.#flag
    bytes.set(this.#key, HASHER + OWN_KEY)
    return this
  }

  #enter(): void {
    if (this.#become() && this.#kept !== null) this.#core.bytes.set(this.#kept, HASHER)
  }

  /** Makes room for this one's state; false when it is there already. */
  #become(): boolean {
    const { current } = this.#resident
    if (current === this) return false
    if (current !== null) current.#leave()
    this.#resident.current = this
    return true
  }

  #leave(): void {
    this.#kept ??= new Uint8Array(STATE)
    this.#kept.set(this.#core.bytes.subarray(HASHER, HASHER + STATE))
  }
}
