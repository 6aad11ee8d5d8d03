import { CoalitionError } from '../../error.ts'
import { type Bytes, compare, concat, equal } from '../../primitives/bytes.ts'
import { asId, derive, type Id, id } from '../../primitives/id.ts'
import type { ValidatorSignature } from './tdx.ts'
import type { Ticket } from './ticket.ts'

// Who may read or write what: a tree of validators, as in mosaik. Its signature folds into an ACL, so it depends on what is asked of a peer and
// on nothing else: the order in which an operator wrote the branches down moves no id.

/** Who wants in, where and when. */
export interface Bearer {
  /** Link key that the transport has proven, 32 bytes. */
  readonly peer: Bytes
  /** The component whose surface it is, 32 bytes. */
  readonly component: Id
  readonly surface: string
  readonly verb: string
  /** Unix seconds, by the clock of who checks. */
  readonly at: number
}

/** Whether a bearer is let in. `expires` is the first unix second at which it no longer is; null for never. */
export type Entry =
  | { readonly isAdmitted: true; readonly expires: number | null }
  | { readonly isAdmitted: false; readonly problem: string }

/** One condition on the tickets that a peer shows. */
export interface TicketValidator {
  readonly signature: ValidatorSignature
  /** Never throws for what a ticket holds. */
  readonly check: (tickets: readonly Ticket[], bearer: Bearer) => Promise<Entry>
}

/** Branches of one node, and tickets that are looked at. */
const MOST = { branches: 16, tickets: 16 } as const

/** Every branch has to hold; it ends with the first that does. @throws ValidatorError */
export const all = (...branches: readonly TicketValidator[]): TicketValidator => ({
  signature: fold('coalition.tickets.all.v1', branches),
  check: async (tickets, bearer) => {
    const entries = await checkEach(branches, tickets, bearer)
    const refused = entries.find(({ isAdmitted }) => !isAdmitted)
    return refused ?? { isAdmitted: true, expires: earliest(entries) }
  },
})

/** One branch has to hold; it ends with the last of those that do. @throws ValidatorError */
export const any = (...branches: readonly TicketValidator[]): TicketValidator => ({
  signature: fold('coalition.tickets.any.v1', branches),
  check: async (tickets, bearer) => {
    const entries = await checkEach(branches, tickets, bearer)
    const holding = entries.filter(({ isAdmitted }) => isAdmitted)
    if (holding.length === 0) return { isAdmitted: false, problem: problemsOf(entries) }
    return { isAdmitted: true, expires: latest(holding) }
  },
})

const checkEach = (branches: readonly TicketValidator[], tickets: readonly Ticket[], bearer: Bearer): Promise<readonly Entry[]> => {
  const shown = tickets.slice(0, MOST.tickets)
  return Promise.all(branches.map(({ check }) => check(shown, bearer)))
}

const expiries = (entries: readonly Entry[]): readonly (number | null)[] =>
  entries.flatMap((entry) => (entry.isAdmitted ? [entry.expires] : []))

const earliest = (entries: readonly Entry[]): number | null => {
  const limited = expiries(entries).filter((expires) => expires !== null)
  return limited.length === 0 ? null : Math.min(...limited)
}

const latest = (entries: readonly Entry[]): number | null => {
  const found = expiries(entries)
  const limited = found.filter((expires) => expires !== null)
  return limited.length < found.length ? null : Math.max(...limited)
}

const problemsOf = (entries: readonly Entry[]): string => entries.flatMap((entry) => (entry.isAdmitted ? [] : [entry.problem])).join('; ')

/**
 * derive(id(name), signatures of the branches in ascending order, joined). 32 bytes each, so that how many there are follows from the length.
 */
const fold = (name: string, branches: readonly TicketValidator[]): ValidatorSignature => {
  // All of nothing would admit everybody, any of nothing nobody, and neither is what somebody means who writes it.
  if (branches.length === 0) throw new ValidatorError(name, 'has no branch')
  if (branches.length > MOST.branches) throw new ValidatorError(name, `has ${branches.length} branches, at most ${MOST.branches}`)
  const signatures = branches.map(({ signature }) => signature).sort(compare)
  if (signatures.some((signature, i) => i > 0 && equal(signature, signatures[i - 1] as Bytes)))
    throw new ValidatorError(name, 'has the same branch twice')
  return asId(derive(id(name), concat(...signatures)))
}

/**
 * The first of a class's tickets that a check admits; else why not, of the last. What `check` throws is what is wrong with that ticket.
 *
 * @param none what to say where no ticket of the class was shown
 */
export const firstOf = async (
  tickets: readonly Ticket[],
  wanted: Bytes,
  none: string,
  check: (data: Bytes) => Promise<Entry>,
): Promise<Entry> => {
  let entry: Entry = { isAdmitted: false, problem: none }
  for (const ticket of tickets.slice(0, MOST.tickets)) {
    if (!equal(ticket.class, wanted)) continue
    entry = await check(ticket.data).catch(refusal)
    if (entry.isAdmitted) return entry
  }
  return entry
}

const refusal = (thrown: unknown): Entry => {
  // Anything else is no fault of the ticket.
  if (!(thrown instanceof CoalitionError)) throw thrown
  return { isAdmitted: false, problem: thrown.message }
}

/** A composition that says less than it seems to. */
export class ValidatorError extends CoalitionError {
  declare readonly validator: string
  declare readonly problem: string

  constructor(validator: string, problem: string) {
    super('Ticket.ValidatorError', `${validator} ${problem}`, { validator, problem })
  }
}
