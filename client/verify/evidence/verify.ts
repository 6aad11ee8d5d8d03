import { isError } from '../../error.ts'
import type { Binding, Identified } from '../../network/binding.ts'
import { assure, refuse, type Standing } from '../../network/reader/assurance.ts'
import type { Sealed } from '../../network/reader/opened.ts'
import { CheckError, type Ground } from '../../network/reader/trust.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import type { Verify } from '../../primitives/ed25519.ts'
import { ParseError } from '../../primitives/json.ts'
import { check } from '../checks.ts'
import type { Verdict } from '../verdict.ts'
import { checkEquivocation, type Equivocation } from './equivocation.ts'
import { reach } from './reach.ts'
import { type Claim, type Read, readEvidence } from './read.ts'
import { type Checked, checkAnswer, checkItem, type Place } from './value.ts'

export interface VerifyOptions {
  /** Surfaces that evidence may be of. */
  readonly bindings: readonly Binding<unknown>[]
  readonly verify: Verify
  /** Liars to withstand, default the b of each committee. The file has no say in it. */
  readonly withstand?: number
  /** The group that it has to be of, from a config of one's own. Without it the file's config is believed, and `group` says which it was. */
  readonly group?: Bytes
}

/** What a file proves. */
export type Finding = { readonly surface: string; readonly group: string } & (
  | ({ readonly kind: 'item' | 'answer'; readonly verdict: Verdict } & Omit<Checked, 'checks'>)
  | ({ readonly kind: 'equivocation' } & Equivocation)
)

/**
 * Checks exported evidence again, by itself: no network, no clock, nothing but the file and the signature check.
 *
 * @param json the file, parsed: hostile
 * @throws ParseError naming the place in a file that is none; EvidenceError with the check that fails; WithstandError for a committee that is
 *   too small
 */
export const verifyEvidence = async (json: unknown, options: VerifyOptions): Promise<Finding> => {
  const file = readEvidence(json)
  const { surface, claim } = file
  const binding = options.bindings.find(({ name }) => name === surface)
  if (binding === undefined) throw new ParseError('$.surface', `is none of ${options.bindings.map(({ name }) => name).join(', ')}`)
  const identified = identifiedBy(binding, file)
  const { group } = identified
  expectGroup(group, options.group)
  const ground: Ground = { identified, surface: binding.surface, withstand: options.withstand ?? null, verify: options.verify }
  const names = { surface, group: toHex(group) }
  if (claim.kind !== 'equivocation') return { ...names, ...(await checkValue({ binding, config: file.config, ground }, claim)) }
  return { ...names, kind: claim.kind, ...(await refusing(null, () => checkEquivocation(ground, claim))) }
}

const identifiedBy = (binding: Binding<unknown>, { network, config }: Read): Identified => {
  try {
    return binding.identify(network, config)
  } catch (error) {
    const { path, problem } = error as { readonly path?: unknown; readonly problem?: unknown }
    const inside = typeof path === 'string' && path.startsWith('$') ? path.slice(1) : ''
    throw new ParseError(`$.config${inside}`, typeof problem === 'string' ? problem : String((error as Error).message), error)
  }
}

const expectGroup = (found: Bytes, expected: Bytes | undefined): void => {
  if (expected === undefined || equal(found, expected)) return
  throw refuse(null, new CheckError('start.point', `group ${toHex(expected)}`, `group ${toHex(found)}`))
}

const checkValue = async (place: Place, claim: Exclude<Claim, { readonly kind: 'equivocation' }>) => {
  const { binding, ground } = place
  const trusted = await refusing(null, () => reach(ground, claim))
  const standing = standingOn(ground, trusted, binding)
  const { checks, ...checked } = await refusing(standing, async () =>
    claim.kind === 'item' ? checkItem(place, trusted, claim) : checkAnswer(place, trusted, claim),
  )
  const { header, commit } = trusted
  return { kind: claim.kind, ...checked, verdict: assure(standing, { checks, disclosed: 'nothing', header, commit }) }
}

/** As a reader who met this one head and nobody else: it says nothing of how fresh the head is now. */
const standingOn = (ground: Ground, trusted: Sealed, { name }: Binding<unknown>): Standing => ({
  ground,
  trusted,
  first: trusted.header.index,
  freshness: {
    checks: [
      check(
        'head.age',
        'unproven',
        'members that show it now',
        `checked from a file: the group’s clock was at ${trusted.header.time_ms} ms`,
      ),
    ],
  },
  who: name.split('.')[0] ?? name,
  // Tickets count by the reader's clock and for a day: a file that is kept has none to show.
  ...(ground.identified.gate && { attested: check('quote.chain', 'unproven', 'signers whose tickets hold now', 'checked from a file') }),
})

/** A failed check as an EvidenceError with what had passed before it. */
const refusing = async <T>(standing: Standing | null, run: () => Promise<T>): Promise<T> => {
  try {
    return await run()
  } catch (error) {
    throw isError(error, 'Network.CheckError') ? refuse(standing, error as CheckError) : error
  }
}
