import { parseArgs } from 'node:util'
import { SERVED, type Served } from '../../node/devnet/committee.ts'
import { UsageError } from '../../node/io.ts'

export const usage = `npm run soak -- [--kills N] [--seed S] | --failover [--kills N] [--transport NAME] | --tabs N [--minutes M] | --hostile [--minutes M]  [--json]

  --kills N    members of a devnet of four that are killed under load, default 20
  --seed S     draws which of them die and when, default 1
  --failover   one tab, and the member that it follows is killed, --kills times: how long the tab goes without a new block
  --transport  ws, webrtc-direct or webtransport: what the tab dials, default ws
  --tabs N     1 to 28 tabs of the built page on a devnet at one block a second, each watched for what it shows and what it holds
  --minutes M  1 to 1440 minutes of that, default 24
  --hostile    attackers on every port and protocol of four members, in turns with quiet phases: what honest peers wait, what members hold.
               --minutes of hostility, and as many quiet ones, 1 to 60, default 3
  --json       the result as one JSON object on stdout; what happens meanwhile goes to stderr

Exit: 0 good, 1 something was lost or grew, 2 unusable input.`

export type Asked =
  | { readonly kind: 'kills'; readonly kills: number; readonly seed: number; readonly json: boolean }
  | { readonly kind: 'failover'; readonly kills: number; readonly transport: Served; readonly json: boolean }
  | { readonly kind: 'hostile'; readonly minutes: number; readonly json: boolean }
  | { readonly kind: 'tabs'; readonly tabs: number; readonly minutes: number; readonly json: boolean }

/** A member takes 32 connections from one address (node/transports/limits.ts), and a reader in Node is beside the tabs. */
const MOST_TABS = 28

const OPTIONS = {
  kills: { type: 'string' },
  seed: { type: 'string' },
  failover: { type: 'boolean', default: false },
  transport: { type: 'string' },
  tabs: { type: 'string' },
  hostile: { type: 'boolean', default: false },
  minutes: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

/** What the command line asks for. @throws UsageError with one line that says what is wrong with it */
export const readArguments = (args: readonly string[]): Asked => {
  const { kills, seed, failover, transport, tabs, hostile, minutes, json } = parse(args)
  if (hostile) {
    if (failover || [kills, seed, transport, tabs].some((given) => given !== undefined))
      throw new UsageError('--hostile goes with --minutes and --json alone')
    return { kind: 'hostile', minutes: whole('--minutes', minutes, 3, 1, 60), json }
  }
  if (failover) {
    if (seed !== undefined || tabs !== undefined || minutes !== undefined)
      throw new UsageError('--seed, --tabs and --minutes do not go with --failover')
    return { kind: 'failover', kills: whole('--kills', kills, 20, 1, 1_000), transport: served(transport ?? 'ws'), json }
  }
  if (transport !== undefined) throw new UsageError('--transport goes with --failover')
  if (tabs === undefined) {
    if (minutes !== undefined) throw new UsageError('--minutes goes with --tabs or --hostile')
    return { kind: 'kills', kills: whole('--kills', kills, 20, 1, 100_000), seed: whole('--seed', seed, 1, 0, 0xffff_ffff), json }
  }
  if (kills !== undefined || seed !== undefined) throw new UsageError('--kills and --seed do not go with --tabs')
  return { kind: 'tabs', tabs: whole('--tabs', tabs, 1, 1, MOST_TABS), minutes: whole('--minutes', minutes, 24, 1, 1_440), json }
}

const served = (text: string): Served => {
  const name = SERVED.find((name) => name === text)
  if (name === undefined) throw new UsageError(`--transport is one of ${SERVED.join(', ')}, not ${JSON.stringify(text)}`)
  return name
}

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause })
  }
}

const whole = (flag: string, text: string | undefined, otherwise: number, least: number, most: number): number => {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (!/^\d{1,10}$/.test(text) || value < least || value > most)
    throw new UsageError(`${flag} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`)
  return value
}
