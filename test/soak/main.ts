import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../../node/io.ts'
import { toJson } from '../../node/json-lines.ts'
import { interrupted } from '../../node/signals.ts'
import { type Devnet, startDevnet } from '../devnet.ts'
import { type Asked, readArguments, usage } from './arguments.ts'
import { type Inspectors, inspectors } from './collect.ts'
import { type FailoverOutcome, failOver } from './failover.ts'
import { type HostileOutcome, soakHostile } from './hostile.ts'
import { type Outcome as KillOutcome, killMembers } from './kills.ts'
import { soakTabs, type TabOutcome } from './tabs.ts'

/**
 * `npm run soak -- --kills 20 --seed 1`: four member processes under load, killed again and again.
 * `npm run soak -- --failover --kills 20 --transport ws`: a tab whose member is killed, again and again.
 * `npm run soak -- --tabs 20 --minutes 24`: tabs that stay open at one block a second.
 * `npm run soak -- --hostile --minutes 3`: members that are attacked on every port and protocol.
 * Exit 1 when anything was lost, or holds more and more, 2 for a command line that cannot be used, 130 when it was interrupted.
 */
export const main = async (args: readonly string[]): Promise<number> => {
  try {
    const code = await soak(readArguments(args))
    // What an interrupted run began, a browser among it, goes on as long as this process does.
    return code === INTERRUPTED ? process.exit(code) : code
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${usage}`)
    return 2
  }
}

/** What a shell says of a program that Ctrl-C ended. */
const INTERRUPTED = 130

const soak = async (asked: Asked): Promise<number> => {
  const log = asked.json ? console.error : console.log
  if (asked.kind === 'kills') log(`seed ${asked.seed}, ${asked.kills} kills`)
  const folder = await mkdtemp(join(tmpdir(), 'coalition-soak-'))
  try {
    const served = asked.kind === 'failover' ? ['--transports', asked.transport] : []
    const around = inspectors()
    const watched = asked.kind === 'hostile' ? around : {}
    await using devnet = await startDevnet(folder, ['--no-traffic', '--block-time', '1', ...served], watched)
    const started = performance.now()
    const outcome = await Promise.race([run(asked, { devnet, folder, around, log }), interrupted()])
    if (outcome === undefined) {
      log('interrupted')
      return INTERRUPTED
    }
    for (const problem of outcome.problems) log(`PROBLEM ${problem}`)
    const seconds = Math.round((performance.now() - started) / 1_000)
    log(`${wordsOf(outcome)} in ${seconds} s: ${outcome.problems.length} problems`)
    if (asked.json) console.log(toJson({ soak: asked.kind, seconds, ...outcome }))
    return outcome.problems.length === 0 ? 0 : 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Parts {
  readonly devnet: Devnet
  readonly folder: string
  readonly around: Inspectors
  readonly log: (line: string) => void
}

const run = (asked: Asked, { devnet, folder, around, log }: Parts): Promise<Outcome> => {
  if (asked.kind === 'hostile') return soakHostile({ ...asked, devnet, inspectors: around, log })
  if (asked.kind === 'kills') return killMembers({ ...asked, devnet, folder, log })
  return asked.kind === 'failover' ? failOver({ ...asked, devnet, folder, log }) : soakTabs({ ...asked, devnet, log })
}

type Outcome = KillOutcome | FailoverOutcome | TabOutcome | HostileOutcome

const wordsOf = (outcome: Outcome): string => {
  if ('gaps' in outcome) return `${outcome.gaps.length} fail-overs over ${outcome.transport}, gap ${JSON.stringify(outcome.gapMs)} ms`
  if ('kills' in outcome) return `${outcome.kills} kills, ${outcome.seen} refunds shown, ${outcome.blocks} blocks compared`
  if ('phases' in outcome) {
    const { ratio, growth, rate } = outcome
    const memory = (growth ?? []).map((each) => each.toFixed(3)).join(' ')
    return `${outcome.phases.length} phases, p99 ${ratio.toFixed(2)} times the quiet one, memory ${memory || 'not compared'}, ${rate.toFixed(0)} frames a second`
  }
  const { tabs, items, shown, growth } = outcome
  const ratios = growth === null ? [] : Object.entries(growth).map(([kind, ratio]) => `${kind} ${ratio.toFixed(3)}`)
  return [`${tabs} tabs showed ${Math.min(...shown)} to ${Math.max(...shown)} refunds, ${items} read in Node`, ...ratios].join(', ')
}
