import { strength, thresholds } from '../../client/groups/roster.ts'
import { POWER } from './faults.ts'
import { FORKING } from './liars.ts'
import { withoutLock } from './mutants.ts'
import { type Outcome, type Scenario, simulate } from './simulate.ts'
import type { Core } from './world.ts'

/** One line of the table: a committee, what goes on around it, and the signatures that a reader asks for. */
export interface Row {
  readonly what: string
  readonly n: number
  /** Left out: up to b, drawn. */
  readonly liars?: number
  readonly strength: number
  readonly scenario?: Omit<Scenario, 'n' | 'seed' | 'liars' | 'Core'>
  readonly core?: () => Promise<Core>
  /** A control: the simulation has to find forks here, or it would find none anywhere. */
  readonly forks?: true
}

export interface Count {
  readonly seeds: number
  /** Seeds by what went wrong. */
  readonly forks: readonly number[]
  readonly stalls: readonly number[]
  readonly unreported: readonly number[]
}

/** Disks on which a sync takes as long as several messages do. */
const SLOW_DISK_MS = 1_000

export const honestRow = (n: number, liars?: number): Row => ({
  what: 'faults of every kind',
  n,
  ...(liars === undefined ? {} : { liars }),
  strength: strength(n, Math.max(liars ?? 0, thresholds(n).b)),
})

const attacked = (n: number, liars: number, needed: number): Row => ({
  what: 'the worst liars known',
  n,
  liars,
  strength: needed,
  scenario: { temper: FORKING },
})

export const ROWS: readonly Row[] = [
  ...[1, 2, 4, 7].map((n) => honestRow(n)),
  honestRow(2, 1),
  honestRow(4, 2),
  honestRow(7, 3),
  attacked(4, 2, 4),
  attacked(7, 3, 6),
  attacked(7, 4, 7),
]

export const CONTROLS: readonly Row[] = [
  { ...attacked(4, 2, 3), what: 'control: two liars of four read at quorum', forks: true },
  { ...attacked(7, 3, 5), what: 'control: three liars of seven read at quorum', forks: true },
  { ...attacked(4, 2, 4), what: 'mutant: the core without its lock', core: withoutLock, forks: true },
  { ...attacked(7, 4, 7), what: 'mutant: the core without its lock', core: withoutLock, forks: true },
  {
    what: 'mutant: a host that does not wait for its disk',
    n: 4,
    liars: 0,
    strength: 3,
    scenario: { spell: POWER, habits: { early: true, syncMs: SLOW_DISK_MS } },
    forks: true,
  },
  {
    what: 'the same disks and power cuts, waited for',
    n: 4,
    liars: 0,
    strength: 3,
    scenario: { spell: POWER, habits: { syncMs: SLOW_DISK_MS } },
  },
]

/** Seeds that every run of the tests makes of a row: of those beyond the ones that have to be shown, fewer. */
export const seedsOf = ({ n, liars }: Row): number => (n === 7 && liars !== undefined ? 100 : 300)

/** Whether two readers, or two honest members where no more lie than they withstand, took two histories for the one. */
export const isForked = ({ n, liars, problems, conflictAt }: Outcome, needed: number): boolean => {
  const isWithstood = liars.length <= thresholds(n).b
  return conflictAt(needed) !== null || (isWithstood && problems.some(({ kind }) => kind === 'fork'))
}

/** Whether honest members signed, accused or gave up what they must not. @param outcome of a run with at most b liars */
export const isBroken = (outcome: Outcome): boolean => outcome.liars.length <= thresholds(outcome.n).b && outcome.problems.length > 0

/** Runs a row with the seeds from 1 on. */
export const count = async (row: Row, seeds: number, onSeed: (outcome: Outcome) => void = () => {}): Promise<Count> => {
  const core = await row.core?.()
  const forks: number[] = []
  const stalls: number[] = []
  const unreported: number[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const outcome = simulate(scenarioOf(row, seed, core))
    if (isForked(outcome, row.strength) || (row.forks !== true && isBroken(outcome))) forks.push(seed)
    if (outcome.stalled.length > 0) stalls.push(seed)
    if (outcome.unreported.length > 0) unreported.push(seed)
    onSeed(outcome)
  }
  return { seeds, forks, stalls, unreported }
}

const scenarioOf = ({ n, liars, scenario }: Row, seed: number, core: Core | undefined): Scenario => ({
  n,
  seed,
  ...(liars === undefined ? {} : { liars }),
  ...(core === undefined ? {} : { Core: core }),
  ...scenario,
})

export const HEAD = ['| run | n | liars | strength | seeds | forks | first | stalls |', '|---|---|---|---|---|---|---|---|'].join('\n')

export const lineOf = ({ what, n, liars, strength: needed }: Row, { seeds, forks, stalls }: Count): string => {
  const { b } = thresholds(n)
  const lying = liars ?? (b === 0 ? '0' : `0–${b}`)
  // More liars than that may keep silent for ever, and everybody with them.
  const stalled = (liars ?? 0) > b ? '–' : `${stalls.length}`
  return `| ${[what, n, lying, needed, seeds, forks.length, forks[0] ?? '–', stalled].join(' | ')} |`
}
