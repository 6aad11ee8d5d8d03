import { cpus, release, totalmem } from 'node:os'

/** One measured case. `ratio` above 1 means that ours is better than the rival; null where no rival runs here. */
export interface Row {
  readonly case: string
  readonly ours: number
  readonly unit: string
  readonly rival: string | null
  readonly rivalValue: number | null
  readonly ratio: number | null
}

/** A row in which less is better; the rival may be a floor or another case of the same run. */
export const row = (name: string, ours: number, unit: string, rival: string | null = null, rivalValue: number | null = null): Row => ({
  case: name,
  ours: round(ours),
  unit,
  rival,
  rivalValue: rivalValue === null ? null : round(rivalValue),
  ratio: rivalValue === null ? null : round(rivalValue / ours),
})

/** A row in which more is better. */
export const rate = (name: string, ours: number, unit: string, rival: string | null = null, rivalValue: number | null = null): Row => ({
  ...row(name, ours, unit, rival, rivalValue),
  ratio: rivalValue === null ? null : round(ours / rivalValue),
})

const round = (value: number): number => Number(value.toPrecision(4))

/** The value below which the given part of the samples lies. */
export const quantile = (samples: readonly number[], part: number): number => {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5)

/** Prints a bench's result: one JSON object with `--json`, a table otherwise. */
export const print = (bench: string, rows: readonly Row[], args: readonly string[]): void => {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', memory: totalmem(), os: release(), node: process.version }
  if (args.includes('--json')) console.log(JSON.stringify({ bench, machine, rows }))
  else console.table(rows)
}
