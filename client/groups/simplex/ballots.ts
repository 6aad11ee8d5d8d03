import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import type { VoteKind } from '../block.ts'

export interface Vote {
  readonly view: bigint
  readonly kind: VoteKind
  readonly hash: Bytes
  readonly member: number
  readonly signature: Bytes
}

/** What this member has promised in one view. It only ever grows. */
export interface Promises {
  propose: Bytes | null
  notarize: Bytes | null
  nullify: boolean
  finalize: Bytes | null
}

/** Signatures by place in the roster. */
export type Signatures = ReadonlyMap<number, Bytes>

/** What a member knows of a view after a restart, from its synced store; the signatures are those of the votes acted on. */
export interface Remembered {
  readonly view: bigint
  readonly mine: Promises
  readonly notarized: Bytes | null
  readonly notarizers: Signatures
  readonly nullified: boolean
  readonly nullifiers: Signatures
}

/** Two votes of one member of which an honest one casts at most one. Their signatures make it evidence that travels. */
export interface Contradiction {
  readonly first: Vote
  readonly second: Vote
}

export const noPromises = (): Promises => ({ propose: null, notarize: null, nullify: false, finalize: null })

/** Distinct hashes of one kind that are counted for a member in one view: a liar's third adds nothing to what two show. */
const MOST_HASHES = 2
const NOBODY: Signatures = new Map()

/** The votes of one view. */
export class Ballots {
  readonly mine: Promises = noPromises()
  notarized: Bytes | null = null
  nullified = false
  readonly #view: bigint
  /** Kind, then hash, then member. */
  readonly #votes: Readonly<Record<VoteKind, Map<string, { readonly hash: Bytes; readonly by: Map<number, Bytes> }>>> = {
    propose: new Map(),
    notarize: new Map(),
    nullify: new Map(),
    finalize: new Map(),
  }

  constructor(view: bigint) {
    this.#view = view
  }

  /** Counts a vote. False when it is known, or one too many. */
  add({ kind, hash, member, signature }: Vote): boolean {
    const name = toHex(hash)
    const known = this.#votes[kind].get(name)
    if (known?.by.has(member) === true) return false
    if (this.#hashesOf(kind, member).length >= MOST_HASHES) return false
    if (known === undefined) this.#votes[kind].set(name, { hash, by: new Map([[member, signature]]) })
    else known.by.set(member, signature)
    return true
  }

  by(kind: VoteKind, hash: Bytes): Signatures {
    return this.#votes[kind].get(toHex(hash))?.by ?? NOBODY
  }

  /** Hashes with at least `quorum` votes of a kind. */
  reached(kind: VoteKind, quorum: number): readonly Bytes[] {
    return [...this.#votes[kind].values()].filter(({ by }) => by.size >= quorum).map(({ hash }) => hash)
  }

  /** The vote of the same member that this one contradicts: another hash of its kind, or finalize beside nullify. */
  contradicts(vote: Vote): Vote | null {
    if (vote.kind === 'finalize' || vote.kind === 'nullify') {
      const [other] = this.#hashesOf(vote.kind === 'finalize' ? 'nullify' : 'finalize', vote.member)
      if (other !== undefined) return other
    }
    return this.#hashesOf(vote.kind, vote.member).find(({ hash }) => !equal(hash, vote.hash)) ?? null
  }

  all(): readonly Vote[] {
    return (Object.keys(this.#votes) as VoteKind[]).flatMap((kind) =>
      [...this.#votes[kind].values()].flatMap(({ hash, by }) =>
        [...by].map(([member, signature]) => ({ view: this.#view, kind, hash, member, signature })),
      ),
    )
  }

  #hashesOf(kind: VoteKind, member: number): readonly Vote[] {
    return [...this.#votes[kind].values()].flatMap(({ hash, by }) => {
      const signature = by.get(member)
      return signature === undefined ? [] : [{ view: this.#view, kind, hash, member, signature }]
    })
  }
}
