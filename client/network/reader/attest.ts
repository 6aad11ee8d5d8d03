import { type Roster, thresholds } from '../../groups/roster.ts'
import { equal, toHex } from '../../primitives/bytes.ts'
import { check } from '../../verify/checks.ts'
import type { RollbackMemory } from '../../verify/collateral/index.ts'
import type { Check } from '../../verify/verdict.ts'
import { TicketShelf } from '../attest/shelf.ts'
import { rootOf } from '../attest/tickets.ts'
import type { TicketReport } from '../handle.ts'
import type { Host } from '../host.ts'
import { AnswerError, exchange } from '../light/client.ts'
import { fetchBlob } from './questions.ts'
import type { Session } from './sync.ts'
import { CheckError, type Committee, type Ground, type Trusted } from './trust.ts'

/** Milliseconds between two looks at a server's tickets: as long as too few count, and then. */
const PAUSE = { missing: 2_000, enough: 30_000 } as const
/** Seconds before its end at which a ticket is looked for anew. */
const EARLY = 600

/**
 * Who of a gated committee runs in a TD that the gate admits, by tickets that were verified here (TDX.md, "Tickets of a committee"). What counts
 * is counted on the newest certificate only: older commits are in its history, and handovers count by signature alone.
 */
export class Attestation {
  readonly #ground: Ground
  readonly #host: Host
  readonly #memory: RollbackMemory
  #shelf: { readonly id: Committee['id']; readonly roster: Roster; readonly tickets: TicketShelf } | null = null
  #askedAt = Number.NEGATIVE_INFINITY

  /** @param ground of a group that has a gate */
  constructor(ground: Ground, host: Host, memory: RollbackMemory) {
    this.#ground = ground
    this.#host = host
    this.#memory = memory
  }

  /** What is known of a seat of the committee that sealed the newest head; null before there is one. */
  report(seat: number): TicketReport | null {
    return this.#shelf?.tickets.report(seat) ?? null
  }

  /** Asks a server for tickets as long as one is missing or about to end. */
  async refresh(session: Session, committee: Committee): Promise<void> {
    const { tickets, roster } = this.#of(committee)
    const seats = roster.members.map((_, seat) => tickets.report(seat))
    const soon = this.#seconds() + EARLY
    if (seats.every(({ expires }) => expires !== null && expires > soon)) return
    const isEnough = seats.filter(({ isAttested }) => isAttested).length >= committee.needed
    if (this.#host.now() - this.#askedAt < (isEnough ? PAUSE.enough : PAUSE.missing)) return
    this.#askedAt = this.#host.now()
    const { host, link, signal } = session
    const { group } = this.#ground.identified
    const shown = await exchange(link, 'tickets', { group, roster: committee.id }, { host, signal })
    await tickets.learn(shown.tickets, (hash, most) => fetchBlob(session, hash, most))
  }

  /**
   * Whether enough attested members signed a head.
   *
   * @throws CheckError quote.chain when too few of the committee are attested for any certificate to be enough
   */
  isEnough(trusted: Pick<Trusted, 'seal' | 'committee'>): boolean {
    const { roster, needed } = trusted.committee
    if (this.#signers(trusted).length >= needed) return true
    const attested = roster.members.filter((_, seat) => this.#isAttested(trusted.committee, seat)).length
    if (attested >= needed) return false
    throw new CheckError(
      'quote.chain',
      `${needed} attested signers`,
      `${attested} of ${roster.members.length} attested${this.#why(trusted)}`,
    )
  }

  /** The liars to name in a request so that its certificates hold enough signatures, whoever of those that are not attested signed too. */
  asks({ roster, needed }: Committee): number {
    const n = roster.members.length
    const missing = roster.members.filter((_, seat) => this.#shelf === null || !this.#shelf.tickets.report(seat).isAttested).length
    const wanted = Math.min(n, needed + missing)
    return Math.max(0, wanted - 1 - n + thresholds(n).quorum)
  }

  /** The check of a verdict, as of now: a ticket that has ended since counts no more. */
  check(trusted: Pick<Trusted, 'seal' | 'committee'>): Check {
    const { roster, needed } = trusted.committee
    const signers = this.#signers(trusted)
    const measured = new Set(signers.map((seat) => this.report(seat)?.mrTd ?? ''))
    const registers = [...measured].map((mrTd) => `MR_TD ${mrTd}`).join(', ')
    const epoch = roster.epoch === 0 ? '' : '; handovers count by signature alone'
    const found = `${signers.length} of ${trusted.seal?.signatures.length ?? 0} signers attested${signers.length > 0 ? `, ${registers}` : ''}, under ${this.#root()}${this.#why(trusted)}${epoch}`
    return check('quote.chain', signers.length >= needed ? 'passed' : 'failed', `${needed} attested signers`, found)
  }

  #root(): string {
    const { gate } = this.#ground.identified
    const { development } = gate === undefined ? { development: true } : rootOf(gate)
    return development ? `a development root ${toHex(gate?.root ?? new Uint8Array(0))}` : 'Intel’s root'
  }

  /** Members that do not count, each with the reason. */
  #why({ committee }: Pick<Trusted, 'committee'>): string {
    const { tickets, roster } = this.#of(committee)
    const out = roster.members.flatMap(({ operator }, seat) => {
      const { problem } = tickets.report(seat)
      return problem === null ? [] : [`; ${operator} does not count: ${problem}`]
    })
    return out.join('')
  }

  #signers({ seal, committee }: Pick<Trusted, 'seal' | 'committee'>): readonly number[] {
    if (seal === null) return []
    return committee.roster.members.flatMap((_, seat) => (isSigner(seal.signers, seat) && this.#isAttested(committee, seat) ? [seat] : []))
  }

  #isAttested(committee: Committee, seat: number): boolean {
    return this.#of(committee).tickets.report(seat).isAttested
  }

  // Tickets bind a vote key to an epoch: another roster begins with none.
  #of({ id, roster }: Committee): { readonly roster: Roster; readonly tickets: TicketShelf } {
    if (this.#shelf !== null && equal(this.#shelf.id, id)) return this.#shelf
    const { identified } = this.#ground
    const { network, group, gate } = identified
    if (gate === undefined) throw new AnswerError('a group without a gate has no tickets')
    const expected = { network, group, gate, roster, ecdsa: this.#host.ecdsa, memory: this.#memory }
    const tickets = new TicketShelf(expected, () => this.#seconds())
    this.#shelf = { id, roster, tickets }
    return this.#shelf
  }

  #seconds(): number {
    return Math.floor(this.#host.now() / 1_000)
  }
}

const isSigner = (signers: Uint8Array, seat: number): boolean => (((signers[seat >> 3] ?? 0) >> (seat & 7)) & 1) === 1
