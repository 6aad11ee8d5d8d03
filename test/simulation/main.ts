import { parseArgs } from 'node:util'
import { thresholds } from '../../client/groups/roster.ts'
import { simulateEngine } from './engine/simulate.ts'
import { type Outcome, simulate } from './simulate.ts'
import { CONTROLS, count, HEAD, honestRow, isBroken, isForked, lineOf, ROWS, type Row } from './table.ts'

const OPTIONS = {
  n: { type: 'string', default: '4' },
  seeds: { type: 'string', default: '1000' },
  liars: { type: 'string' },
  loss: { type: 'string' },
  seed: { type: 'string' },
  trace: { type: 'boolean', default: false },
  table: { type: 'boolean', default: false },
  engine: { type: 'boolean', default: false },
} as const

/**
 * `npm run simulate -- --n 4 --seeds 5000 [--liars K] [--loss 0.02]` runs seeds, `--seed S [--trace]` replays one, `--table` makes the table
 * of docs/simulation.md, `--engine` takes the whole engine with stores and commands instead of finality alone. Exit 1 when something forked or stalled that must not, or a control did not fork.
 */
export const main = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  const n = Number(values.n)
  const liars = values.liars === undefined ? undefined : Number(values.liars)
  const loss = values.loss === undefined ? {} : { loss: Number(values.loss) }
  if (values.engine) return engines(n, Number(values.seeds), values.seed, { ...loss, trace: values.trace })
  const row: Row = { ...honestRow(n, liars), scenario: loss }
  if (values.seed !== undefined) return replay(row, Number(values.seed), values.trace)
  return tabulate(values.table ? [...ROWS, ...CONTROLS] : [row], Number(values.seeds))
}

const replay = (row: Row, seed: number, trace: boolean): number => {
  const { n, liars, scenario, strength } = row
  const outcome = simulate({ n, seed, ...(liars === undefined ? {} : { liars }), ...scenario, trace })
  for (const line of outcome.lines) console.log(line)
  for (const line of verdictOf(outcome, strength)) console.log(line)
  console.log(`seed ${seed}: liars ${outcome.liars.join(', ') || 'none'}, height ${outcome.height}, digest ${outcome.digest}`)
  return isGood(outcome, strength) ? 0 : 1
}

/** Runs the engine with seeds from 1 on, or with one. */
const engines = async (n: number, seeds: number, only: string | undefined, options: { loss?: number; trace: boolean }): Promise<number> => {
  let wrong = 0
  for (let seed = Number(only ?? 1); seed <= Number(only ?? seeds); seed++) {
    const { problems, stalled, lines, acknowledged, newest, digest } = await simulateEngine({ n, seed, ...options })
    for (const line of lines) console.log(line)
    for (const problem of [...problems, ...stalled]) console.log(`n ${n}, seed ${seed}: ${problem}`)
    if (only !== undefined) console.log(`seed ${seed}: ${acknowledged} commands acknowledged, height ${newest}, digest ${digest}`)
    if (problems.length + stalled.length > 0) wrong += 1
    if (seed % 100 === 0) console.error(`engine, n ${n}: ${seed} of ${seeds} seeds`)
  }
  if (only === undefined) console.log(`engine, n ${n}: ${wrong} of ${seeds} seeds went wrong`)
  return wrong === 0 ? 0 : 1
}

const tabulate = async (rows: readonly Row[], seeds: number): Promise<number> => {
  const lines: string[] = []
  let isAsExpected = true
  for (const row of rows) {
    const found = await count(row, seeds, (outcome) => {
      if (outcome.seed % 500 === 0) console.error(`${row.what}, n ${row.n}: ${outcome.seed} of ${seeds} seeds`)
      if (row.forks === true) return
      for (const line of verdictOf(outcome, row.strength)) console.log(`n ${row.n}, seed ${outcome.seed}: ${line}`)
    })
    lines.push(lineOf(row, found))
    isAsExpected &&= row.forks === true ? found.forks.length > 0 : found.forks.length + found.stalls.length + found.unreported.length === 0
  }
  console.log([HEAD, ...lines].join('\n'))
  return isAsExpected ? 0 : 1
}

const isGood = (outcome: Outcome, strength: number): boolean => verdictOf(outcome, strength).length === 0

const verdictOf = (outcome: Outcome, strength: number): readonly string[] => [
  ...(isBroken(outcome) ? outcome.problems.map(({ kind, text }) => `${kind}: ${text}`) : []),
  ...(isForked(outcome, strength) ? [`fork at strength ${strength}: ${outcome.conflictAt(strength) ?? 'between members'}`] : []),
  ...(outcome.stalled.length > 0 ? [`stall: members ${outcome.stalled.join(', ')} of ${outcome.n}, b ${thresholds(outcome.n).b}`] : []),
  ...outcome.unreported.map((name) => `evidence not reported: member and view ${name}`),
]
