import { CoalitionError } from '../error.ts'
import { type CheckName, LIGHTS, type LightName } from './checks.ts'

export type { CheckName, LightName } from './checks.ts'

// In the page's bundle: it imports no codec and no table of texts. Types are aliases, not interfaces, so that a verdict is a fact as it stands.

/** unproven: what would show it was not there · absent: the check does not apply here. */
export type CheckState = 'passed' | 'failed' | 'unproven' | 'absent'

export type Check = {
  readonly name: CheckName
  readonly state: CheckState
  readonly expected: string
  readonly found: string
  /** The document and section that ask for the check. */
  readonly source: string
}

export type Light = {
  readonly state: 'green' | 'amber' | 'red'
  readonly checks: readonly Check[]
}

/** The commit that was verified: group and commit hash in hex, index in decimal, the group's clock in milliseconds. */
export type At = {
  readonly group: string
  readonly index: string
  readonly commit: string
  readonly timeMs: number
}

/**
 * Why a value may be believed, or may not: the same shape in both cases. Strings and numbers only, in one order, so that
 * `JSON.stringify` of equal verdicts gives equal text.
 *
 * @see API.md, "Verdict"; PROTOCOL.md section 3, step 8
 */
export type Verdict = {
  /** No light is red. */
  readonly ok: boolean
  readonly integrity: Light
  readonly authority: Light
  readonly freshness: Light
  /** What must hold for the verdict to be true, in words a wallet may print. */
  readonly assumes: string
  /**
   * What the question told the server: "nothing", "bucket of N" or "this key" (PROTOCOL.md, "Disclosure"); "bucket of about N" where the
   * answer was refused, since nobody proved the N.
   */
  readonly disclosed: string
  /** Null when nothing was verified far enough to name a commit. */
  readonly at: At | null
}

/**
 * Sorts checks into their lights. Checks of one name keep the order they came in.
 *
 * @throws TypeError for a name outside of the closed list.
 */
export const verdict = (given: {
  readonly checks: readonly Check[]
  readonly assumes: string
  readonly disclosed: string
  readonly at: At | null
}): Verdict => {
  const { at, assumes, disclosed } = given
  const unknown = given.checks.find((check) => !NAMES.includes(check.name))
  if (unknown) throw new TypeError(`no check is called ${unknown.name}`)
  const [integrity, authority, freshness] = [
    light('integrity', given.checks),
    light('authority', given.checks),
    light('freshness', given.checks),
  ]
  return {
    ok: ![integrity, authority, freshness].some(({ state }) => state === 'red'),
    integrity,
    authority,
    freshness,
    assumes,
    disclosed,
    at: at && { group: at.group, index: at.index, commit: at.commit, timeMs: at.timeMs },
  }
}

const NAMES: readonly string[] = /* @__PURE__ */ Object.values(LIGHTS).flat()

const light = (name: LightName, given: readonly Check[]): Light => {
  const checks = LIGHTS[name].flatMap((own) =>
    given
      .filter((check) => check.name === own)
      // Built anew: the key order of JSON is that of insertion, and the caller's is its own.
      .map(({ name, state, expected, found, source }) => ({ name, state, expected, found, source })),
  )
  const has = (state: CheckState): boolean => checks.some((check) => check.state === state)
  // A light under which nothing was checked has shown nothing, and must not look like one that has.
  return { state: has('failed') ? 'red' : has('unproven') || checks.length === 0 ? 'amber' : 'green', checks }
}

/** The verdict as text of several lines, a line a check. */
export const explain = (verdict: Verdict): string => {
  const { at } = verdict
  const amber = lights(verdict).some(([, { state }]) => state === 'amber')
  const lines = [
    verdict.ok ? (amber ? 'verified, not in every respect' : 'verified') : 'refused',
    at ? `commit ${at.index} of group ${at.group}\n  hash ${at.commit}\n  group clock ${at.timeMs} ms` : 'no commit',
  ]
  for (const [name, { state, checks }] of lights(verdict)) {
    lines.push(`${name}: ${state}`)
    for (const check of checks) lines.push(`  ${check.state.padEnd(8)} ${check.name}: ${told(check)} [${check.source}]`)
    if (checks.length === 0) lines.push('  nothing was checked')
  }
  return [...lines, `assumes: ${verdict.assumes}`, `disclosed: ${verdict.disclosed}`].join('\n')
}

const lights = ({ integrity, authority, freshness }: Verdict): readonly (readonly [LightName, Light])[] => [
  ['integrity', integrity],
  ['authority', authority],
  ['freshness', freshness],
]

const told = ({ expected, found }: Check): string => `expected ${expected}, found ${found}`

/** A check failed. `verdict` says which and what else was looked at; the message names the first, by the order of the closed list. */
export class EvidenceError extends CoalitionError {
  declare readonly verdict: Verdict

  constructor(verdict: Verdict, options?: { readonly cause?: unknown }) {
    const failed = lights(verdict)
      .flatMap(([, { checks }]) => checks)
      .find(({ state }) => state === 'failed')
    super('Verify.EvidenceError', failed ? `${failed.name} failed: ${told(failed)}` : 'no check failed', { verdict }, options)
  }
}
