import { utf8ToBytes } from '@noble/hashes/utils.js'
import { CoreHasher, type Resident, WINDOW } from './hasher.ts'
import { type Blake3, type Bytes, type Chain, DIGEST, type HasherOptions } from './hashing.ts'
import type { Instance } from './instance.ts'
import { DIGESTS, END, INPUT, OFFSETS, OUT, ROOT, SIDES, SLACK } from './layout.ts'

/** The paper's flags, table 3. */
const KEYED_HASH = 16
const DERIVE_KEY_CONTEXT = 32
const DERIVE_KEY_MATERIAL = 64

const IV: Bytes = /* @__PURE__ */ new Uint8Array(
  /* @__PURE__ */ Uint32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19).buffer,
)

/** Bytes of messages that a batch takes at once, and how many of them. */
const ROOM = END - INPUT - SLACK
const MOST = 4_096
/** Messages of at most a chunk are hashed in lanes. */
const CHUNK = 1_024
/** Items that a chain takes at once. */
const STEPS = 8_192
const NOTHING: Bytes = /* @__PURE__ */ new Uint8Array(0)

interface Core extends Instance {
  /** Where the core leaves a digest. */
  readonly digest: Bytes
  readonly resident: Resident
}

/** BLAKE3 on a core. */
export const createBlake3 = (instance: Instance): Blake3 => {
  const core: Core = { ...instance, digest: instance.bytes.subarray(OUT, OUT + DIGEST), resident: { current: null } }
  return {
    hash: (parts) => (isShort(core, parts) ? new Uint8Array(core.digest) : long(core, parts).digest()),
    hashInto: (out, at, parts) => hashInto(core, out, at, parts),
    createHasher: (options) => createHasher(core, options),
    hashManyInto: (messages, out, prefix = NOTHING) => hashMany(core, messages, out, prefix),
    hashEachInto: (packed, length, out) => hashPacked(core, packed, length, out, core.exports.hashEach),
    hashPairsInto: (pairs, out) => hashPacked(core, pairs, 2 * DIGEST, out, core.exports.hashPairs),
    hashChain: (chain) => fold(core, chain),
  }
}

const createHasher = ({ resident, ...core }: Core, { key, context }: HasherOptions): CoreHasher => {
  if (key !== undefined) return new CoreHasher(core, resident, KEYED_HASH, key)
  if (context === undefined) return new CoreHasher(core, resident, 0, IV)
  const contextKey = new CoreHasher(core, resident, DERIVE_KEY_CONTEXT, IV).update(utf8ToBytes(context)).digest()
  return new CoreHasher(core, resident, DERIVE_KEY_MATERIAL, contextKey)
}

/** Whether the parts were short enough to be hashed at once: then the digest is at OUT. */
const isShort = ({ bytes, exports }: Core, parts: readonly Bytes[]): boolean => {
  let size = 0
  for (const part of parts) {
    if (size + part.length > WINDOW) return false
    bytes.set(part, INPUT + size)
    size += part.length
  }
  exports.hash(size)
  return true
}

const long = (core: Core, parts: readonly Bytes[]): CoreHasher => {
  const hasher = createHasher(core, {})
  for (const part of parts) hasher.update(part)
  return hasher
}

const hashInto = (core: Core, out: Bytes, at: number, parts: readonly Bytes[]): void => {
  if (isShort(core, parts)) out.set(core.digest, at)
  else long(core, parts).digestInto(out, at)
}

/** Takes `n` digests of a call that gives at most MOST. */
const take = ({ bytes }: Core, n: number, out: Bytes, at: number): void =>
  out.set(bytes.subarray(DIGESTS, DIGESTS + n * DIGEST), at * DIGEST)

/** Messages of one length behind each other: as many at once as there is room for, in whole groups of four lanes. */
const hashPacked = (core: Core, packed: Bytes, length: number, out: Bytes, call: (n: number, length: number) => void): void => {
  const all = out.length / DIGEST
  const most = Math.min(MOST, Math.floor(ROOM / length) & ~3)
  for (let done = 0; done < all; done += most) {
    const n = Math.min(most, all - done)
    core.bytes.set(n === all ? packed : packed.subarray(done * length, (done + n) * length), INPUT)
    call(n, length)
    take(core, n, out, done)
  }
}

const hashMany = (core: Core, messages: readonly Bytes[], out: Bytes, prefix: Bytes): void => {
  for (let done = 0; done < messages.length; ) {
    const { n, length } = gather(core, messages, done, prefix)
    if (length === null) core.exports.hashMany(n)
    else core.exports.hashEach(n, length)
    take(core, n, out, done)
    done += n
    if (n > 0) continue
    // One that is too long for a batch stands alone.
    hashInto(core, out, done * DIGEST, [prefix, messages[done] as Bytes])
    done++
  }
}

/** Puts as many messages as there is room for into the core, from one on; their length where it is one length of at most a chunk. */
const gather = ({ bytes, words }: Core, messages: readonly Bytes[], from: number, prefix: Bytes) => {
  const first = prefix.length + (messages[from] as Bytes).length
  let isEven = first <= CHUNK
  let size = 0
  let n = 0
  for (; n < MOST && from + n < messages.length; n++) {
    const message = messages[from + n] as Bytes
    const end = size + prefix.length + message.length
    if (end > ROOM || end - size > WINDOW) break
    if (end - size !== first) isEven = false
    words[(OFFSETS >> 2) + n] = size
    if (prefix.length > 0) bytes.set(prefix, INPUT + size)
    bytes.set(message, INPUT + size + prefix.length)
    size = end
  }
  words[(OFFSETS >> 2) + n] = size
  return { n, length: isEven ? first : null }
}

const fold = ({ bytes, exports }: Core, { prefix, start, items, isLeft }: Chain): Bytes => {
  const length = items[0]?.length ?? 0
  const first = INPUT + prefix.length + DIGEST
  const most = Math.min(STEPS, Math.floor((END - SLACK - first) / Math.max(1, length)))
  bytes.set(start, ROOT)
  for (let done = 0; done < items.length; done += most) {
    const n = Math.min(most, items.length - done)
    bytes.set(prefix, INPUT)
    bytes.copyWithin(INPUT + prefix.length, ROOT, ROOT + DIGEST)
    for (let i = 0; i < n; i++) {
      bytes.set(items[done + i] as Bytes, first + i * length)
      bytes[SIDES + i] = isLeft?.[done + i] === true ? 1 : 0
    }
    exports.fold(n, prefix.length, length)
  }
  return bytes.slice(ROOT, ROOT + DIGEST)
}
