import { CoalitionError } from '../error.ts'
import { type Bytes, equal, toHex } from '../primitives/bytes.ts'
import { bool, decode, encode, fixed, option, struct, u64 } from '../primitives/codec.ts'
import { type Block, blockCodec } from './block.ts'
import type { Identity } from './execution.ts'
import { voteKey } from './keys.ts'
import type { Remembered } from './simplex.ts'
import type { Change, Store } from './storage.ts'

const viewCodec = struct('View', {
  view: u64,
  propose: option(fixed(32)),
  notarize: option(fixed(32)),
  nullify: bool,
  finalize: option(fixed(32)),
  notarized: option(fixed(32)),
  nullified: bool,
})

/** Whose record this is: a store that is moved to another member or group must not be voted from. */
const ownerCodec = struct('Owner', { network: fixed(32), group: fixed(32), vote: fixed(32) })

/** Views whose promises are kept: enough for late finalize signatures (PROTOCOL.md section 1). */
const KEPT_VIEWS = 4_096n

/** Everything that this member promised, and the blocks that it promised for, until they are final and on disk elsewhere. */
export class VoteRecord {
  readonly #store: Store
  #pending: Change[] = []

  private constructor(store: Store) {
    this.#store = store
  }

  /** @throws VoteRecordError when the store belongs to another member or cannot be read */
  static async open(store: Store, identity: Identity, vote: Bytes): Promise<VoteRecord> {
    const owner = encode(ownerCodec, { network: identity.network, group: identity.group, vote })
    const stored = await store.get(voteKey.owner)
    if (stored === null) await store.write([{ key: voteKey.owner, value: owner }], { sync: true })
    else if (!equal(stored, owner))
      throw new VoteRecordError(
        'it belongs to another member or group: start with the store and the key that belong together',
        toHex(identity.group),
      )
    return new VoteRecord(store)
  }

  /** What the store says, views ascending, blocks by ascending view. @throws VoteRecordError when a byte of it is wrong */
  async load(): Promise<{ readonly views: readonly Remembered[]; readonly blocks: readonly Block[] }> {
    const views: Remembered[] = []
    const blocks: Block[] = []
    try {
      for await (const [, value] of this.#store.entries(voteKey.views)) {
        const { view, notarized, nullified, ...mine } = decode(viewCodec, value)
        views.push({ view, mine, notarized, nullified })
      }
      for await (const [, value] of this.#store.entries(voteKey.blocks)) blocks.push(decode(blockCodec, value))
    } catch (cause) {
      throw new VoteRecordError(
        'a record cannot be read; this member must not vote again: rejoin by Reconfigure with a new vote key',
        '',
        cause,
      )
    }
    return { views, blocks }
  }

  remember({ view, mine, notarized, nullified }: Remembered): void {
    this.#pending.push({ key: voteKey.view(view), value: encode(viewCodec, { view, ...mine, notarized, nullified }) })
  }

  keep(block: Block): void {
    this.#pending.push({ key: voteKey.block(block.header.view), value: encode(blockCodec, block) })
  }

  /** Lets go of blocks up to `view`, which the archive holds for good. Written with the next flush. */
  async forget(view: bigint): Promise<void> {
    for await (const [key] of this.#store.entries({ from: voteKey.block(0n), to: voteKey.block(view + 1n) }))
      this.#pending.push({ key, value: null })
    if (view <= KEPT_VIEWS) return
    for await (const [key] of this.#store.entries({ from: voteKey.view(0n), to: voteKey.view(view - KEPT_VIEWS) }))
      this.#pending.push({ key, value: null })
  }

  /** Puts everything remembered since the last call on disk. Nothing that depends on it may leave the machine before this resolves. */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) return
    const changes = this.#pending
    this.#pending = []
    await this.#store.write(changes, { sync: true })
  }

  /** Durably notes the one answer to a question about the outside; false when another one was given before. */
  async answer(question: Bytes, value: Bytes): Promise<boolean> {
    const key = voteKey.observed(question)
    const before = await this.#store.get(key)
    if (before !== null) return equal(before, value)
    await this.#store.write([{ key, value }], { sync: true })
    return true
  }
}

export class VoteRecordError extends CoalitionError {
  constructor(problem: string, group: string, cause?: unknown) {
    super('Storage.VoteRecordError', `vote record refused: ${problem}`, { problem, group }, cause === undefined ? {} : { cause })
  }
}
