import type { Host } from '../../network/host.ts'
import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import type { Archive } from '../archive.ts'
import { type Block, blockCodec } from '../block.ts'
import { COMMIT_LIMITS, type Message, type MessageOf } from './messages.ts'

/** What another member is known to have. */
export interface Position {
  readonly member: number
  readonly isUp: boolean
  /** Newest final block that it spoke of. */
  readonly index: bigint
}

export interface CatchUpOptions<S, C> {
  readonly archive: Archive<S, C>
  readonly host: Pick<Host, 'now'>
  readonly newest: () => bigint
  readonly view: () => bigint
  readonly send: (to: number, message: Message) => void
  readonly others: readonly number[]
}

/** How long an answer to a question is waited for before another member is asked. */
const PATIENCE_MS = 2_000
/** Least time between two questions of one kind. */
const PACE_MS = 100
/** Bytes of the headers, counts and seal around a batch's blocks. */
const ROOM = 64 * 1024

/** Brings a member that is behind to where the others are: final blocks by their certificates, one batch after the other. */
export class CatchUp<S, C> {
  readonly #o: CatchUpOptions<S, C>
  readonly #index = new Map<number, bigint>()
  readonly #up = new Set<number>()
  readonly #wanted = new Map<string, number>()
  readonly #serving = new Set<number>()
  #fetching: { readonly member: number; readonly from: bigint; readonly at: number } | null = null
  #asked = Number.NEGATIVE_INFINITY
  #turn = 0

  constructor(options: CatchUpOptions<S, C>) {
    this.#o = options
  }

  positions(): readonly Position[] {
    return this.#o.others.map((member) => ({ member, isUp: this.#up.has(member), index: this.#index.get(member) ?? 0n }))
  }

  reach(member: number, isUp: boolean): void {
    if (!isUp) {
      this.#up.delete(member)
      if (this.#fetching?.member === member) this.#fetching = null
      return
    }
    this.#up.add(member)
    this.#o.send(member, this.#status(true))
  }

  /** Tells everybody where we are, and asks for what they have beyond it. */
  ask(): void {
    for (const member of this.#up) this.#o.send(member, this.#status(true))
  }

  /** A vote from far ahead: whoever sent it has final blocks that we lack. */
  suspect(member: number): void {
    if (this.#o.host.now() - this.#asked < PACE_MS) return
    this.#asked = this.#o.host.now()
    this.#o.send(member, this.#status(true))
  }

  /** A member votes in a view after our newest block: it has that block, or does without it. */
  seen(member: number): void {
    const newest = this.#o.newest()
    if ((this.#index.get(member) ?? 0n) < newest) this.#index.set(member, newest)
  }

  heard(member: number, { index }: MessageOf<'status'>): void {
    this.#index.set(member, index)
    this.next()
  }

  /** Asks for the next final blocks, if somebody has any and nobody was asked just now. */
  next(): void {
    const newest = this.#o.newest()
    const now = this.#o.host.now()
    if (this.#fetching !== null && this.#fetching.from > newest && now - this.#fetching.at < PATIENCE_MS) return
    this.#fetching = null
    const ahead = [...this.#up].filter((member) => (this.#index.get(member) ?? 0n) > newest)
    // Not the same one again: it may be the one that does not answer.
    const member = ahead[this.#turn++ % Math.max(1, ahead.length)]
    if (member === undefined) return
    this.#fetching = { member, from: newest + 1n, at: now }
    this.#o.send(member, { kind: 'fetch', value: { from: newest + 1n } })
  }

  /** Asks one member, another one each time, for blocks that we once had. False when nobody is there. */
  fetch(index: bigint): boolean {
    const up = [...this.#up]
    const member = up[this.#turn++ % Math.max(1, up.length)]
    if (member !== undefined) this.#o.send(member, { kind: 'fetch', value: { from: index } })
    return member !== undefined
  }

  /** Blocks of a member were taken in, or were of no use. */
  arrived(member: number): void {
    if (this.#fetching?.member === member) this.#fetching = null
    this.next()
    // Nobody is known to be further: what is left to learn is what was said since the last final block.
    if (this.#fetching === null) this.#o.send(member, this.#status(true))
  }

  /** Asks for blocks that are not final yet, each of one member at a time. */
  want(blocks: readonly { readonly view: bigint; readonly hash: Bytes }[]): void {
    const now = this.#o.host.now()
    for (const [name, at] of this.#wanted) if (now - at > PATIENCE_MS) this.#wanted.delete(name)
    for (const { view, hash } of blocks) {
      const name = toHex(hash)
      if (now - (this.#wanted.get(name) ?? Number.NEGATIVE_INFINITY) < PACE_MS) continue
      const up = [...this.#up]
      const member = up[this.#turn++ % Math.max(1, up.length)]
      if (member === undefined) return
      this.#wanted.set(name, now)
      this.#o.send(member, { kind: 'want', value: { view, hash } })
    }
  }

  /** Answers `fetch`: as many blocks as fit, up to the last that has a certificate of its own. */
  async serve(member: number, from: bigint): Promise<void> {
    // One batch at a time: whoever asks faster than it can be read is not waiting for the answers.
    if (this.#serving.has(member)) return
    this.#serving.add(member)
    try {
      await this.#serve(member, from)
    } finally {
      this.#serving.delete(member)
    }
  }

  async #serve(member: number, from: bigint): Promise<void> {
    const newest = this.#o.newest()
    const blocks: Block[] = []
    let left = COMMIT_LIMITS.frame - ROOM
    for (let index = from > 0n ? from : 1n; index <= newest && blocks.length < COMMIT_LIMITS.blocks; index++) {
      const block = await this.#o.archive.block(index)
      left -= block === null ? 0 : encode(blockCodec, block).length
      if (block === null || left < 0) break
      blocks.push(block)
    }
    for (; blocks.length > 0; blocks.pop()) {
      const seal = await this.#o.archive.seal((blocks.at(-1) as Block).header.index)
      if (seal === null) continue
      this.#o.send(member, { kind: 'blocks', value: { blocks, seal } })
      return
    }
  }

  #status(ask: boolean): Message {
    return { kind: 'status', value: { index: this.#o.newest(), view: this.#o.view(), ask } }
  }

  /** Our own position, without a question: the answer to one. */
  answer(member: number): void {
    this.#o.send(member, this.#status(false))
  }
}
