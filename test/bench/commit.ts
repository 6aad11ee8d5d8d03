import { setTimeout as delay } from 'node:timers/promises'
import { startOurs } from './_committee.ts'
import { type Etcd, etcdMissing, startEtcd } from './_etcd.ts'
import { afterKill, entries, load, type Measured } from './_load.ts'
import { median, print, type Row, rate, row } from './report.ts'

const INFLIGHT = [1, 16, 64, 256]
const COMMITTEES = [
  { n: 1, rivals: 1 },
  { n: 4, rivals: 3 },
] as const

const HELP = `npm run bench -- commit [--json] [--seconds S] [--n 1|4] [--inflight K] [--no-etcd] [--no-kill] [--profile DIR]

  Entries of 1 KB a second, final on a quorum and on disk there, and how long one takes: our committee of n processes beside
  as many of etcd as withstand as much, in turns, on this machine. The client is one process for both: ours takes entries over the
  channel it was forked with, etcd over gRPC. Then the same with a member killed in mid-run.`

/** `npm run bench -- commit`. */
export const main = async (args: readonly string[]): Promise<void> => {
  if (args.includes('--help')) return console.log(HELP)
  const given = (name: string): string | null => (args.includes(`--${name}`) ? (args[args.indexOf(`--${name}`) + 1] ?? null) : null)
  const ms = 1_000 * Number(given('seconds') ?? 6)
  const why = args.includes('--no-etcd') ? 'not asked for' : etcdMissing()
  if (why !== null) console.error(`etcd is not measured: ${why}`)
  const rows: Row[] = []
  for (const { n, rivals } of COMMITTEES.filter((each) => given('n') === null || Number(given('n')) === each.n)) {
    await using ours = await startOurs(n, given('profile'))
    await using etcd = why === null ? await startEtcd(rivals) : null
    for (const inflight of INFLIGHT.filter((each) => given('inflight') === null || Number(given('inflight')) === each))
      rows.push(...(await caseRows({ n, rivals, inflight, ms, ours, etcd })))
  }
  if (!args.includes('--no-kill')) rows.push(...(await killRows(ms, why === null)))
  print('commit', rows, args)
}

interface Case {
  readonly n: number
  readonly rivals: number
  readonly inflight: number
  readonly ms: number
  readonly ours: { readonly put: (value: Uint8Array) => Promise<void> }
  readonly etcd: Etcd | null
}

/** Turns of A B A B, after one short turn of each that is not counted. */
const ROUNDS = 2

const caseRows = async ({ n, rivals, inflight, ms, ours, etcd }: Case): Promise<readonly Row[]> => {
  const value = entries()
  const [mine, theirs]: [Measured[], Measured[]] = [[], []]
  for (let round = -1; round < ROUNDS; round++) {
    const length = round < 0 ? Math.min(1_000, ms) : ms / ROUNDS
    const [one, other] = [await load(ours, inflight, length, value), etcd === null ? null : await load(etcd, inflight, length, value)]
    if (round < 0) continue
    mine.push(one)
    if (other !== null) theirs.push(other)
  }
  const name = `n = ${n}, ${inflight} in flight`
  const rival = etcd === null ? null : `etcd ×${rivals}`
  const of = (list: readonly Measured[], field: 'rate' | 'p50' | 'p99'): number | null =>
    list.length === 0 ? null : median(list.map((each) => each[field]))
  return [
    rate(`${name}: entries`, of(mine, 'rate') as number, '1/s', rival, of(theirs, 'rate')),
    row(`${name}: p50`, of(mine, 'p50') as number, 'ms', rival, of(theirs, 'p50')),
    row(`${name}: p99`, of(mine, 'p99') as number, 'ms', rival, of(theirs, 'p99')),
  ]
}

const KILL_INFLIGHT = 64

/** One member of four, and one follower and the leader of three, ended in the middle of a run. */
const killRows = async (ms: number, withEtcd: boolean): Promise<readonly Row[]> => {
  const ours = await killed(async () => {
    const committee = await startOurs(4)
    return { target: committee, kill: async () => committee.kill(), end: async () => committee[Symbol.asyncDispose]() }
  }, ms)
  const rival = async (who: 'leader' | 'follower') =>
    killed(async () => {
      const etcd = await startEtcd(3)
      return { target: etcd, kill: () => etcd.kill(who), end: async () => etcd[Symbol.asyncDispose]() }
    }, ms)
  const [leader, follower] = withEtcd ? [await rival('leader'), await rival('follower')] : [null, null]
  const name = `n = 4, ${KILL_INFLIGHT} in flight, a member killed`
  return [...beside(name, ours, 'etcd ×3, its leader', leader), ...beside(name, ours, 'etcd ×3, a follower', follower)]
}

type After = ReturnType<typeof afterKill>

const beside = (name: string, ours: After, what: string, rival: After | null): readonly Row[] => [
  row(`${name}: longest gap`, ours.gap, 'ms', rival === null ? null : what, rival?.gap ?? null),
  rate(`${name}: rate after it`, 100 * ours.part, '% of before', rival === null ? null : what, rival === null ? null : 100 * rival.part),
]

interface Victim {
  readonly target: { readonly put: (value: Uint8Array) => Promise<void> }
  readonly kill: () => Promise<void>
  readonly end: () => Promise<void>
}

const killed = async (start: () => Promise<Victim>, ms: number): Promise<{ readonly gap: number; readonly part: number }> => {
  const { target, kill, end } = await start()
  try {
    await load(target, KILL_INFLIGHT, 1_500, entries())
    const running = load(target, KILL_INFLIGHT, 2 * ms, entries())
    await delay(ms)
    const at = performance.now()
    await kill()
    return afterKill((await running).acks, at)
  } finally {
    await end()
  }
}
