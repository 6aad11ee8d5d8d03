import { setTimeout as delay } from 'node:timers/promises'
import { silent } from '../../client/log.ts'
import { readAddress } from '../../client/network/address.ts'
import type { Link } from '../../client/network/host.ts'
import { exchange } from '../../client/network/light/client.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'
import type { Devnet } from '../devnet.ts'

// An honest peer of every member: what it asks, and how long it waits for the answers.

export interface Asked {
  /** Milliseconds that each answer took; one that did not come counts as long as it was waited for. */
  readonly answers: readonly number[]
  readonly problems: readonly string[]
}

export interface Asker extends AsyncDisposable {
  /** Asks every member again and again until `ms` are over. */
  readonly ask: (ms: number) => Promise<Asked>
  /** Milliseconds until each member has answered somebody who was not there before: a new key, a new connection, the newest block and a proof. */
  readonly join: () => Promise<Asked>
}

/** Milliseconds between two questions to a member, and until an answer is given up. */
const EVERY = 100
const PATIENCE = 10_000

/** @param group of the members */
export const openAsker = async (devnet: Devnet, group: Bytes): Promise<Asker> => {
  const host = await newHost()
  const members = devnet.members.map(({ seat, addresses }) => ({ seat, address: webSocketOf(addresses) }))
  const links = await Promise.all(members.map(({ address }) => dial(host, address)))
  const askOne = async (at: number, end: number): Promise<Asked> => {
    const answers: number[] = []
    const problems: string[] = []
    for (let next = performance.now(); next < end; next = Math.max(next + EVERY, performance.now())) {
      await delay(Math.max(0, next - performance.now()))
      const { ms, problem } = await timed(() => askHead(links[at] as Link, host, group))
      answers.push(ms)
      if (problem === null) continue
      problems.push(`member ${members[at]?.seat}: ${problem}`)
      // One that was shut out goes on as it would: by another link.
      if (links[at]?.closed.aborted) links[at] = await dial(host, members[at]?.address as string).catch(() => links[at] as Link)
    }
    return { answers, problems }
  }
  return {
    ask: async (ms) => {
      const end = performance.now() + ms
      return together(await Promise.all(links.map((_, at) => askOne(at, end))))
    },
    join: async () => {
      const all: Asked[] = []
      for (const { seat, address } of members) {
        const { ms, problem } = await timed(() => joinAt(address, group))
        all.push({ answers: [ms], problems: problem === null ? [] : [`member ${seat}, for a newcomer: ${problem}`] })
      }
      return together(all)
    },
    [Symbol.asyncDispose]: () => host.close(),
  }
}

const together = (all: readonly Asked[]): Asked => ({
  answers: all.flatMap(({ answers }) => answers),
  problems: all.flatMap(({ problems }) => problems),
})

const newHost = (): Promise<NodeHost> => createNodeHost({ seed: crypto.getRandomValues(new Uint8Array(32)), listen: [], log: silent })

const dial = (host: NodeHost, address: string): Promise<Link> => host.dial(address, { signal: AbortSignal.timeout(PATIENCE) })

const webSocketOf = (addresses: readonly string[]): string => {
  const found = addresses.find((address) => readAddress(address).transport === 'ws')
  if (found === undefined) throw new Error(`no ws among ${addresses.join(', ')}`)
  return found
}

const timed = async (act: () => Promise<void>): Promise<{ readonly ms: number; readonly problem: string | null }> => {
  const from = performance.now()
  const problem = await act().then(
    () => null,
    (error: unknown) => String(error),
  )
  return { ms: performance.now() - from, problem }
}

/** The newest block, and a proof under it: of the newest item of its first surface that has one, or of the block itself. */
const askHead = async (link: Link, host: NodeHost, group: Bytes): Promise<void> => {
  const options = { host, signal: link.closed, timeoutMs: PATIENCE }
  const { head } = await exchange(link, 'open', { group, fromEpoch: 0, known: [], withstand: null }, options)
  const { index: at, surfaces } = head.header
  const surface = surfaces.findIndex(({ kind, size }) => (kind === VEC || kind === STREAM) && size > 0n)
  const item = { kind: 'item', value: { surface, position: (surfaces[surface]?.size ?? 1n) - 1n } } as const
  await exchange(link, 'prove', { group, at, queries: [surface < 0 ? { kind: 'header', value: { index: at } } : item] }, options)
}

/** Kinds of surfaces that have items by position (docs/wire.md section 3). */
const VEC = 0
const STREAM = 5

const joinAt = async (address: string, group: Bytes): Promise<void> => {
  const host = await newHost()
  try {
    await askHead(await dial(host, address), host, group)
  } finally {
    await host.close()
  }
}
