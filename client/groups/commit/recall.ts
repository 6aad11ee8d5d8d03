import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { commitHash } from '../block.ts'
import type { History } from '../history.ts'
import { thresholds } from '../roster.ts'
import type { Promises, Simplex, Vote } from '../simplex/index.ts'
import type { VoteRecord } from '../vote-record.ts'

/**
 * The rule of a start (PROTOCOL.md section 1, "Loss"): before a member votes, n − quorum + 1 others say which vote of it they know last. Any
 * quorum that counted a vote of it has one of them in it, so a record that was put back from an older copy cannot go unnoticed.
 */
export class Recall {
  readonly #needed: number
  readonly #heard = new Set<number>()

  constructor(n: number, others: readonly number[]) {
    this.#needed = Math.min(n - thresholds(n).quorum + 1, others.length)
  }

  get isComplete(): boolean {
    return this.#heard.size >= this.#needed
  }

  /** What another member holds of our votes. Says what our record lacks of them, or null. */
  async heard(from: number, votes: readonly Vote[], simplex: Simplex, record: VoteRecord): Promise<string | null> {
    for (const vote of votes) {
      const mine = simplex.promised(vote.view) ?? (await record.view(vote.view))?.mine ?? null
      if (record.keeps(vote.view) && !(mine !== null && holds(mine, vote)))
        return `member ${from} shows a ${vote.kind} vote of this member in view ${vote.view} on ${toHex(vote.hash)}, which its own record lacks: the record is an old copy`
    }
    this.#heard.add(from)
    return null
  }

  /** The votes of a member in the newest view that we know one of, at most four. */
  newestOf<S, C>(member: number, simplex: Simplex, history: History<S, C>): readonly Vote[] {
    const votes: Vote[] = simplex.votesFrom(0n).filter((vote) => vote.member === member)
    const signed = history.signedBy(member)
    if (signed !== null) {
      const { header, seal, signature } = signed
      votes.push({ view: seal.view, kind: 'finalize', hash: commitHash(header), member, signature })
    }
    let newest = 0n
    for (const { view } of votes) if (view > newest) newest = view
    return votes.filter(({ view }) => view === newest).slice(0, 4)
  }
}

const holds = (mine: Promises, { kind, hash }: Vote): boolean => {
  if (kind === 'nullify') return mine.nullify
  const promised: Bytes | null = mine[kind]
  return promised !== null && equal(promised, hash)
}
