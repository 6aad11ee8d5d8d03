// docs/wire.md, section 6, "Agreement": how claims become agreed blocks, and agreed blocks others. Written from the list there, item by item,
// with everything that was ever agreed kept in one pile.

import { encode } from './bcs.ts'
import { faults, quorum } from './committee.ts'
import { type Bytes, hex, same } from './hash.ts'
import { BlockFacts, type Reversal } from './tally.ts'

export interface Claim {
  member: number
  number: bigint
  round: number
  value: BlockFacts
}

/** Claims of one round, by member. */
type Round = Map<number, BlockFacts>

interface Floor {
  value: BlockFacts
  round: number
  revision: number
  /** Whom its attribution gave to; null without one. */
  gave: Bytes[] | null
}

export interface Terms {
  members: number
  depth: boolean
  chainId: bigint
  origin: { number: bigint; hash: Bytes }
}

const REVERSIBLE = 64
const WAITING = 1_024

export class Agreement {
  readonly terms: Terms
  /** Agreed blocks from origin.number + 1 on. */
  pile: Floor[] = []
  /** How many of the pile, from below, are reversible no more. */
  forGood = 0
  contested: bigint | null = null
  round = 0
  heard: Round = new Map()
  /** m of "Split". */
  m: bigint | null = null
  /** Claims of another hash in the round after a reversible block's own, by number. */
  readonly against = new Map<bigint, Round>()
  /** Where heights that were asked about before are taken up, and how many of their attributions were reversed. */
  readonly takenUp = new Map<bigint, number>()
  readonly revisions = new Map<bigint, number>()
  waiting: bigint[] = []

  constructor(terms: Terms) {
    this.terms = terms
  }

  get last(): bigint {
    return this.terms.origin.number + BigInt(this.pile.length)
  }

  get asked(): bigint {
    return this.contested ?? this.last + 1n
  }

  /** A claim in a block of that index and time. What is appended. */
  hear(claim: Claim, index: bigint, committedAt: bigint): Reversal[] {
    if (claim.number === this.asked) return this.answer(claim, index, committedAt)
    this.object(claim)
    const said = this.against.get(claim.number)
    if (said === undefined || said.size < faults(this.terms.members) + 1) return []
    this.contest(claim.number, said)
    return this.decide(claim.value, index, committedAt)
  }

  /** Proofs of the oldest waiting block. */
  attribute(number: bigint, gave: Bytes[]): void {
    if (this.waiting[0] !== number || (this.contested !== null && number >= this.contested)) return
    this.waiting.shift()
    this.floor(number).gave = gave
  }

  private floor(number: bigint): Floor {
    const found = this.pile[this.place(number)]
    if (found === undefined) throw new Error(`nothing agreed at ${number}`)
    return found
  }

  private place = (number: bigint): number => Number(number - this.terms.origin.number) - 1

  private below(number: bigint): Bytes {
    return number === this.terms.origin.number + 1n ? this.terms.origin.hash : this.floor(number - 1n).value.hash
  }

  private answer({ member, round, value }: Claim, index: bigint, committedAt: bigint): Reversal[] {
    if (!same(value.parent, this.below(this.asked))) return []
    if (this.contested === null && this.waiting.length >= WAITING) return []
    const wait = BigInt(faults(this.terms.members) + 1)
    const opens = this.terms.depth && round === this.round + 1 && this.m !== null && index >= this.m + wait
    if (opens) this.ask(this.contested, round)
    if (round !== this.round || this.heard.has(member)) return []
    this.heard.set(member, value)
    return this.decide(value, index, committedAt)
  }

  private object({ member, number, round, value }: Claim): void {
    const place = this.place(number)
    const stands = this.pile[place]
    if (!this.terms.depth || stands === undefined || place < this.forGood) return
    if (this.contested !== null && number > this.contested) return
    if (round !== stands.round + 1 || same(value.hash, stands.value.hash) || !same(value.parent, this.below(number))) return
    const said = this.against.get(number) ?? new Map<number, BlockFacts>()
    if (!said.has(member)) said.set(member, value)
    this.against.set(number, said)
  }

  private contest(number: bigint, said: Round): void {
    if (this.contested === null) this.takenUp.set(this.last + 1n, this.round + 2)
    else this.floor(this.contested).round = this.round + 1
    this.against.delete(number)
    this.ask(number, this.floor(number).round + 1)
    this.heard = said
  }

  private ask(contested: bigint | null, round: number): void {
    this.contested = contested
    this.round = round
    this.heard = new Map()
    this.m = null
  }

  private decide(value: BlockFacts, index: bigint, committedAt: bigint): Reversal[] {
    const bytes = hex(encode(BlockFacts, value))
    const alike = [...this.heard.values()].filter((other) => hex(encode(BlockFacts, other)) === bytes)
    const enough = quorum(this.terms.members)
    if (alike.length < enough) {
      if (this.heard.size >= enough) this.m ??= index
      return []
    }
    if (this.contested === null) {
      this.agree(value)
      return []
    }
    const stands = this.floor(this.contested)
    if (!same(stands.value.hash, value.hash)) return this.reverse(this.contested, value, committedAt)
    stands.round = this.round
    this.ask(null, this.takenUp.get(this.last + 1n) ?? 0)
    return []
  }

  private agree(value: BlockFacts): void {
    const number = this.last + 1n
    this.pile.push({ value, round: this.round, revision: this.revisions.get(number) ?? 0, gave: null })
    if (!this.terms.depth) this.forGood = this.pile.length
    this.forGood = Math.max(this.forGood, this.pile.length - REVERSIBLE)
    if (value.count > 0) this.waiting.push(number)
    this.takenUp.delete(number)
    this.ask(null, this.takenUp.get(number + 1n) ?? 0)
  }

  private reverse(number: bigint, value: BlockFacts, committedAt: bigint): Reversal[] {
    const gone = this.pile.splice(this.place(number))
    const out: Reversal[] = []
    for (const [i, floor] of gone.entries()) {
      const slot = number + BigInt(i)
      this.against.delete(slot)
      this.takenUp.set(slot, floor.round + 2)
      this.revisions.set(slot, floor.revision + (floor.gave === null ? 0 : 1))
      if (floor.gave === null) continue
      const reason = { is: 'reorganised', value: { number, hash: value.hash } } as const
      const of = { slot, revision: floor.revision }
      out.push({ of, chainId: this.terms.chainId, blockHash: floor.value.hash, reason, addresses: floor.gave, committedAt })
    }
    this.waiting = this.waiting.filter((each) => each < number)
    this.agree(value)
    return out
  }

  /** What is asked and how far it is, the name of the last agreed block, and how many wait: `asked/round/heard/m last waiting`. */
  show(nameOf: (hash: Bytes) => string): string {
    const hash = this.pile.at(-1)?.value.hash ?? this.terms.origin.hash
    const asked = `${this.asked}${this.contested === null ? '' : '!'}/${this.round}/${this.heard.size}/${this.m ?? '-'}`
    return `${asked} ${nameOf(hash)} ${this.waiting.length}`
  }
}
