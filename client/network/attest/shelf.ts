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
  /** When a ticket was refused, by its hash: nobody makes us verify it twice a minute. */
  readonly #refused = new Map<string, number>()

  constructor(expected: Expected, now: () => number) {
    this.#expected = expected
    this.#now = now
  }

  /**
   * Takes in what a server showed: one ticket of each seat, each verified unless it is known. A ticket that counts is only ever replaced by a
   * newer one that counts too.
   *
   * @param fetch bytes by their BLAKE3, from that server; what it throws makes the collateral missing
   * @returns whether anything changed
   */
  async learn(shown: readonly HeldTicket[], fetch: (hash: Bytes, most: number) => Promise<Bytes>): Promise<boolean> {
    let changed = false
    const seen = new Set<number>()
    for (const held of shown) {
      if (held.member >= this.#expected.roster.members.length || seen.has(held.member)) continue
      seen.add(held.member)
      const before = this.#seats.get(held.member)
      if (before !== undefined && this.#counts(before) && equal(before.held.data, held.data)) continue
      if (this.#wasRefused(held)) continue
      const judged = await judge(held, await this.#collateralOf(held, fetch), this.#expected, this.#now())
      if (judged.problem !== null) this.#refuse(held)
      if (before !== undefined && this.#counts(before) && (judged.problem !== null || judged.quotedAt <= before.quotedAt)) continue
      this.#seats.set(held.member, judged)
      changed = true
    }
    return changed
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

  async #collateralOf({ collateral }: HeldTicket, fetch: (hash: Bytes, most: number) => Promise<Bytes>): Promise<VerifiedCollateral[]> {
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

  async #fetch(wanted: Bytes, fetch: (hash: Bytes, most: number) => Promise<Bytes>): Promise<VerifiedCollateral | null> {
    const bytes = await fetch(wanted, MAX_COLLATERAL).catch(() => null)
    if (bytes === null || bytes.length > MAX_COLLATERAL || !equal(hash(bytes), wanted)) return null
    const verified = await verifiedFrom(bytes, this.#expected, this.#now())
    if (verified === null) return null
    if (this.#collateral.size >= KEPT) this.#collateral.clear()
    this.#collateral.set(toHex(wanted), { bytes, verified })
    return verified
  }
}

const nameOf = ({ member, data, collateral }: HeldTicket): string => `${member} ${toHex(hash(data, concat(...collateral)))}`
