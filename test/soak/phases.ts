import { median, quantile } from '../bench/report.ts'
import type { Asked } from './served.ts'

// What a hostile soak comes to, from what was measured.

export const MOST = {
  /** Median of the hostile phases' p99s, in those of the quiet ones (issue "The universe in a browser"). */
  slower: 2,
  /** A member's resident bytes after a collection, at the last hostile minute, in those of the first. */
  growth: 1.1,
} as const

/** Phases of each kind. */
export const PAIRS = 5
/** What attackers send in a second, and the part of it that must have gone out for a run to count. */
export const RATE = 200
const LEAST_RATE = 0.9

/** What one phase came to. */
export interface Phase {
  readonly kind: 'quiet' | 'hostile'
  /** Answers to honest peers, and the milliseconds of the middle one and of the slowest hundredth. */
  readonly answers: number
  readonly p50: number
  readonly p99: number
  /** Milliseconds until the slowest member had answered a newcomer. */
  readonly joinMs: number
  /** Blocks that each member made final in it. */
  readonly blocks: readonly number[]
  readonly problems: readonly string[]
}

/** Resident bytes of each member after a collection, at the end of a minute of hostility. */
export interface Memory {
  readonly minute: number
  readonly members: readonly number[]
}

export const phaseOf = (kind: Phase['kind'], asked: Asked, joined: Asked, blocks: readonly number[]): Phase => {
  const stuck = blocks.flatMap((count, seat) => (count > 0 ? [] : [`member ${seat} made no block final`]))
  return {
    kind,
    answers: asked.answers.length,
    p50: round(quantile(asked.answers, 0.5)),
    p99: round(quantile(asked.answers, 0.99)),
    joinMs: round(Math.max(...joined.answers)),
    blocks,
    problems: [...new Set([...asked.problems, ...joined.problems, ...stuck])],
  }
}

const round = (ms: number): number => Number(ms.toFixed(2))

/** The hostile phases' p99 over the quiet ones', each the median of its phases. */
export const slowerBy = (phases: readonly Phase[]): number => {
  const middle = (kind: Phase['kind']): number => median(phases.filter((phase) => phase.kind === kind).map(({ p99 }) => p99))
  return middle('hostile') / middle('quiet')
}

/** Each member's memory at the last minute over that at the first; null for a run of one minute. */
export const growthOf = (memory: readonly Memory[]): readonly number[] | null => {
  const [first, last] = [memory[0], memory.at(-1)]
  if (first === undefined || last === undefined || first === last) return null
  return last.members.map((bytes, seat) => bytes / (first.members[seat] ?? Number.NaN))
}

/** @param rate frames a second that the attackers sent */
export const hostileProblems = (phases: readonly Phase[], memory: readonly Memory[], rate: number): readonly string[] => {
  const problems = phases.flatMap(({ kind, problems }, i) =>
    problems.map((problem) => `${kind} phase ${1 + Math.floor(i / 2)}: ${problem}`),
  )
  const slower = slowerBy(phases)
  // Written so that not a number is a problem too.
  if (!(slower <= MOST.slower))
    problems.push(`honest peers wait ${slower.toFixed(2)} times as long as in quiet phases, and ${MOST.slower} at most`)
  for (const [seat, growth] of (growthOf(memory) ?? []).entries())
    if (!(growth <= MOST.growth))
      problems.push(`member ${seat} holds ${growth.toFixed(3)} times what it held after the first minute, and ${MOST.growth} at most`)
  if (!(rate >= RATE * LEAST_RATE)) problems.push(`the attackers sent ${rate.toFixed(0)} frames a second, and should send ${RATE}`)
  return problems
}
