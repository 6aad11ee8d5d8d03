import type { Bytes } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { type Command, commandCodec } from '../block.ts'
import type { Branches } from '../branches.ts'
import type { Committee } from '../committee.ts'
import type { Effect, Vote } from '../simplex/index.ts'
import { COMMIT_LIMITS, encodeMessage, fromVote, type Message, parts } from './messages.ts'

/** Bytes of an encoded vote: view, kind, hash, member, signature. */
const VOTE_BYTES = 8 + 1 + 32 + 1 + 64

/** What a member sends to the others. */
export class Mail {
  readonly #committee: Committee
  readonly #others: readonly number[]
  #commands: Command[] = []

  constructor(committee: Committee, others: readonly number[]) {
    this.#committee = committee
    this.#others = others
  }

  to = (member: number, message: Message): void => {
    this.#committee.send(member, encodeMessage(message))
  }

  all(message: Message): void {
    if (this.#others.length === 0) return
    this.#post(encodeMessage(message))
  }

  /** What a turn cast: a propose vote travels with its block, the others by themselves. */
  cast<S, C>(effects: readonly Effect[], branches: Branches<S, C>): void {
    const votes = effects.flatMap((effect) => (effect.kind === 'vote' ? [effect.vote] : []))
    for (const { kind, hash, signature } of votes) {
      const held = kind === 'propose' ? branches.get(hash) : null
      if (held?.block != null) this.all({ kind: 'proposal', value: { block: held.block, signature } })
    }
    this.votes(votes.filter(({ kind }) => kind !== 'propose'))
  }

  votes(votes: readonly Vote[]): void {
    for (const part of partsOf(votes)) this.all(part)
  }

  votesTo(member: number, votes: readonly Vote[]): void {
    for (const part of partsOf(votes)) this.to(member, part)
  }

  recalled(member: number, votes: readonly Vote[]): void {
    this.to(member, { kind: 'recalled', value: votes.map(fromVote) })
  }

  /** Puts a command aside for the next `flush`: those of one turn travel together. */
  spread(command: Command): void {
    if (this.#others.length > 0) this.#commands.push(command)
  }

  flush(): void {
    const commands = this.#commands
    this.#commands = []
    const sizes = (command: Command): number => encode(commandCodec, command).length
    for (const value of parts(commands, sizes, COMMIT_LIMITS.commands)) this.all({ kind: 'commands', value: [...value] })
  }

  #post(bytes: Bytes): void {
    for (const member of this.#others) this.#committee.send(member, bytes)
  }
}

const partsOf = (votes: readonly Vote[]): readonly Message[] =>
  parts(votes, () => VOTE_BYTES, COMMIT_LIMITS.votes).map((part) => ({ kind: 'votes', value: part.map(fromVote) }))
