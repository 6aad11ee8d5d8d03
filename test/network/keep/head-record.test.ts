import { beforeAll, describe, expect, it } from 'vitest'
import { claimedIndex, headRecord, type KeptHead, verifyHeadRecord } from '../../../client/network/keep/head-record.ts'
import { STORAGE_LIMITS } from '../../../client/network/keep/storage.ts'
import { createNetwork } from '../../../client/network/open.ts'
import { KEPT } from '../../../client/network/reader/recent.ts'
import { type Ground, trustGenesis } from '../../../client/network/reader/trust.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { createVerify, type Verify } from '../../../client/primitives/ed25519.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { nodeSubtle } from '../../../node/ed25519.ts'
import { Chain, seats } from '../chain.ts'
import { HEARTBEAT, type Note, note, notes } from '../notes.ts'
import { addresses, serve } from '../setup.ts'
import { World } from '../world.ts'
import { memoryStorage } from './memory-storage.ts'

// PROTOCOL.md section 3: what is read from IndexedDB is verified like what comes from the wire. Here the record is bent byte by byte.

let verify: Verify
beforeAll(async () => {
  verify = await createVerify(nodeSubtle)
})

const groundOf = (chain: Chain, withstand: number | null = null): Ground => ({
  identified: notes.identify(UNIVERSE, { roster: chain.roster }),
  surface: 0,
  withstand,
  verify,
})

/** What a reader keeps of a history that it read from position 0 on, and followed for one more block. */
const recordOf = async (
  n: number,
  fill: (chain: Chain, world: World) => void,
): Promise<{ readonly record: Bytes; readonly chain: Chain }> => {
  const world = new World()
  const chain = new Chain(seats(n), world.now - 100 * HEARTBEAT)
  const { roster } = chain
  fill(chain, world)
  for (let i = 0; i < n; i++) serve(world, chain, `peer ${i}`)
  const storage = memoryStorage()
  const network = createNetwork(world.host({ storage, verify }), [notes], { bootstrap: addresses(n) })
  const handle = await world.run(network.open({ name: 'notes.all' }, { roster }))
  const items = handle.since(0n)[Symbol.asyncIterator]()
  for (const _ of chain.items) await world.run(items.next())
  commit(chain, world)
  await world.settle()
  await world.run(Promise.resolve(network[Symbol.asyncDispose]()))
  Object.assign(chain, { roster })
  return { record: [...storage.rows.values()][0] as Bytes, chain }
}

const commit = (chain: Chain, world: World, ...items: readonly Note[]): void => void chain.commit(items, { timeMs: world.now })

const three = (chain: Chain, world: World): void => {
  for (const words of ['a', 'b']) commit(chain, world, note(words, 1))
  chain.commit([note('last of its epoch', 1)], { timeMs: world.now, next: seats(1, 1) })
  commit(chain, world, note('d', 1))
  commit(chain, world)
}

const verified = (ground: Ground, record: Bytes): Promise<KeptHead> => verifyHeadRecord(ground, trustGenesis(ground), record)

const words = ({ tail }: KeptHead): number => tail.items.length

describe('a record of a head', () => {
  it('is verified to what it was made of: head, items, both edges, and is written as the same bytes again', async () => {
    const { record, chain } = await recordOf(1, three)
    const { trusted, tail } = await verified(groundOf(chain), record)
    expect(trusted.header).toEqual(chain.head)
    expect([tail.first, tail.items.length, trusted.edge.size, trusted.log?.size]).toEqual([0n, 4, 4n, 6n])
    expect([trusted.committee.roster.epoch, trusted.steps.length]).toEqual([1, 1])
    expect(headRecord(trusted, tail)).toEqual({ index: 6n, bytes: record })
    expect(claimedIndex(record)).toBe(6n)
  })

  it('is refused whichever byte of it is another one', async () => {
    const { record, chain } = await recordOf(1, three)
    const taken: number[] = []
    for (let at = 0; at < record.length; at++) {
      const bent = record.slice()
      bent[at] = (bent[at] as number) ^ (1 << (at % 8))
      await verified(groundOf(chain), bent).then(
        () => taken.push(at),
        (error: unknown) => expect(['Codec.DecodeError', 'Network.CheckError']).toContain((error as Error).name),
      )
    }
    expect(taken).toEqual([])
  })

  it('is refused wherever it is cut', async () => {
    const { record, chain } = await recordOf(1, three)
    for (let size = 0; size < record.length; size += 7)
      await expect(verified(groundOf(chain), record.slice(0, size))).rejects.toMatchObject({ name: 'Codec.DecodeError' })
  })

  it('PROTOCOL 1 Strength: is refused by a reader who asks for more signatures than it has', async () => {
    const { record, chain } = await recordOf(4, (chain, world) => commit(chain, world, note('a', 1)))
    await verified(groundOf(chain, 1), record)
    await expect(verified(groundOf(chain, 2), record)).rejects.toMatchObject({ check: 'commit.signatures' })
  })

  it('is refused in another group', async () => {
    const { record } = await recordOf(1, three)
    const other = new Chain(seats(1, 5))
    await expect(verified(groundOf(other), record)).rejects.toMatchObject({ name: 'Network.CheckError' })
  })

  it('holds the newest items that it has room for, and proves them alone', async () => {
    const { record, chain } = await recordOf(1, (chain, world) => {
      for (let i = 0; i < 20; i++) commit(chain, world, note(`${i} `.padEnd(90_000, '.'), 1))
    })
    const kept = await verified(groundOf(chain), record)
    expect(record.length).toBeLessThanOrEqual(STORAGE_LIMITS.value)
    expect([words(kept), kept.tail.first, kept.trusted.edge.size]).toEqual([5, 15n, 20n])
    expect(headRecord(kept.trusted, kept.tail)?.bytes).toEqual(record)
  })

  it('holds no more items than a reader has at hand', async () => {
    const { record, chain } = await recordOf(1, (chain, world) => {
      for (let i = 0; i < 400; i++) commit(chain, world, note(`${i}`, 1))
    })
    expect(words(await verified(groundOf(chain), record))).toBe(KEPT.items)
  })

  it('does without items where none are at hand, and says so when there is no room at all', async () => {
    const { record, chain } = await recordOf(1, three)
    const { trusted } = await verified(groundOf(chain), record)
    const bare = headRecord(trusted, null)
    const kept = await verified(groundOf(chain), bare?.bytes as Bytes)
    expect([words(kept), kept.trusted.edge]).toEqual([0, trusted.edge])
    const [step] = trusted.steps
    const many = { ...trusted, steps: Array.from({ length: 1_024 }, () => ({ ...step, roster: manySeats(step?.roster) })) } as never
    expect(() => headRecord(many, null)).toThrow(RangeError)
  })

  it.each([
    [new Uint8Array(0), null],
    [Uint8Array.of(1, 5, 0, 0, 0, 0, 0, 0), null],
    [Uint8Array.of(2, 5, 0, 0, 0, 0, 0, 0, 0), null],
    [Uint8Array.of(9, 1, 5, 1, 0, 0, 0, 0, 0, 0).subarray(1), 261n],
  ])('claims an index in its first nine bytes, or none', (bytes, index) => {
    expect(claimedIndex(bytes)).toBe(index)
  })
})

const manySeats = (roster: { readonly members: readonly unknown[] } | undefined) => ({
  ...roster,
  members: Array.from({ length: 64 }, () => roster?.members[0]),
})
