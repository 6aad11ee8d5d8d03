import { toHex } from '../../client/primitives/bytes.ts'
import { quoteCases } from '../verify/quote/_cases.ts'
import { buildFor, measureInBrowser, measureInNode } from './_quote-hosts.ts'
import { FLOOR, type Measured, OURS, PHALA, type QuoteCase } from './_quote-run.ts'
import { print, quantile, type Row, row } from './report.ts'

const ROUNDS = 41

/** Real quotes that both verifiers accept: each version, the TD bodies 1.0 and 1.5, both authorities of PCK certificates. */
const CASES: Readonly<Record<string, string>> = {
  'tdx-v4-phala-2025-06': 'TDX v4',
  'tdx-v5-google-2026-02': 'TDX v5',
  'sgx-v3-phala-2025-06': 'SGX v3',
}

/**
 * `npm run bench -- quote [--browser] [--json] [--rounds N]`: a quote with its collateral verified from nothing ("full"), with collateral and
 * platform certificate seen before ("cached"), and read only; beside @phala/dcap-qvl and the same signatures in WebCrypto alone, in turns.
 */
export const main = async (args: readonly string[]): Promise<number> => {
  const cases = realCases()
  if (cases.length === 0) return 2
  const isBrowser = args.includes('--browser')
  const rounds = args.includes('--rounds') ? Number(args[args.indexOf('--rounds') + 1]) : ROUNDS
  const rows: Row[] = []
  await using built = await buildFor(isBrowser ? 'browser' : 'node', cases)
  await (isBrowser ? measureInBrowser : measureInNode)(built, rounds, (done) => {
    console.error(`${done.case}, ${done.what}`)
    rows.push(...rowsOf(done))
  })
  print(isBrowser ? 'quote, Chromium' : 'quote', rows, args)
  return 0
}

const realCases = (): readonly QuoteCase[] =>
  quoteCases()
    .filter(({ name }) => name in CASES)
    .map(({ name, quote, collateral, at }) => ({ name: CASES[name] ?? name, quote: toHex(quote), collateral, at }))

/** A row for each rival by the medians, and one by the p10: on a busy machine that is what the work itself takes. */
const rowsOf = ({ case: name, what, ms }: Measured): readonly Row[] => {
  const unit = what === 'parse' ? 'µs' : 'ms'
  const at = (contender: string, part: number): number => quantile(ms[contender] ?? [], part) * (what === 'parse' ? 1_000 : 1)
  return [FLOOR, PHALA]
    .filter((rival) => ms[rival] !== undefined)
    .flatMap((rival) => [
      row(`${name}, ${what}`, at(OURS, 0.5), unit, rival, at(rival, 0.5)),
      row(`${name}, ${what}, p10`, at(OURS, 0.1), unit, rival, at(rival, 0.1)),
    ])
}
