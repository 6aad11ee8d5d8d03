import { setTimeout as delay } from 'node:timers/promises'
import { identify, parseConfig } from '../../client/lattice/tally/config.ts'
import { type Bytes, toHex } from '../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { BUILDER } from '../../node/devnet/handshake.ts'
import { payBuilder } from '../../node/devnet/traffic.ts'
import { readHandshake } from '../../node/handshake.ts'
import { textLog } from '../../node/json-lines.ts'
import type { Devnet } from '../devnet.ts'
import { deaths, reportOf } from '../members.ts'
import { addCounts, type Counts, type Target, targetOf } from './attack/kind.ts'
import { type Attackers, openAttackers } from './attackers.ts'
import { collectedRss, type Inspectors } from './collect.ts'
import { growthOf, hostileProblems, type Memory, PAIRS, type Phase, phaseOf, RATE, slowerBy } from './phases.ts'
import { openReader } from './reader.ts'
import { type Asked, type Asker, openAsker } from './served.ts'

// A committee whose every member is attacked on every port and protocol, in turns with quiet phases, and what must come out of it: honest
// peers wait hardly longer, members hold no more at the end than after the first minute, and go on making blocks.

export interface HostileOptions {
  /** Started with `--no-traffic` and with the inspectors' environment: the soak pays itself. */
  readonly devnet: Devnet
  readonly inspectors: Inspectors
  /** Of hostility, in five phases; as many are quiet. */
  readonly minutes: number
  readonly log: (line: string) => void
}

export interface HostileOutcome {
  readonly phases: readonly Phase[]
  /** See `slowerBy` and `growthOf`. */
  readonly ratio: number
  readonly growth: readonly number[] | null
  readonly rss: readonly Memory[]
  /** Frames a second that the attackers sent, and what came of them by kind. */
  readonly rate: number
  readonly attackers: Counts
  /** Items that a verifying reader was given meanwhile. */
  readonly items: number
  readonly problems: readonly string[]
}

/** Milliseconds for what was begun in one phase to be over in the next: connections open and close, links are dialled. */
const BETWEEN = 3_000
/** Milliseconds of asking before the first phase: members keep more with each of their first blocks, attacked or not. */
const WARM_UP = 180_000
const MINUTE = 60_000

export const soakHostile = async ({ devnet, inspectors, minutes, log }: HostileOptions): Promise<HostileOutcome> => {
  const { tally } = await readHandshake(devnet.config)
  const { group } = identify(UNIVERSE, parseConfig(tally))
  const stop = new AbortController()
  const paying = payBuilder({ url: devnet.rpc, feeRecipient: BUILDER, signal: stop.signal, log: textLog(console.error), everyMs: 600 })
  try {
    await using reader = await openReader(devnet.config)
    await using asker = await openAsker(devnet, group)
    await using attackers = openAttackers()
    const targets = devnet.members.map(({ addresses }) => targetOf(addresses))
    // What is loaded and compiled at first is loaded and compiled in no phase.
    await asker.ask(WARM_UP)
    const run = new Run({ devnet, inspectors, asker, attackers, targets, group, log })
    for (let pair = 0; pair < PAIRS; pair++) {
      await run.quiet((minutes * MINUTE) / PAIRS)
      await run.hostile((minutes * MINUTE) / PAIRS)
    }
    const { phases, rss, counts, rate } = run
    const silent = reader.slots.size > 0 ? [] : ['the reader in Node was given no item']
    const problems = [...hostileProblems(phases, rss, rate), ...reader.problems, ...silent, ...deaths(devnet)]
    return { phases, ratio: slowerBy(phases), growth: growthOf(rss), rss, rate, attackers: counts, items: reader.slots.size, problems }
  } finally {
    stop.abort()
    await paying
  }
}

interface Parts {
  readonly devnet: Devnet
  readonly inspectors: Inspectors
  readonly asker: Asker
  readonly attackers: Attackers
  readonly targets: readonly Target[]
  readonly group: Bytes
  readonly log: (line: string) => void
}

/** One run, phase after phase. */
class Run {
  readonly phases: Phase[] = []
  readonly rss: Memory[] = []
  readonly #parts: Parts
  readonly #counts: Counts[] = []
  /** Milliseconds of hostility in which honest peers asked, and all that there were. */
  #hostileMs = 0
  #attackedMs = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get counts(): Counts {
    return addCounts(this.#counts)
  }

  get rate(): number {
    const frames = Object.values(this.counts).reduce((sum, { sent, refused }) => sum + sent + refused, 0)
    return (1_000 * frames) / this.#attackedMs
  }

  async quiet(ms: number): Promise<void> {
    await delay(BETWEEN)
    await this.#phase('quiet', () => this.#parts.asker.ask(ms))
  }

  async hostile(ms: number): Promise<void> {
    const { attackers, targets, group } = this.#parts
    const plan = { targets, group: toHex(group), seed: 1 + this.phases.length, rate: RATE }
    await attackers.start(plan)
    const from = performance.now()
    await delay(BETWEEN)
    await this.#phase('hostile', () => this.#askUnderAttack(ms))
    this.#attackedMs += performance.now() - from
    this.#counts.push(await attackers.stop())
  }

  /** Asks for so long; at the end of a minute the attack goes on, and nobody is asked while members collect: that is ours, not the attackers'. */
  async #askUnderAttack(ms: number): Promise<Asked> {
    const { asker } = this.#parts
    const all: Asked[] = []
    for (let left = ms; left > 0; ) {
      const part = Math.min(left, MINUTE - (this.#hostileMs % MINUTE))
      all.push(await asker.ask(part))
      left -= part
      this.#hostileMs += part
      if (this.#hostileMs % MINUTE === 0) await this.#weigh(this.#hostileMs / MINUTE)
    }
    return { answers: all.flatMap(({ answers }) => answers), problems: all.flatMap(({ problems }) => problems) }
  }

  async #weigh(minute: number): Promise<void> {
    const { devnet, inspectors, log } = this.#parts
    const members = await Promise.all(
      devnet.members.map(({ seat, pid }) => collectedRss(inspectors.urls.get(seat) ?? '', pid).catch(() => Number.NaN)),
    )
    this.rss.push({ minute, members })
    log(`minute ${minute} of hostility: ${members.map((bytes) => (bytes / 1_048_576).toFixed(1)).join(', ')} MiB`)
  }

  async #phase(kind: Phase['kind'], ask: () => Promise<Asked>): Promise<void> {
    const { devnet, asker, log } = this.#parts
    const before = await newestOf(devnet)
    const joined = await asker.join()
    const asked = await ask()
    const after = await newestOf(devnet)
    const phase = phaseOf(
      kind,
      asked,
      joined,
      after.map((newest, seat) => Number(newest - (before[seat] ?? 0n))),
    )
    this.phases.push(phase)
    const { p50, p99, joinMs, blocks, answers, problems } = phase
    log(
      `${kind}: ${answers} answers, p50 ${p50} ms, p99 ${p99} ms, newcomers ${joinMs} ms, blocks ${blocks.join(' ')}, ${problems.length} problems`,
    )
  }
}

/** Newest final index of each member, as its operator is told; 0 for one that does not say. */
const newestOf = (devnet: Devnet): Promise<readonly bigint[]> =>
  Promise.all(
    devnet.members.map(async ({ http }) => {
      const report = await reportOf(http)
      return typeof report === 'string' ? 0n : report.index
    }),
  )
