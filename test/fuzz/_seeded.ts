import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type Bytes, toHex } from '../../client/primitives/bytes.ts'
import { random } from '../random.ts'

// What every fuzz program shares: its seed, its cases, and how one that fails is printed so that it can be run again alone.

/** Numbers of 0 … 1, the same for the same seed on every machine. */
export type Draw = () => number

export const below = (draw: Draw, n: number): number => Math.floor(draw() * n)
export const chance = (draw: Draw, part: number): boolean => draw() < part
export const pick = <T>(draw: Draw, list: readonly T[]): T => {
  if (list.length === 0) throw new Error('nothing to pick from')
  return list[below(draw, list.length)] as T
}

export interface Options {
  readonly count: number
  readonly seed: number
  /** The one case to run. */
  readonly only: number | null
  /** Progress, for people who wait. */
  readonly log: (line: string) => void
}

/** One case. It draws from a generator of its own, so that it comes out the same without the cases before it. */
export interface Trial {
  readonly number: number
  readonly draw: Draw
  /** What is printed in hex if the case fails. */
  input: Bytes
  /** Counts an outcome: a fuzz of which nothing is ever accepted looks at the first check only. */
  readonly tally: (outcome: string) => void
}

export interface Finding {
  readonly number: number
  readonly problem: string
  readonly hex: string
}

export interface Outcome {
  readonly findings: readonly Finding[]
  readonly tally: ReadonlyMap<string, number>
  readonly cases: number
  readonly ms: number
}

const FIXED_SEED = 20_261_121

/** The seed of a commit: every commit is tried on other cases, and everybody who has it on the same ones. Fixed outside of a checkout. */
export const commitSeed = (): number => {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd, encoding: 'utf8' })
  return /^[0-9a-f]{40}\s*$/.test(stdout ?? '') ? Number.parseInt(stdout.slice(0, 8), 16) : FIXED_SEED
}

/** @throws Error that says what the command line may hold */
export const readOptions = (args: readonly string[], count: number): Options => {
  const given = new Map<string, number>()
  for (let i = 0; i < args.length; i += 2) {
    const [name = '', value = ''] = [args[i], args[i + 1]]
    if (!['--count', '--seed', '--only'].includes(name) || !/^\d{1,10}$/.test(value))
      throw new Error(`${name} ${value}: expected --count N, --seed S or --only K, each a number`)
    given.set(name, Number(value))
  }
  const log = (line: string): void => void process.stderr.write(`${line}\n`)
  return { count: given.get('--count') ?? count, seed: given.get('--seed') ?? commitSeed(), only: given.get('--only') ?? null, log }
}

/** A case's own generator: neighbouring seeds and numbers are far apart in it (the finalizer of MurmurHash3). */
const drawOf = (seed: number, number: number): Draw => {
  let mixed = Math.imul(seed ^ Math.imul(number + 1, 0x9e37_79b1), 0x85eb_ca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)
  return random((mixed ^ (mixed >>> 16)) >>> 0)
}

/** Findings after which a run stops: they are most likely one. */
const ENOUGH = 10
const PROGRESS_MS = 5_000
const SHOWN_BYTES = 4_096

/**
 * Runs the cases. A case fails by the words that it gives, by what it throws, and by a promise that it leaves behind rejected.
 *
 * @param beat told the number of each case before it runs
 */
export const fuzz = async (
  name: string,
  { count, seed, only, log }: Options,
  run: (trial: Trial) => string | null | Promise<string | null>,
  beat: (number: number) => void = () => {},
): Promise<Outcome> => {
  const findings: Finding[] = []
  const tally = new Map<string, number>()
  const count1 = (outcome: string): void => void tally.set(outcome, (tally.get(outcome) ?? 0) + 1)
  const started = performance.now()
  let left: unknown[] = []
  const onLeft = (reason: unknown): void => void left.push(reason)
  process.on('unhandledRejection', onLeft)
  let number = only ?? 0
  const end = only === null ? count : only + 1
  try {
    for (let told = started; number < end && findings.length < ENOUGH; number++) {
      beat(number)
      const trial: Trial = { number, draw: drawOf(seed, number), input: new Uint8Array(0), tally: count1 }
      left = []
      const problem = await attempt(run, trial)
      const all = [problem, ...left.map((reason) => `a rejection that nobody took: ${wordsOf(reason)}`)].filter((each) => each !== null)
      for (const each of all) {
        findings.push({ number, problem: each, hex: shown(trial.input) })
        log(`${name}: case ${number}: ${each}\n  input ${shown(trial.input)}\n  npm run fuzz -- ${name} --seed ${seed} --only ${number}`)
      }
      if (performance.now() - told < PROGRESS_MS) continue
      told = performance.now()
      log(`${name}: seed ${seed}, ${number + 1} of ${end}, ${findings.length} findings, ${Math.round((told - started) / 1_000)} s`)
    }
  } finally {
    process.off('unhandledRejection', onLeft)
  }
  return { findings, tally, cases: number - (only ?? 0), ms: performance.now() - started }
}

const attempt = async (run: (trial: Trial) => string | null | Promise<string | null>, trial: Trial): Promise<string | null> => {
  try {
    const outcome = run(trial)
    return outcome instanceof Promise ? await outcome : outcome
  } catch (error) {
    return `threw ${wordsOf(error)}`
  }
}

export const wordsOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? String(error)) : String(error))

const shown = (input: Bytes): string =>
  input.length <= SHOWN_BYTES ? toHex(input) : `${toHex(input.subarray(0, SHOWN_BYTES))}… (${input.length} bytes)`

/** A case that is still the same after this long hangs: nothing in here takes a second. */
const HANGS_MS = 60_000

// In a thread of its own: a loop that never ends leaves this one no turn to notice it.
const WATCHDOG = `
  const { workerData: { shared, name, seed, ms } } = require('node:worker_threads')
  const at = new Int32Array(shared)
  let last = -1
  setInterval(() => {
    const now = Atomics.load(at, 0)
    if (now === last) {
      const text = name + ': case ' + now + ' hangs\\n  npm run fuzz -- ' + name + ' --seed ' + seed + ' --only ' + now + '\\n'
      require('node:fs').writeSync(2, text)
      process.kill(process.pid, 'SIGKILL')
    }
    last = now
  }, ms)
`

/** One program of `npm run fuzz`: its seed first, then its cases, under a watchdog; 1 when anything was found. */
export const program = async (
  name: string,
  options: Options,
  run: (options: Options, beat: (number: number) => void) => Promise<Outcome>,
): Promise<number> => {
  const { seed, log } = options
  log(`${name}: seed ${seed}`)
  const shared = new SharedArrayBuffer(4)
  const at = new Int32Array(shared)
  const watchdog = new Worker(WATCHDOG, { eval: true, workerData: { shared, name, seed, ms: HANGS_MS } })
  try {
    const { findings, tally, cases, ms } = await run(options, (number) => void Atomics.store(at, 0, number))
    const outcomes = [...tally].sort(([a], [b]) => (a < b ? -1 : 1)).map(([outcome, times]) => `${outcome} ${times}`)
    console.log(`${name}: seed ${seed}, ${cases} cases in ${(ms / 1_000).toFixed(1)} s, ${findings.length} findings`)
    console.log(`  ${outcomes.join(', ')}`)
    return findings.length === 0 ? 0 : 1
  } finally {
    await watchdog.terminate()
  }
}
