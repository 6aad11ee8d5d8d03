import { CoalitionError } from '../../client/error.ts'
import { payments, rlp, tries } from './_rlp.ts'
import { fuzz, type Options, type Outcome, pick, program, readOptions, type Trial, wordsOf } from './_seeded.ts'
import { maps, type Prepared, ranges, tails, trees } from './_trees.ts'

// Every proof that a reader believes, changed: refused by an error with a name, or it shows what is so.

export const FULL = 100_000

/** Milliseconds for one proof, which takes less than one of them: enough for whatever else shares the machine, and not for a loop. */
const SLOW_MS = 1_000

/** The errors that a proof may be refused by. */
const NAMED = new Set([
  'Codec.DecodeError',
  'Codec.EncodeError',
  'Proof.TreeError',
  'Proof.MapError',
  'Proof.RunError',
  'Proof.MptError',
  'Proof.RlpError',
  'Tally.ProofError',
])

const judged = (name: string, prepared: Prepared, trial: Trial): string | null => {
  try {
    const problem = prepared(trial)
    trial.tally(`${name} held`)
    return problem === null ? null : `${name}: ${problem}`
  } catch (error) {
    trial.tally(`${name} refused`)
    return error instanceof CoalitionError && NAMED.has(error.name) ? null : `${name}: throws ${wordsOf(error)}`
  }
}

export const fuzzProofs = async (options: Options, beat?: (number: number) => void): Promise<Outcome> => {
  const kinds: readonly (readonly [string, Prepared])[] = [
    ['tree', await trees()],
    ['range', await ranges()],
    ['map', maps()],
    ['tail', tails()],
    ['trie', tries()],
    ['rlp', rlp()],
    ['payments', payments()],
  ]
  const run = (trial: Trial): string | null => {
    const [name, prepared] = pick(trial.draw, kinds)
    const started = performance.now()
    const problem = judged(name, prepared, trial)
    const ms = performance.now() - started
    return problem ?? (ms > SLOW_MS ? `${name}: ${ms.toFixed(0)} ms` : null)
  }
  return fuzz('proofs', options, run, beat)
}

/** `npm run fuzz -- proofs`. */
export const main = (args: readonly string[]): Promise<number> => program('proofs', readOptions(args, FULL), fuzzProofs)
