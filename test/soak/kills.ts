import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Archive } from '../../client/groups/archive.ts'
import { commitHash } from '../../client/groups/block.ts'
import { checkedStore } from '../../client/groups/checked-store.ts'
import { identify, parseConfig } from '../../client/lattice/tally/config.ts'
import { createMachine } from '../../client/lattice/tally/machine.ts'
import { encodePay } from '../../client/lattice/tally/payment.ts'
import { fromHex, toHex } from '../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { createRpc } from '../../node/chain/rpc.ts'
import { BUILDER, memberFolder } from '../../node/devnet/handshake.ts'
import { readHandshake } from '../../node/handshake.ts'
import { connect, Tally } from '../../node/index.ts'
import { openLevel } from '../../node/storage/level.ts'
import { hashText } from '../../wasm/core.ts'
import type { Devnet } from '../devnet.ts'
import { reportOf } from '../members.ts'
import { random } from '../random.ts'

// Members that are killed under load, one after the other and now and then two at once, and what must come out of it: nothing that a
// reader was shown is gone, all members hold one history, and each of them votes again.

export interface KillOptions {
  readonly devnet: Devnet
  /** The devnet's folder. */
  readonly folder: string
  readonly kills: number
  readonly seed: number
  readonly log: (line: string) => void
}

export interface Outcome {
  readonly kills: number
  /** Refunds that a reader was shown, verified, while members died. */
  readonly seen: number
  /** Blocks that were compared. */
  readonly blocks: bigint
  /** What is wrong; nothing when all is well. */
  readonly problems: readonly string[]
}

const PROVIDER = fromHex('0x5a0b54d5dc17e0aadc383d2db43b0a0d3e029c4c')

/** Pays the builder as fast as the chain answers, until told to stop. */
const payments = async (url: string, signal: AbortSignal): Promise<number> => {
  const rpc = createRpc({ urls: [url] })
  let sent = 0
  while (!signal.aborted) {
    try {
      const accounts = (await rpc.call('eth_accounts', [], { signal })) as readonly string[]
      const data = `0x${toHex(encodePay({ ref: hashText(`kill ${sent}`), providers: [PROVIDER], bps: [2_500] }))}`
      await rpc.call(
        'eth_sendTransaction',
        [{ from: accounts[sent % accounts.length], to: `0x${toHex(BUILDER)}`, value: '0x2710', data }],
        { signal },
      )
      sent += 1
    } catch {
      // The chain is busy, or it is over.
    }
    await delay(100, undefined, { signal }).catch(() => {})
  }
  return sent
}

/** A verified commit as a reader was shown it. */
interface Shown {
  readonly index: bigint
  readonly commit: string
}

/** Kills members of a running devnet, each of which comes back by itself, ends the devnet, and compares what the members hold. */
export const killMembers = async ({ devnet, folder, kills, seed, log }: KillOptions): Promise<Outcome> => {
  const draw = random(seed)
  const stop = new AbortController()
  const { tally, bootstrap } = await readHandshake(devnet.config)
  const config = parseConfig(tally)
  const network = await connect({ bootstrap })
  const handle = await Tally.read(network, config, { timeout: 60_000 })
  const shown: Shown[] = []
  const reading = (async () => {
    for await (const { ref } of handle) shown.push({ index: BigInt(ref.index), commit: ref.commit })
  })().catch((error: unknown) => log(`the reader ended: ${String(error)}`))
  const paying = payments(devnet.rpc, stop.signal)
  const pids = new Map(devnet.members.map(({ seat, pid }) => [seat, pid]))
  for (let done = 0; done < kills; ) {
    // Every fifth time two at once: the committee stops, and has to go on by itself.
    const seats = pick(draw, [...pids.keys()], done % 5 === 4 && done + 1 < kills ? 2 : 1)
    const back = Promise.all(seats.map((seat) => devnet.next('member', (event) => event.seat === seat && event.state === 'up')))
    for (const seat of seats) process.kill(pids.get(seat) as number, 'SIGKILL')
    for (const { seat, pid } of await back) pids.set(seat as number, pid as number)
    done += seats.length
    log(`${done} of ${kills} killed (seats ${seats.join(', ')}), ${shown.length} refunds shown, newest ${shown.at(-1)?.index ?? 'none'}`)
    await delay(Math.floor(draw() * 2_000))
  }
  const before = shown.length
  const went = await untilMore(shown, before, performance.now() + 60_000)
  const newest = shown.at(-1)?.index ?? 0n
  const unwell = (await Promise.all(devnet.members.map(({ http }) => untilLevel(http, newest, performance.now() + 30_000)))).flat()
  stop.abort()
  await paying
  await handle[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
  await reading
  await devnet.end('SIGINT')
  const { blocks, problems } = await compare(folder, config, shown)
  const stood = went ? [] : ['no refund was shown after the last kill']
  return { kills, seen: shown.length, blocks, problems: [...problems, ...unwell, ...stood] }
}

/** Waits until a member votes and holds block `index`; what is wrong where it does not in time. */
const untilLevel = async (http: string, index: bigint, end: number): Promise<readonly string[]> => {
  for (;;) {
    const report = await reportOf(http)
    if (typeof report !== 'string' && report.voting === 'voting' && report.index >= index) return []
    if (performance.now() < end) await delay(200)
    else if (typeof report === 'string') return [`the member at ${http} says nothing: ${report}`]
    else
      return [
        `member ${report.seat} is ${report.voting} at block ${report.index} of ${index}: ${report.problem ?? report.health.reasons.join('; ')}`,
      ]
  }
}

const untilMore = async (shown: readonly Shown[], before: number, end: number): Promise<boolean> => {
  while (shown.length <= before && performance.now() < end) await delay(100)
  return shown.length > before
}

const pick = (draw: () => number, seats: readonly number[], count: number): readonly number[] => {
  const left = [...seats]
  return Array.from({ length: count }, () => left.splice(Math.floor(draw() * left.length), 1)[0] as number)
}

type Config = ReturnType<typeof parseConfig>

/** Commit hashes by index, as a member's archive holds them. */
const hashesOf = async (folder: string, seat: number, config: Config): Promise<readonly string[]> => {
  const { group, roster, genesis } = identify(UNIVERSE, config)
  const store = await openLevel(join(memberFolder(folder, seat), 'archive'))
  try {
    const { archive, head } = await Archive.open(
      createMachine(config),
      { network: UNIVERSE, group, roster, rosterId: genesis.roster },
      checkedStore(store),
    )
    const hashes: string[] = []
    for (let index = 0n; index <= head.header.index; index++) {
      const block = await archive.block(index)
      hashes.push(block === null ? 'missing' : toHex(commitHash(block.header)))
    }
    return hashes
  } finally {
    await store.close()
  }
}

const compare = async (folder: string, config: Config, shown: readonly Shown[]): Promise<Pick<Outcome, 'blocks' | 'problems'>> => {
  const problems: string[] = []
  const all: (readonly string[])[] = []
  for (const seat of config.acl.roster.members.keys()) all.push(await hashesOf(folder, seat, config))
  const longest = all.reduce((a, b) => (b.length > a.length ? b : a), [])
  // One hash covers header, state roots and everything before it: equal hashes are equal histories.
  all.forEach((hashes, seat) => {
    const at = hashes.findIndex((hash, index) => hash !== longest[index])
    if (at >= 0) problems.push(`member ${seat} has another block at ${at}`)
  })
  for (const { index, commit } of shown)
    if (longest[Number(index)] !== commit) problems.push(`a reader was shown commit ${commit} at ${index}, which nobody holds`)
  return { blocks: BigInt(longest.length - 1), problems }
}
