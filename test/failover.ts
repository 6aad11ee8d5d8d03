import { setTimeout as delay } from 'node:timers/promises'
import type { Devnet } from './devnet.ts'
import type { Probe } from './e2e/probe.ts'
import { membersOf, type Running, reportOf } from './members.ts'

// A member is killed while a tab follows it: how long the tab goes without a new block, and how much of that is the committee's own.

export interface Gap {
  readonly seat: number
  /** From SIGKILL to the next block that the tab has verified. */
  readonly gapMs: number
  /** From SIGKILL to the next block of the members that are left, as one of them says. */
  readonly committeeMs: number
  /** From SIGKILL until the tab knows that its link is dead. */
  readonly noticedMs: number
}

/** Milliseconds that a tab may take to fail over, and a member to come back. */
const PATIENCE = 90_000

/** Kills the member that the tab follows, and waits until it is back and the tab has a link to it again. @throws Error when the tab or the members do not go on in time */
export const killFollowed = async (devnet: Devnet, probe: Probe): Promise<Gap> => {
  const { state } = await probe.seen()
  const seat = state.peers.find(({ followed }) => followed)?.member ?? null
  if (seat === null || state.head === null) throw new Error(`the tab follows no member: ${state.detail}`)
  const { pid, http } = membersOf(devnet)[seat] as Running
  const others = membersOf(devnet).filter((_, other) => other !== seat)
  const back = devnet.next('member', (event) => event.seat === seat && event.state === 'up')
  const index = BigInt(state.head.index)
  const killed = Date.now()
  process.kill(pid, 'SIGKILL')
  const [tab, noticed, committee] = await Promise.all([
    until(`a block in the tab after ${index}, member ${seat} at ${http} killed`, async () => {
      const { heads } = await probe.seen()
      return heads.find((head) => BigInt(head.index) > index && head.atMs > killed)?.atMs ?? null
    }),
    until('the end of the link', async () => ((await isLinked(probe, seat)) ? null : Date.now())),
    until('a block of the other members', async () => ((await newest(others)) > index ? Date.now() : null)),
  ])
  await back
  await untilWhole(devnet, probe)
  return { seat, gapMs: tab - killed, committeeMs: committee - killed, noticedMs: noticed - killed }
}

const isLinked = async (probe: Probe, seat: number): Promise<boolean> =>
  (await probe.seen()).state.peers.some(({ member, connected }) => member === seat && connected)

/** Waits until the tab has a link to each member and follows one. */
export const untilWhole = async (devnet: Devnet, probe: Probe): Promise<void> => {
  await until('a link to every member', async () => {
    const { state } = await probe.seen()
    const isWhole = state.peers.filter(({ connected, head }) => connected && head !== null).length === devnet.members.length
    return isWhole && state.state === 'live' && state.peers.some(({ followed }) => followed) ? true : null
  })
}

const newest = async (members: readonly Running[]): Promise<bigint> => {
  let most = 0n
  for (const { http } of members) {
    const report = await reportOf(http)
    if (typeof report !== 'string' && report.index > most) most = report.index
  }
  return most
}

const until = async <T>(what: string, look: () => Promise<T | null>): Promise<T> => {
  const end = Date.now() + PATIENCE
  for (;;) {
    const found = await look()
    if (found !== null) return found
    if (Date.now() > end) throw new Error(`${what}: not within ${PATIENCE} ms`)
    await delay(25)
  }
}
