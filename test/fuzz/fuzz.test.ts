import { expect, test } from 'vitest'
import { commitSeed, fuzz, type Options, type Outcome, readOptions, type Trial } from './_seeded.ts'
import { FULL as CODEC, fuzzCodec } from './codec.ts'
import { FULL as COMMIT, fuzzCommit } from './commit.ts'
import { FULL as CORE, fuzzCore } from './core.ts'
import { fuzzH3, FULL as H3 } from './h3.ts'
import { fuzzLight, FULL as LIGHT } from './light.ts'
import { fuzzProofs, FULL as PROOFS } from './proofs.ts'
import { fuzzQuote, FULL as QUOTE } from './quote.ts'

/** What runs here of each: `npm run fuzz -- NAME` is the whole. */
const PART = 0.02
const quiet = { seed: commitSeed(), only: null, log: (): void => {} }

test.each<readonly [string, string, number, (options: Options) => Promise<Outcome>]>([
  ['docs/wire.md 1, every codec on changed bytes', 'codec', CODEC, fuzzCodec],
  ['PROTOCOL 3, light/1 from both ends', 'light', LIGHT, fuzzLight],
  ['PROTOCOL 1, a hostile member of four', 'commit', COMMIT, fuzzCommit],
  ['GAP-18 TAL-07 X-26, changed proofs', 'proofs', PROOFS, fuzzProofs],
  ['binary formats of the core', 'core', CORE, fuzzCore],
  ['PROTOCOL 5, HTTP/3 and a WebTransport session', 'h3', H3, fuzzH3],
  ['docs/quotes.md, changed quotes and collateral', 'quote', QUOTE, fuzzQuote],
])(
  '%s: a fiftieth of the %s fuzz finds nothing',
  async (_, name, full, run) => {
    const { findings, cases, tally } = await run({ ...quiet, count: full * PART })
    // The seed stands beside them: npm run fuzz -- NAME --seed S --only K runs one again.
    expect({ name, seed: quiet.seed, findings }).toEqual({ name, seed: quiet.seed, findings: [] })
    expect(cases).toBe(full * PART)
    // Accepted and refused, both: a fuzz that is refused at the door tries nothing behind it.
    expect(tally.size).toBeGreaterThan(1)
  },
  120_000,
)

test('a case is the same alone as among the others, and every case is another', async () => {
  const drawn = async (options: Partial<Options>): Promise<ReadonlyMap<number, string>> => {
    const found = new Map<number, string>()
    const run = ({ number, draw }: Trial): null => {
      found.set(number, `${draw()} ${draw()}`)
      return null
    }
    await fuzz('drawn', { ...quiet, count: 50, seed: 7, ...options }, run)
    return found
  }
  const all = await drawn({})
  expect(new Set(all.values()).size).toBe(50)
  expect([...(await drawn({ only: 33 }))]).toEqual([[33, all.get(33)]])
  expect((await drawn({ seed: 8 })).get(33)).not.toBe(all.get(33))
})

test('a finding is told with its case, its bytes and the line that runs it again: what a case says, throws, or leaves rejected', async () => {
  const told: string[] = []
  const run = async (trial: Trial): Promise<string | null> => {
    trial.input = Uint8Array.of(trial.number, 0xab)
    if (trial.number === 1) return 'wrong'
    if (trial.number === 2) throw new TypeError('by accident')
    if (trial.number === 3) void Promise.reject(new Error('forgotten'))
    // A rejection shows once nothing else is left to run.
    await new Promise((resolve) => setImmediate(resolve))
    return null
  }
  const { findings } = await fuzz('told', { ...quiet, count: 5, seed: 9, log: (line) => void told.push(line) }, run)
  expect(findings).toMatchObject([
    { number: 1, problem: 'wrong', hex: '01ab' },
    { number: 2, problem: expect.stringContaining('by accident'), hex: '02ab' },
    { number: 3, problem: expect.stringContaining('forgotten'), hex: '03ab' },
  ])
  expect(told[0]).toBe('told: case 1: wrong\n  input 01ab\n  npm run fuzz -- told --seed 9 --only 1')
})

test('the command line: --count, --seed and --only, each a number, and the seed of the commit without one', () => {
  expect(readOptions(['--seed', '5', '--only', '8'], 100)).toMatchObject({ count: 100, seed: 5, only: 8 })
  expect(readOptions(['--count', '3'], 100)).toMatchObject({ count: 3, seed: commitSeed(), only: null })
  for (const wrong of [['--seed'], ['--count', 'many'], ['--else', '1'], ['5']])
    expect(() => readOptions(wrong, 1)).toThrow(/expected --count/)
})
