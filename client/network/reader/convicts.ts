import { CoalitionError, isError } from '../../error.ts'
import { contradictionCodec, convictedBy, type EncodedContradiction } from '../../groups/contradiction.ts'
import { thresholds } from '../../groups/roster.ts'
import { encode } from '../../primitives/codec.ts'
import type { PeerReport } from '../handle.ts'
import type { Link } from '../host.ts'
import { exchange } from '../light/client.ts'
import type { Session } from './sync.ts'
import { type Committee, failed, type Ground } from './trust.ts'

/**
 * Members that signed what no honest one signs, by the votes themselves, whoever kept them. As long as they are no more than the reader
 * withstands its verdicts hold, and they are shown; one more, and nothing that the committee signs says anything.
 */
export class Convicts {
  readonly #proofs = new Map<number, EncodedContradiction>()
  readonly #asked = new WeakSet<Link>()

  /**
   * Asks a server for what it kept, once a link.
   *
   * @throws ConvictedError when more members are caught than the reader withstands; CheckError for a proof that is none; what the exchange
   *   throws, but for a server that knows no such request
   */
  async ask(session: Session, { identified, withstand, verify }: Ground, { roster, id }: Committee): Promise<void> {
    if (this.#asked.has(session.link)) return
    this.#asked.add(session.link)
    const { items } = await exchange(session.link, 'evidence', { group: identified.group }, session).catch(orNone)
    for (const item of items) {
      // Of another epoch: those members are not who signs now.
      if (!item.roster.every((byte, i) => byte === id[i])) continue
      const seat = await convictedBy(item, { roster, rosterId: id, verify }).catch((error: unknown) => {
        throw failed('commit.signatures', error)
      })
      this.#proofs.set(seat, item)
    }
    const most = withstand ?? thresholds(roster.members.length).b
    if (this.#proofs.size > most) throw new ConvictedError([...this.#proofs.values()], most)
  }

  /** The report of a peer, with what is known of its member. */
  told(report: PeerReport): PeerReport {
    const proof = report.member === null ? undefined : this.#proofs.get(report.member)
    if (proof === undefined) return report
    return {
      ...report,
      problem: `its votes in view ${proof.first.view} contradict each other; ${report.problem ?? 'it is counted as a liar'}`,
    }
  }
}

const orNone = (error: unknown): { readonly items: readonly EncodedContradiction[] } => {
  if (isError(error, 'Light.ServerError')) return { items: [] }
  throw error
}

/** More members were caught signing two histories' votes than the reader withstands. `proofs` are the pairs of votes, as docs/wire.md has them. */
export class ConvictedError extends CoalitionError {
  declare readonly members: readonly number[]
  declare readonly withstand: number

  constructor(proofs: readonly EncodedContradiction[], withstand: number) {
    const members = proofs.map(({ first }) => first.member)
    super(
      'Network.ConvictedError',
      `members ${members.join(', ')} signed votes that contradict each other, and ${withstand} liars can be withstood`,
      { members, withstand, proofs: proofs.map((proof) => encode(contradictionCodec, proof)) },
    )
  }
}
