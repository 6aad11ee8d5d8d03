/** The same shape as `client/primitives/bytes.ts`. It is repeated, not imported, because wasm/ stands below client/ and knows nothing of it. */
export type Bytes = Uint8Array<ArrayBuffer>

/** What a hasher is for: nothing for `hash`, a key of 32 bytes for `keyed_hash`, a context for `derive_key` (BLAKE3 paper, section 2.3). */
export interface HasherOptions {
  readonly key?: Bytes
  readonly context?: string
}

/** A message taken piece by piece. As many as are wanted can be alive at once, and none needs to be closed. */
export interface Hasher {
  /** Takes more of the message. */
  update(piece: Bytes): Hasher
  /**
   * `length` bytes of output from byte `from` on, of what was taken so far; more may be taken afterwards.
   *
   * @throws RangeError for numbers that are not whole, negative, or past 2^53 together
   */
  digest(length?: number, from?: number): Bytes
  /**
   * The same into `out` at `at`: nothing is allocated.
   *
   * @throws RangeError for such numbers, and where it does not fit
   */
  digestInto(out: Bytes, at?: number, length?: number, from?: number): void
  /** Forgets what was taken; key or context stay. */
  reset(): Hasher
}

/** Steps of hashing: prefix ‖ hash ‖ item, or prefix ‖ item ‖ hash where the item stands on the left. */
export interface Chain {
  readonly prefix: Bytes
  /** 32 bytes. */
  readonly start: Bytes
  /** All of one length; prefix, hash and item are at most 256 bytes. */
  readonly items: readonly Bytes[]
  /** For each item whether it stands left of the hash; without it none does. */
  readonly isLeft?: readonly boolean[]
}

/** One build of BLAKE3. Arguments were checked by whoever calls it: see `core.ts` for what each does. */
export interface Blake3 {
  readonly hashInto: (out: Bytes, at: number, parts: readonly Bytes[]) => void
  readonly hash: (parts: readonly Bytes[]) => Bytes
  readonly createHasher: (options: HasherOptions) => Hasher
  /** Each message with `prefix` before it. */
  readonly hashManyInto: (messages: readonly Bytes[], out: Bytes, prefix?: Bytes) => void
  readonly hashEachInto: (packed: Bytes, length: number, out: Bytes) => void
  readonly hashPairsInto: (pairs: Bytes, out: Bytes) => void
  readonly hashChain: (chain: Chain) => Bytes
}

/** Bytes of a digest. */
export const DIGEST = 32

/** @throws RangeError unless `length` bytes of output from byte `from` on can be asked for */
export const expectOutput = (length: number, from: number): void => {
  if (Number.isInteger(length) && Number.isInteger(from) && length >= 0 && from >= 0 && length + from <= Number.MAX_SAFE_INTEGER) return
  throw new RangeError(`output is asked for by whole numbers from 0 on, not by ${length} bytes from byte ${from} on`)
}

/** @throws RangeError unless `size` bytes fit `out` at `at` */
export const expectRoom = (out: Bytes, at: number, size: number): void => {
  if (!(Number.isInteger(at) && at >= 0 && at + size <= out.length)) throw new RangeError(`${size} bytes at ${at} do not fit ${out.length}`)
}

/** A hasher's output in memory of its own. */
export const digestOf = (hasher: Pick<Hasher, 'digestInto'>, length: number, from: number): Bytes => {
  expectOutput(length, from)
  const out = new Uint8Array(length)
  hasher.digestInto(out, 0, length, from)
  return out
}
