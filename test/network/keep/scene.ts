import type { Log } from '../../../client/log.ts'
import type { Handle, Verified } from '../../../client/network/handle.ts'
import type { Network, OpenOptions } from '../../../client/network/network.ts'
import { createNetwork } from '../../../client/network/open.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import type { Check, Verdict } from '../../../client/verify/verdict.ts'
import { Chain, type Seat, seats } from '../chain.ts'
import { HEARTBEAT, type NoteDatum, note, notes } from '../notes.ts'
import { addresses, serve } from '../setup.ts'
import { type Place, World } from '../world.ts'
import { type MemoryStorage, memoryStorage } from './memory-storage.ts'

// Tabs of one device, whose storage outlives them, and a committee of four that can be out of reach.

export const COMMITTEE = 4
/** Milliseconds until members are dialled where something was kept. */
export const HEAD_START = 100

/** A network of its own on the device. */
interface Tab {
  readonly network: Network
  readonly open: (options?: OpenOptions) => Promise<Handle<NoteDatum>>
  readonly said: string[]
}

export interface Scene {
  readonly world: World
  readonly chain: Chain
  readonly places: readonly Place[]
  readonly storage: MemoryStorage
  /** A tab: a network of its own on the same device. */
  readonly tab: (options?: { readonly storage?: boolean }) => Tab
  readonly say: (...words: readonly string[]) => void
  /** Every member out of reach, or back. */
  readonly offline: (isOffline?: boolean) => void
}

export const scene = (...words: readonly string[]): Scene => sceneOf(seats(COMMITTEE), words)

export const sceneOf = (members: readonly Seat[], words: readonly string[]): Scene => {
  const world = new World()
  const chain = new Chain(members, world.now - 100 * HEARTBEAT)
  // A timer may stand at a part of a millisecond, the group's clock does not.
  const say: Scene['say'] = (...more) =>
    void chain.commit(
      more.map((each) => note(each, 1)),
      { timeMs: Math.floor(world.now) },
    )
  for (const word of words) say(word)
  const names = Array.from({ length: COMMITTEE }, (_, i) => `peer ${i}`)
  const places = names.map((name) => serve(world, chain, name))
  const storage = memoryStorage()
  const tab: Scene['tab'] = (options = {}) => {
    const said: string[] = []
    // Of keeping alone: peers have their own sentences.
    const log: Log = (_, message) => void (message.includes('kept') && said.push(message))
    const network = createNetwork(world.host({ storage, log }), [notes], { bootstrap: addresses(COMMITTEE), ...options })
    const open = (limits?: OpenOptions): Promise<Handle<NoteDatum>> =>
      world.run(network.open({ name: 'notes.all' }, { roster: chain.roster }, limits) as Promise<Handle<NoteDatum>>)
    return { network, open, said }
  }
  const offline: Scene['offline'] = (isOffline = true) => {
    for (const place of places) place.down = isOffline
    if (isOffline) for (const address of addresses(COMMITTEE)) world.cut(address)
  }
  return { world, chain, places, storage, tab, say, offline }
}

export const close = (world: World, { network }: Tab): Promise<void> => world.run(Promise.resolve(network[Symbol.asyncDispose]()))

/** A tab that reads and is closed: what it verified is kept. */
export const visit = async ({ world, tab }: Scene, from?: bigint): Promise<void> => {
  const first = tab()
  const handle = await first.open()
  await world.advance(HEAD_START)
  if (from !== undefined) await world.run(handle.since(from)[Symbol.asyncIterator]().next())
  await close(world, first)
}

export const take = async (world: World, items: AsyncIterator<Verified<NoteDatum>>, n: number): Promise<readonly string[]> => {
  const words: string[] = []
  for (let i = 0; i < n; i++) words.push((await world.run(items.next())).value.value.words)
  return words
}

export const named = ({ integrity, authority, freshness }: Verdict, name: string): Check | undefined =>
  [...integrity.checks, ...authority.checks, ...freshness.checks].find((check) => check.name === name)

export const headKey = ({ storage }: Scene): string => [...storage.rows.keys()].find((key) => key.startsWith('head ')) as string

/** A row with one bit of it another. */
export const changed = (row: Bytes, at: number): Bytes => row.map((byte, i) => (i === at ? byte ^ 1 : byte))
