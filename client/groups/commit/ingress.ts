import type { Host } from '../../network/host.ts'
import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { DecodeError, decode, encode } from '../../primitives/codec.ts'
import type { Admission } from '../admission.ts'
import { BLOCK_LIMITS, type Block, blockCodec, type Command, commitHash, type Header, type Seal, voteMessage } from '../block.ts'
import { verifySeal } from '../certificate.ts'
import type { Identity } from '../execution.ts'
import { thresholds } from '../roster.ts'
import type { Vote } from '../simplex/index.ts'
import type { Proposal } from '../vote-record.ts'
import { type Message, type MessageOf, messageCodec, toVote } from './messages.ts'

/** What a member does with what others say, once it is known to be theirs. */
export interface Desk {
  /** Whether a vote is counted already, or too far from the own views to be of use: neither is verified. */
  readonly isIdle: (vote: Vote, from: number) => boolean
  /** Whether a proposal is of use: near, not held, and not one too many of its view. */
  readonly isWanted: (header: Header, hash: Bytes) => boolean
  readonly vote: (vote: Vote) => void
  /** A block that its leader signed, and whose commands are all admitted. */
  readonly proposal: (from: number, proposal: Proposal, proposed: Vote) => void
  readonly command: (from: number, command: Command) => void
  readonly status: (from: number, status: MessageOf<'status'>) => void
  readonly fetch: (from: number, index: bigint) => void
  /** Final blocks in a row, the last of them certified, all commands admitted. */
  readonly blocks: (from: number, blocks: readonly Block[], seal: Seal) => void
  readonly want: (from: number, hash: Bytes) => void
  readonly recall: (from: number) => void
  /** Votes of our own that another member holds. */
  readonly recalled: (from: number, votes: readonly Vote[]) => void
  readonly refused: (from: number, problem: string) => void
}

/** Proposals, commands and blocks of one member that are checked at once; while they are, no more is read from it. */
const LANE = 8

/** Reads what other members send: decoded, bounded, every signature checked, before anything of it is acted on. */
export class Ingress<S, C> {
  readonly #identity: Identity
  readonly #member: number
  readonly #admission: Admission<S, C>
  readonly #host: Pick<Host, 'verify'>
  readonly #desk: Desk
  readonly #busy = new Map<number, Set<Promise<void>>>()

  constructor(identity: Identity, member: number, admission: Admission<S, C>, host: Pick<Host, 'verify'>, desk: Desk) {
    this.#identity = identity
    this.#member = member
    this.#admission = admission
    this.#host = host
    this.#desk = desk
  }

  /** Resolves when the next message of that member may be read. @throws DecodeError: what follows such bytes is of no use either */
  async receive(from: number, bytes: Bytes): Promise<void> {
    try {
      await this.#dispatch(from, decode(messageCodec, bytes))
    } catch (error) {
      this.#refuse(from, error)
      if (error instanceof DecodeError) throw error
    }
  }

  async #dispatch(from: number, message: Message): Promise<void> {
    const desk = this.#desk
    switch (message.kind) {
      case 'votes':
        return this.#votes(from, message.value.map(toVote))
      case 'proposal':
        return this.#lane(from, () => this.#proposal(from, message.value))
      case 'commands':
        return this.#lane(from, () => this.#commands(from, message.value))
      case 'blocks':
        return this.#lane(from, () => this.#blocks(from, message.value))
      case 'status':
        return desk.status(from, message.value)
      case 'fetch':
        return desk.fetch(from, message.value.from)
      case 'want':
        return desk.want(from, message.value.hash)
      case 'recall':
        return desk.recall(from)
      case 'recalled':
        return this.#recalled(from, message.value.map(toVote))
    }
  }

  // What takes long is not waited for: a member's votes must not stand behind its proposal.
  async #lane(from: number, work: () => Promise<void>): Promise<void> {
    const lane = this.#busy.get(from) ?? new Set()
    this.#busy.set(from, lane)
    const running: Promise<void> = work()
      .catch((error: unknown) => this.#refuse(from, error))
      .finally(() => lane.delete(running))
    lane.add(running)
    if (lane.size >= LANE) await Promise.race(lane)
  }

  async #votes(from: number, votes: readonly Vote[]): Promise<void> {
    const fresh = votes.filter((vote) => !this.#desk.isIdle(vote, from))
    const good = await Promise.all(fresh.map((vote) => this.#isSigned(vote)))
    const wrong = good.indexOf(false)
    if (wrong >= 0) this.#desk.refused(from, `the ${fresh[wrong]?.kind} vote of member ${fresh[wrong]?.member} is not signed by it`)
    for (const [i, vote] of fresh.entries()) if (good[i]) this.#desk.vote(vote)
  }

  async #recalled(from: number, votes: readonly Vote[]): Promise<void> {
    const own = votes.filter(({ member }) => member === this.#member)
    const good = await Promise.all(own.map((vote) => this.#isSigned(vote)))
    this.#desk.recalled(
      from,
      own.filter((_, i) => good[i]),
    )
  }

  #isSigned({ view, kind, hash, member, signature }: Vote): Promise<boolean> {
    const key = this.#identity.roster.members[member]?.vote
    if (key === undefined) return Promise.resolve(false)
    return this.#host.verify(signature, voteMessage(this.#identity.rosterId, view, kind, hash), key)
  }

  async #proposal(from: number, { block, signature }: Proposal): Promise<void> {
    const { header } = block
    const hash = commitHash(header)
    if (!this.#desk.isWanted(header, hash)) return
    if (encode(blockCodec, block).length > BLOCK_LIMITS.bytes) throw new RangeError(`a block of more than ${BLOCK_LIMITS.bytes} bytes`)
    const leader = Number(header.view % BigInt(this.#identity.roster.members.length))
    const proposed = { view: header.view, kind: 'propose', hash, member: leader, signature } as const
    if (!(await this.#isSigned(proposed))) throw new RangeError(`block ${toHex(hash)} is not signed by the leader of view ${header.view}`)
    const commands = await this.#admission.admitAll(block.commands)
    this.#desk.proposal(from, { block: { header, commands: [...commands] }, signature }, proposed)
  }

  async #commands(from: number, commands: readonly Command[]): Promise<void> {
    const admitted = await Promise.allSettled(commands.map((command) => this.#admission.admit(command)))
    for (const outcome of admitted)
      if (outcome.status === 'fulfilled') this.#desk.command(from, outcome.value)
      else this.#refuse(from, outcome.reason)
  }

  async #blocks(from: number, { blocks, seal }: MessageOf<'blocks'>): Promise<void> {
    const { roster, rosterId } = this.#identity
    const last = blocks.at(-1)
    if (last === undefined) return
    const needed = thresholds(roster.members.length).quorum
    await verifySeal({ header: last.header, seal, roster, rosterId, needed, verify: this.#host.verify })
    const admitted = await Promise.all(blocks.map((block) => this.#admission.admitAll(block.commands)))
    this.#desk.blocks(
      from,
      blocks.map(({ header }, i) => ({ header, commands: [...(admitted[i] ?? [])] })),
      seal,
    )
  }

  #refuse(from: number, error: unknown): void {
    this.#desk.refused(from, error instanceof Error ? error.message : String(error))
  }
}
