import { concat, u32le } from '../../client/primitives/bytes.ts'
import { QUOTE_CHECKS } from '../../client/verify/attestation.ts'
import { inspectAttestation, inspectQuote, type QuoteVerdict } from '../../client/verify/quote/index.ts'
import { changed } from './_quote-edits.ts'
import { type Original, originals } from './_quote-seeds.ts'
import { type Attested, decodeAttested, explain, type Known, knownOf } from './_quote-value.ts'
import { fuzz, type Options, type Outcome, pick, program, readOptions, type Trial } from './_seeded.ts'

// Changed quotes and collateral through the whole verifier, at the time of the original: a verdict, and never an accepted one on bytes that
// say another thing than an original, or that differ in a way which docs/quotes.md does not list.

export const FULL = 200_000

const NAMES = QUOTE_CHECKS.join()

/** What is wrong with a verdict, whatever it says: checks that are missing, or a refusal that names nothing. */
const shapeProblem = ({ accepted, checks, status }: QuoteVerdict): string | null => {
  if (checks.map(({ name }) => name).join() !== NAMES) return `a verdict with the checks ${checks.map(({ name }) => name).join()}`
  if (checks.some(({ found, expected }) => found === '' || expected === '')) return 'a check without words'
  const failed = checks.filter(({ state }) => state === 'failed')
  if (accepted !== (failed.length === 0)) return `accepted is ${accepted}, with ${failed.length} failed checks`
  return accepted && status === null ? 'accepted without a status' : null
}

/** What was verified in two stages says the same: nothing may be accepted by the cached way alone. */
const stagesProblem = async (verdict: QuoteVerdict, { quote }: Attested, { handle, options }: Original): Promise<string | null> => {
  const staged = await inspectQuote(quote, handle, options)
  return JSON.stringify(staged) === JSON.stringify(verdict)
    ? null
    : `in two stages: ${JSON.stringify(staged)}, in one: ${JSON.stringify(verdict)}`
}

const judge = async ({ tally }: Trial, original: Original, mutant: Attested, known: Known): Promise<string | null> => {
  const verdict = await inspectAttestation(mutant.quote, mutant.collateral, original.options)
  const problem =
    shapeProblem(verdict) ?? (isSame(mutant.collateral, original.collateral) ? await stagesProblem(verdict, mutant, original) : null)
  if (problem !== null) return problem
  if (!verdict.accepted) {
    tally(`refused by ${verdict.checks.find(({ state }) => state === 'failed')?.name}`)
    return null
  }
  if (isSame(mutant.collateral, original.collateral) && isSame(mutant.quote, original.quote)) {
    tally('unchanged')
    return null
  }
  const classes = explain(original.decoded, decodeAttested(mutant), known)
  if (typeof classes === 'string') return classes
  for (const name of classes) tally(`accepted: ${name}`)
  return null
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

export const fuzzQuote = async (options: Options, beat?: (number: number) => void): Promise<Outcome> => {
  const all = await originals()
  const known = knownOf(all.map(({ decoded }) => decoded))
  const run = async (trial: Trial): Promise<string | null> => {
    const original = pick(trial.draw, all)
    // Those of the same root come together in a part that fits; of the others none does.
    const donors = [pick(trial.draw, all), pick(trial.draw, all), pick(trial.draw, all)]
    const mutant = changed(trial.draw, original, donors)
    trial.input = concat(u32le(mutant.quote.length), mutant.quote, mutant.collateral)
    const problem = await judge(trial, original, mutant, known)
    return problem === null ? null : `${original.name}: ${problem}`
  }
  return fuzz('quote', options, run, beat)
}

/** `npm run fuzz -- quote`. */
export const main = (args: readonly string[]): Promise<number> => program('quote', readOptions(args, FULL), fuzzQuote)
