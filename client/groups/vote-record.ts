import { hash } from '../../wasm/core.ts'
import { CoalitionError } from '../error.ts'
import { type Bytes, concat, equal, toHex, u32le, utf8 } from '../primitives/bytes.ts'
import { bool, decode, encode, fixed, type Of, option, struct, text, u8, u64, vector } from '../primitives/codec.ts'
import { blockCodec } from './block.ts'
import type { Identity } from './execution.ts'
import { voteKey } from './keys.ts'
import type { Remembered, Signatures } from './simplex/index.ts'
import type { Change, Store } from './storage.ts'

const castCodec = vector(struct('Cast', { member: u8, signature: fixed(64) }), 64)
const viewCodec = struct('View', {
  view: u64,
  propose: option(fixed(32)),
  notarize: option(fixed(32)),
  nullify: bool,
  finalize: option(fixed(32)),
  notarized: option(fixed(32)),
  notarizers: castCodec,
  nullified: bool,
  nullifiers: castCodec,
})
/** A block that is not final yet, with its leader's propose vote. */
export const proposalCodec = struct('Proposal', { block: blockCodec, signature: fixed(64) })
export type Proposal = Of<typeof proposalCodec>

/** Whose record this is: a store that is moved to another member or group must not be voted from. */
const ownerCodec = struct('Owner', { network: fixed(32), group: fixed(32), vote: fixed(32) })

/** Views whose promises are kept: enough for late finalize signatures (PROTOCOL.md section 1). */
const KEPT_VIEWS = 4_096n
const WHAT_TO_DO =
  'this member must not vote again; it goes on following and serving. Make a new folder with `coalition member init` and rejoin by Reconfigure with its new vote key'

/** Everything that this member promised, and the blocks that it promised for, until they are final and on disk elsewhere. */
export class VoteRecord {
  readonly #store: Store
  readonly #group: string
  /** Exclusive or of H(key ‖ value) over views and answers: one digest of the set that each batch brings up to date. */
  readonly #sum: Bytes = new Uint8Array(32)
  /** What each view adds to the sum, by key in hex: a view is written again as promises are added to it. */
  readonly #parts = new Map<string, Bytes>()
  #pending = new Map<string, Change>()
  #turn: Promise<void> = Promise.resolve()
  /** Views below this one are let go of. */
  #forgotten = 0n

  private constructor(store: Store, group: string) {
    this.#store = store
    this.#group = group
  }

  /**
   * Opens a record and checks that it is whole. LevelDB drops a damaged part of its log and goes on, so what is left may read well and
   * still lack a promise.
   * @throws VoteRecordError when the store belongs to another member, was damaged, or has ended
   */
  static async open(store: Store, identity: Identity, vote: Bytes): Promise<VoteRecord> {
    const group = toHex(identity.group)
    const owner = encode(ownerCodec, { network: identity.network, group: identity.group, vote })
    const stored = await read(group, () => store.get(voteKey.owner))
    if (stored === null) {
      const changes = [
        { key: voteKey.owner, value: owner },
        { key: voteKey.sum, value: new Uint8Array(32) },
      ]
      await store.write(changes, { sync: true })
    } else if (!equal(stored, owner)) throw new VoteRecordOwnerError(group)
    const ended = await read(group, () => store.get(voteKey.ended))
    if (ended !== null) throw new VoteRecordError(`${decode(text(1_024), ended)}; ${WHAT_TO_DO}`, group)
    const record = new VoteRecord(store, group)
    await read(group, () => record.#add())
    const sum = await read(group, () => store.get(voteKey.sum))
    if (sum === null || !equal(sum, record.#sum)) throw new VoteRecordError(`a part of it is missing or changed; ${WHAT_TO_DO}`, group)
    return record
  }

  /** What the store says, views ascending, blocks by ascending view. @throws VoteRecordError when a byte of it is wrong */
  async load(): Promise<{ readonly views: readonly Remembered[]; readonly proposals: readonly Proposal[] }> {
    return read(this.#group, async () => {
      const views: Remembered[] = []
      const proposals: Proposal[] = []
      for await (const [, value] of this.#store.entries(voteKey.views)) views.push(readView(value))
      for await (const [, value] of this.#store.entries(voteKey.blocks)) proposals.push(decode(proposalCodec, value))
      const newest = views.at(-1)?.view ?? 0n
      if (newest > KEPT_VIEWS) this.#forgotten = newest - KEPT_VIEWS
      return { views, proposals }
    })
  }

  /** Whether a promise of this view would still be here. */
  keeps(view: bigint): boolean {
    return view >= this.#forgotten
  }

  /** What is on disk of one view. */
  async view(view: bigint): Promise<Remembered | null> {
    const value = await this.#store.get(voteKey.view(view))
    return value === null ? null : readView(value)
  }

  remember({ view, mine, notarized, notarizers, nullified, nullifiers }: Remembered): void {
    const value = { view, ...mine, notarized, notarizers: castsOf(notarizers), nullified, nullifiers: castsOf(nullifiers) }
    this.#put(voteKey.view(view), encode(viewCodec, value))
  }

  keep(proposal: Proposal, hash: Bytes): void {
    this.#put(voteKey.block(proposal.block.header.view, hash), encode(proposalCodec, proposal))
  }

  /** Index of a block that the archive held for good once; 0 before the first. */
  async final(): Promise<bigint> {
    const stored = await this.#store.get(voteKey.final)
    return stored === null ? 0n : decode(u64, stored)
  }

  /** Lets go of blocks up to `view`, which the archive holds for good up to `index`. Written with the next flush. */
  async forget(view: bigint, index: bigint): Promise<void> {
    this.#put(voteKey.final, encode(u64, index))
    for await (const [key] of this.#store.entries(voteKey.blocksOf(0n, view + 1n))) this.#put(key, null)
    if (view <= KEPT_VIEWS) return
    this.#forgotten = view - KEPT_VIEWS
    for await (const [key] of this.#store.entries(voteKey.viewsOf(0n, view - KEPT_VIEWS))) this.#put(key, null)
  }

  /** Puts everything remembered so far on disk. Nothing that depends on it may leave the machine before this resolves. */
  flush(): Promise<void> {
    // One after the other: the sum of a later batch must not be overwritten by that of an earlier one.
    const flushed = this.#turn.then(() => this.#write())
    this.#turn = flushed.catch(() => {})
    return flushed
  }

  async #write(): Promise<void> {
    if (this.#pending.size === 0) return
    const changes = [...this.#pending.values()]
    this.#pending = new Map()
    for (const { key, value } of changes) this.#count(key, value)
    await this.#store.write([...changes, { key: voteKey.sum, value: new Uint8Array(this.#sum) }], { sync: true })
  }

  /** Durably notes the one answer to a question about the outside; false when another one was given before. */
  async answer(question: Bytes, value: Bytes): Promise<boolean> {
    const key = voteKey.observed(question)
    const before = this.#pending.get(toHex(key))?.value ?? (await this.#store.get(key))
    if (before !== null) return equal(before, value)
    this.#put(key, value)
    await this.flush()
    return true
  }

  /** The answer that was given to a question, or null. */
  async answered(question: Bytes): Promise<Bytes | null> {
    const key = voteKey.observed(question)
    return this.#pending.get(toHex(key))?.value ?? this.#store.get(key)
  }

  /** Durably ends this member's voting. */
  async end(reason: string): Promise<VoteRecordError> {
    await this.#store.write([{ key: voteKey.ended, value: encode(text(1_024), reason.slice(0, 1_000)) }], { sync: true })
    return new VoteRecordError(`${reason}; ${WHAT_TO_DO}`, this.#group)
  }

  async #add(): Promise<void> {
    for (const span of [voteKey.views, voteKey.observations])
      for await (const [key, value] of this.#store.entries(span)) this.#count(key, value)
  }

  #put(key: Bytes, value: Bytes | null): void {
    this.#pending.set(toHex(key), { key, value })
  }

  #count(key: Bytes, value: Bytes | null): void {
    if (!isCounted(key)) return
    // An answer is given once and stays: what it adds is never taken back.
    if (isAnswer(key)) {
      if (value !== null) toggle(this.#sum, partOf(key, value))
      return
    }
    const name = toHex(key)
    const before = this.#parts.get(name)
    if (before !== undefined) toggle(this.#sum, before)
    this.#parts.delete(name)
    if (value === null) return
    const part = partOf(key, value)
    this.#parts.set(name, part)
    toggle(this.#sum, part)
  }
}

// Blocks are not: they hash to what the views name, and are checked when they are executed again.
const isAnswer = (key: Bytes): boolean => key[0] === voteKey.observations.from[0]
const isCounted = (key: Bytes): boolean => key[0] === voteKey.views.from[0] || isAnswer(key)
const partOf = (key: Bytes, value: Bytes): Bytes => hash(concat(utf8('coalition vote record v1|'), u32le(key.length), key, value))
const toggle = (sum: Bytes, part: Bytes): void => {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) ^ (part[i] as number)
}

const castsOf = (signatures: Signatures) => [...signatures].map(([member, signature]) => ({ member, signature }))
const signaturesOf = (casts: Of<typeof castCodec>): Signatures => new Map(casts.map(({ member, signature }) => [member, signature]))
const readView = (value: Bytes): Remembered => {
  const { view, notarized, notarizers, nullified, nullifiers, ...mine } = decode(viewCodec, value)
  return { view, mine, notarized, notarizers: signaturesOf(notarizers), nullified, nullifiers: signaturesOf(nullifiers) }
}

const read = async <T>(group: string, run: () => Promise<T>): Promise<T> => {
  try {
    return await run()
  } catch (cause) {
    if (cause instanceof VoteRecordError) throw cause
    throw new VoteRecordError(`a part of it cannot be read; ${WHAT_TO_DO}`, group, cause)
  }
}

/** A vote record that may lack a vote: its member must not vote again, and serves what it has. */
export class VoteRecordError extends CoalitionError {
  constructor(problem: string, group: string, cause?: unknown) {
    super('Storage.VoteRecordError', `vote record refused: ${problem}`, { problem, group }, cause === undefined ? {} : { cause })
  }
}

/** A store that was moved: nothing is lost, it only has to be put back. */
export class VoteRecordOwnerError extends CoalitionError {
  constructor(group: string) {
    super(
      'Storage.VoteRecordOwnerError',
      'vote record refused: it belongs to another member or group: start with the store and the key that belong together',
      { group },
    )
  }
}
