import { CoalitionError } from '../../error.ts'
import { type Certificate, commitHash, type Header, type Seal } from '../../groups/block.ts'
import { checkRoster, type Roster, rosterId, strength, ZEROS } from '../../groups/roster.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import type { Verify } from '../../primitives/ed25519.ts'
import { type Frontier, frontier } from '../../proofs/index.ts'
import type { CheckName } from '../../verify/verdict.ts'
import type { Identified } from '../binding.ts'
import type { EpochStep } from '../light/messages.ts'

/** What stays the same for the life of a reader: whom it asks, from where its reasons start, and how many liars it withstands. */
export interface Ground {
  readonly identified: Identified
  /** Place of the followed surface in every header. */
  readonly surface: number
  /** Liars to withstand; null for the b of whatever committee there is. */
  readonly withstand: number | null
  readonly verify: Verify
  /** Liars to name in requests, where certificates of more signatures are wanted than are needed; else `withstand`. */
  readonly asks?: number
}

/** A committee that the reader was led to, and the signatures that it needs of it. */
export interface Committee {
  readonly roster: Roster
  readonly id: Bytes
  readonly needed: number
}

/** A head that was verified, with all that is needed to verify the next. Immutable: whoever asks a question keeps the one it began with. */
export interface Trusted {
  readonly header: Header
  readonly commit: Bytes
  /** Null for genesis, which nobody signs. */
  readonly seal: Seal | null
  /** Who sealed this header. */
  readonly committee: Committee
  /** Who seals the next one; the same but at the end of an epoch. */
  readonly next: Committee
  /** Every handover from epoch 0 to `next`: what shows the head to somebody who was not there. */
  readonly steps: readonly EpochStep[]
  /** Right edge of the surface under this header. */
  readonly edge: Frontier
  /** Right edge of the log under this header, whose `log` is its root. Null until it was fetched. */
  readonly log: Frontier | null
}

/** @throws RosterError, WithstandError */
export const committeeOf = ({ identified, withstand }: Ground, after: Bytes, roster: Roster): Committee => ({
  roster: checkRoster(roster),
  id: rosterId(identified.network, identified.group, after, roster),
  needed: strength(roster.members.length, withstand),
})

/**
 * Where trust starts: block 0 and the roster, both computed from the config (PROTOCOL.md section 3, step 1).
 *
 * @throws RosterError, WithstandError
 */
export const trustGenesis = (ground: Ground): Trusted => {
  const { genesis, roster } = ground.identified
  const committee = committeeOf(ground, ZEROS, roster)
  const commit = commitHash(genesis)
  const none = frontier.emptyFrontier
  return { header: genesis, commit, seal: null, committee, next: committee, steps: [], edge: none, log: none }
}

/** The followed surface in a header whose form was checked. */
export const surfaceIn = ({ surface }: Pick<Ground, 'surface'>, header: Header): Header['surfaces'][number] => {
  const found = header.surfaces[surface]
  if (found === undefined) throw new CheckError('commit.header', `a surface ${surface}`, `${header.surfaces.length} surfaces`)
  return found
}

/**
 * What the config fixes for every header: version, and names and kinds of surfaces and indexes. Signed or not, another form is another
 * machine, and its roots would be read for something they are not.
 *
 * @throws CheckError
 */
export const checkForm = ({ identified }: Ground, header: Header): void => {
  if (header.version !== 1) throw new CheckError('commit.header', 'version 1', `version ${header.version}`)
  const expected = formOf(identified.genesis)
  const found = formOf(header)
  if (expected !== found) throw new CheckError('commit.header', expected, found)
}

const formOf = ({ surfaces }: Header): string =>
  JSON.stringify(surfaces.map(({ name, kind, by }) => [name, kind, by.map((index) => index.name)]))

/** A named check that a server's answer fails. It becomes an EvidenceError where the rest of the verdict is known. */
export class CheckError extends CoalitionError {
  declare readonly check: CheckName
  declare readonly expected: string
  declare readonly found: string

  constructor(check: CheckName, expected: string, found: string, cause?: unknown) {
    super(
      'Network.CheckError',
      `${check} failed: expected ${expected}, found ${found}`,
      { check, expected, found },
      cause === undefined ? {} : { cause },
    )
  }
}

/** Runs `step`; what it throws fails the check. Proof errors say expected and found themselves. */
export const under = <T>(check: CheckName, step: () => T): T => {
  try {
    return step()
  } catch (error) {
    throw failed(check, error)
  }
}

export const failed = (check: CheckName, error: unknown): CheckError => {
  const facts: { readonly expected?: unknown; readonly found?: unknown } = error instanceof CoalitionError ? error.facts : {}
  const words = error instanceof Error ? error.message : String(error)
  const text = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)
  return new CheckError(check, text(facts.expected, 'a proof that holds'), text(facts.found, words), error)
}

export const certificateOf = ({ header, seal }: Trusted): Certificate | null => (seal === null ? null : { header, seal })
