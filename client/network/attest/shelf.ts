import { hash } from '../../../wasm/core.ts'
import type { HeldTicket } from '../../groups/source.ts'
import { type Bytes, concat, equal, toHex } from '../../primitives/bytes.ts'
import { isFresh, type VerifiedCollateral } from '../../verify/collateral/index.ts'
import type { TicketReport } from '../handle.ts'
import { type Expected, type Judged, judge, MAX_COLLATERAL, verifiedFrom } from './tickets.ts'

// Members' tickets as they come from servers that nobody trusts, and the collateral that goes with them. Readers count by it, members serve it.

/** Refusals and collaterals remembered: with one of each seat there are a handful, and a server that sends more learns nothing from it. */
const KEPT = 128
/** Seconds until a refused ticket is looked at again: it may have been too early by this clock. */
const AGAIN = 60

/** Bytes by their BLAKE3, and the most of them to take. */
type Fetch = (hash: Bytes, most: number) => Promise<Bytes>

interface Kept {
  readonly bytes: Bytes
  readonly verified: VerifiedCollateral
}

export class TicketShelf {
  readonly #expected: Expected
  /** Unix seconds. */
  readonly #now: () => number
  /** By seat. */
  readonly #seats = new Map<number, Judged>()
  /** By the BLAKE3 of its bytes, hex. */
  readonly #collateral = new Map<string, Kept>()
  /** What a quote was accepted under last, by FMSPC: a member that has not fetched anew yet is judged by what another one has. */
  readonly #accepted = new Map<string, VerifiedCollateral>()
  /** When a ticket was refused, by its hash: nobody makes us verify it twice a minute. */
  readonly #refused = new Map<string, number>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(expected: Expected, now: () => number) {
    this.#expected = expected
    this.#now = now
  }

  /**
   * Takes in what a server showed: one ticket of each seat, each verified unless it is known. A ticket that counts is only ever replaced by one
   * that was quoted later, or counts longer. Calls wait for one another: what came first never takes the place of what came after it.
   *
   * @param fetch bytes by their BLAKE3, from that server; what it throws makes the collateral missing
   */
  learn(shown: readonly HeldTicket[], fetch: Fetch): Promise<void> {
    const next = this.#turn.then(() => this.#learn(shown, fetch))
    this.#turn = next.catch(() => {})
    return next
  }

  async #learn(shown: readonly HeldTicket[], fetch: Fetch): Promise<void> {
    const seen = new Set<number>()
    for (const held of shown) {
      if (held.member >= this.#expected.roster.members.length || seen.has(held.member)) continue
      seen.add(held.member)
      const before = this.#seats.get(held.member)
      if (this.#isKnown(before, held) || this.#wasRefused(held)) continue
      const named = await this.#collateralOf(held, fetch)
      const collaterals = named.length === 0 ? named : [...named, ...this.#others(named)]
      const judged = await judge(held, collaterals, this.#expected, this.#now())
      if (judged.collateral !== null) this.#accepted.set(toHex(judged.collateral.tcbInfo.fmspc), judged.collateral)
      // Not for want of collateral: a server that withholds it would make us pass over the same ticket where it can be had.
      if (judged.problem !== null && collaterals.length > 0) this.#refuse(held)
      if (before !== undefined && this.#counts(before) && !isBetter(judged, before)) continue
      this.#seats.set(held.member, judged)
    }
  }

  /** It counts, and so does all of its collateral: nothing newer is in what was shown. */
  #isKnown(before: Judged | undefined, { data, collateral }: HeldTicket): boolean {
    if (before === undefined || !this.#counts(before) || !equal(before.held.data, data)) return false
    return collateral.every((wanted) => this.#collateral.has(toHex(wanted)))
  }

  report(seat: number): TicketReport {
    const judged = this.#seats.get(seat)
    if (judged === undefined) return { isAttested: false, mrTd: null, expires: null, problem: 'no ticket was shown' }
    const { verdict, quote, problem } = judged
    if (problem !== null) return { isAttested: false, mrTd: null, expires: null, problem }
    const expires = verdict?.expires ?? null
    if (!this.#counts(judged)) return { isAttested: false, mrTd: null, expires: null, problem: `its ticket counted until ${expires}` }
    const measured = quote?.measurements ?? null
    return { isAttested: true, mrTd: measured !== null && 'mrTd' in measured ? measured.mrTd : null, expires, problem: null }
  }

  /** A ticket of each seat that showed one, to be served: those that do not count too, for whoever is to say why. */
  held(): readonly HeldTicket[] {
    return [...this.#seats.values()].map(({ held }) => held)
  }

  /** Collateral by the BLAKE3 of its bytes, to be served. */
  blob(wanted: Bytes): Bytes | null {
    return this.#collateral.get(toHex(wanted))?.bytes ?? null
  }

  /** By numbers alone: a verdict holds until the second that it names. */
  #counts({ problem, verdict }: Judged): boolean {
    return problem === null && this.#now() <= (verdict?.expires ?? -1)
  }

  #wasRefused(held: HeldTicket): boolean {
    const at = this.#refused.get(nameOf(held))
    return at !== undefined && this.#now() - at < AGAIN && this.#now() >= at
  }

  #refuse(held: HeldTicket): void {
    if (this.#refused.size >= KEPT) this.#refused.clear()
    this.#refused.set(nameOf(held), this.#now())
  }

  #others(named: readonly VerifiedCollateral[]): VerifiedCollateral[] {
    return [...this.#accepted.values()].filter((one) => isFresh(one, this.#now()) && !named.includes(one))
  }

  async #collateralOf({ collateral }: HeldTicket, fetch: Fetch): Promise<VerifiedCollateral[]> {
    const found: VerifiedCollateral[] = []
    for (const wanted of collateral) {
      const name = toHex(wanted)
      const kept = this.#collateral.get(name)
      if (kept !== undefined && isFresh(kept.verified, this.#now())) found.push(kept.verified)
      else {
        const fetched = await this.#fetch(wanted, fetch)
        if (fetched !== null) found.push(fetched)
      }
    }
    return found
  }

  async #fetch(wanted: Bytes, fetch: Fetch): Promise<VerifiedCollateral | null> {
    const bytes = await fetch(wanted, MAX_COLLATERAL).catch(() => null)
    if (bytes === null || bytes.length > MAX_COLLATERAL || !equal(hash(bytes), wanted)) return null
    const verified = await verifiedFrom(bytes, this.#expected, this.#now())
    if (verified === null) return null
    // The oldest goes: what is served now came last.
    for (const oldest of this.#collateral.keys()) if (this.#collateral.size >= KEPT) this.#collateral.delete(oldest)
    this.#collateral.set(toHex(wanted), { bytes, verified })
    return verified
  }
}

const nameOf = ({ member, data, collateral }: HeldTicket): string => `${member} ${toHex(hash(data, concat(...collateral)))}`

/** It counts too, and was quoted later, or counts longer. */
const isBetter = (judged: Judged, before: Judged): boolean => {
  if (judged.problem !== null || judged.quotedAt < before.quotedAt) return false
  return judged.quotedAt > before.quotedAt || (judged.verdict?.expires ?? 0) > (before.verdict?.expires ?? 0)
}
