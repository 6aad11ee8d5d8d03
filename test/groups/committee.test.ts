import { describe, expect, it } from 'vitest'
import { commitHash } from '../../client/groups/block.ts'
import { messageCodec } from '../../client/groups/commit/messages.ts'
import { archiveKey, voteKey } from '../../client/groups/keys.ts'
import type { Store } from '../../client/groups/storage.ts'
import { type Bytes, toHex } from '../../client/primitives/bytes.ts'
import { decode } from '../../client/primitives/codec.ts'
import { Members } from './committee.ts'
import { add } from './counter.ts'
import { flip } from './memory-store.ts'

const hashAt = async (members: Members, member: number, index: bigint): Promise<string> => {
  const header = await members.group(member).source.header(index)
  return header === null ? 'none' : toHex(commitHash(header))
}

/** A command until it is final at the member that was told. */
const commit = async (members: Members, member: number, body: Bytes): Promise<void> => {
  let isCommitted = false
  void members
    .group(member)
    .execute(body)
    .then(() => {
      isCommitted = true
    })
  await members.until(() => isCommitted)
}

type Entries = readonly (readonly [Bytes, Bytes])[]
const ALL = { from: new Uint8Array(0), to: Uint8Array.of(255) }
const copyOf = async (store: Store): Promise<Entries> => {
  const entries: [Bytes, Bytes][] = []
  for await (const [key, value] of store.entries(ALL)) entries.push([key, value])
  return entries
}
const putBack = async (store: Store, entries: Entries): Promise<void> => {
  for await (const [key] of store.entries(ALL)) await store.write([{ key, value: null }], { sync: true })
  await store.write(
    entries.map(([key, value]) => ({ key, value })),
    { sync: true },
  )
}

/** All members that run hold the same blocks up to the lowest head. */
const expectOneLog = async (members: Members): Promise<void> => {
  const running = members.seats.flatMap(({ group }, i) => (group === null ? [] : [i]))
  const least = members.lowest(running)
  for (let index = 1n; index <= least; index++)
    expect(new Set(await Promise.all(running.map((i) => hashAt(members, i, index)))).size, `block ${index}`).toBe(1)
}

describe('a committee of four', () => {
  it('MSK-02 commits what any member is told, in one order, on all of them', async () => {
    await using members = new Members(4)
    await members.startAll()
    const done = [0, 1, 2, 3].map((i) => members.group(i).execute(add(i + 1, `from ${i}`)))
    let committed = 0
    for (const each of done) void each.then(() => committed++)
    await members.until(() => committed === 4 && members.running().every((group) => group.state === 10n))
    await expectOneLog(members)
    await members.until(() => members.running().every((group) => group.status().signers.length === 4))
  })

  it('goes on without one member, and that member catches up when it is back', async () => {
    await using members = new Members(4)
    await members.startAll()
    await commit(members, 0, add(1, 'before'))
    await members.crash(2)
    for (let i = 0; i < 20; i++) await commit(members, i % 2, add(1, 'while one is down'))
    expect(members.group(0).status().counts.nullified).toBeGreaterThan(0)
    const back = await members.start(2)
    await members.until(() => back.state === 21n && back.status().voting === 'voting')
    await commit(members, 2, add(1, 'by the one that was down'))
    await members.until(() => members.running().every((group) => group.status().signers.length === 4))
    await expectOneLog(members)
  })

  it('commits nothing while two are gone, and what was asked for meanwhile once they are back', async () => {
    await using members = new Members(4)
    await members.startAll()
    await commit(members, 0, add(1, 'before'))
    await members.crash(1)
    await members.crash(3)
    const before = members.group(0).newest
    let isCommitted = false
    void members
      .group(0)
      .execute(add(5, 'waiting'))
      .then(() => {
        isCommitted = true
      })
    await expect(members.until(() => members.group(0).newest > before + 1n, 10_000)).rejects.toThrow('not within')
    expect(isCommitted).toBe(false)
    await members.start(1)
    await members.until(() => isCommitted)
    await members.start(3)
    await members.until(() => members.running().every((group) => group.state === 6n))
    await expectOneLog(members)
  })

  it('loses no acknowledged command when all four lose their power at once', async () => {
    await using members = new Members(4)
    await members.startAll()
    for (let i = 0; i < 10; i++) await commit(members, i % 4, add(1, `${i}`))
    for (const member of [0, 1, 2, 3]) await members.crash(member)
    await members.startAll()
    await members.until(() => members.running().every((group) => group.status().voting === 'voting' && group.state === 10n))
    await commit(members, 3, add(1, 'after'))
    await expectOneLog(members)
  })

  it('goes on when a view ran out while members that had started again were not yet allowed to vote', async () => {
    await using members = new Members(4)
    await members.startAll()
    await commit(members, 0, add(1, 'before'))
    const kindOf = (message: Bytes): string => decode(messageCodec, message).kind
    members.passes = (_, __, message) => kindOf(message) !== 'proposal'
    let isCommitted = false
    void members
      .group(0)
      .execute(add(5, 'waiting'))
      .then(() => {
        isCommitted = true
      })
    await members.pass(1_000)
    for (const member of [2, 3]) await members.crash(member)
    members.passes = (_, __, message) => !['proposal', 'recalled'].includes(kindOf(message))
    for (const member of [2, 3]) await members.start(member)
    await members.pass(3_000)
    expect([2, 3].map((member) => members.group(member).status().voting)).toEqual(['asking', 'asking'])
    // What was proposed in that view is lost for good: only all of them together can leave it.
    const over = members.group(0).status().view
    members.passes = (_, __, message) => {
      const said = decode(messageCodec, message)
      return said.kind !== 'proposal' || said.value.block.header.view !== over
    }
    await members.until(() => isCommitted)
    await expectOneLog(members)
  })

  it('goes on when messages are lost', async () => {
    await using members = new Members(4)
    let count = 0
    members.passes = () => count++ % 5 !== 0
    await members.startAll()
    for (let i = 0; i < 10; i++) await commit(members, i % 4, add(1, `${i}`))
    await members.until(() => members.running().every((group) => group.state === 10n))
    await expectOneLog(members)
  })

  it('takes a command that comes twice once, at whichever members it comes', async () => {
    await using members = new Members(4)
    await members.startAll()
    const command = { id: new Uint8Array(16).fill(9), until: 1_000n, author: null, body: { kind: 'machine', value: add(7, 'x') } } as const
    let committed = 0
    for (const member of [0, 2])
      void members
        .group(member)
        .submit(command)
        .then(() => committed++)
    await members.until(() => committed === 2)
    expect((await members.group(0).submit(command)).index).toBeGreaterThan(0n)
    await members.until(() => members.running().every((group) => group.state === 7n))
  })
})

describe('a store that cannot be trusted', () => {
  it('fetches damaged blocks from the others when it starts, and votes on', async () => {
    await using members = new Members(4)
    await members.startAll()
    for (let i = 0; i < 70; i++) await commit(members, 0, add(1, 'a'))
    await members.crash(2)
    const { archive } = members.seats[2] as Members['seats'][number]
    for (const key of [archiveKey.head, archiveKey.block(5n), archiveKey.seal(2n), archiveKey.item(0, 3n)]) await flip(archive, key, 7)
    const back = await members.start(2)
    await members.until(() => back.status().voting === 'voting' && back.state === 70n)
    expect(back.status().counts.fetched).toBeGreaterThan(0)
    await commit(members, 2, add(1, 'b'))
    await expectOneLog(members)
    expect((await back.source.at(back.newest)?.item(0, 3n))?.item).toBeDefined()
  })

  it('mends a damaged archive while it votes', async () => {
    await using members = new Members(4)
    await members.startAll()
    for (let i = 0; i < 12; i++) await commit(members, 0, add(1, `${i % 3}`))
    const { archive, host } = members.seats[1] as Members['seats'][number]
    const group = members.group(1)
    const damaged = [
      archiveKey.block(4n),
      archiveKey.seal(4n),
      archiveKey.item(0, 2n),
      archiveKey.logNode(0, 3n),
      archiveKey.node(0, 1, 1n),
    ]
    for (const key of damaged) await flip(archive, key, 3)
    for await (const [key] of archive.entries(archiveKey.tips(0, 0))) await flip(archive, key, 5)
    // The header of a held head is in memory; its commands are not.
    expect(await group.source.header(4n)).toEqual(await members.group(0).source.header(4n))
    await expect(group.source.commands(4n)).rejects.toMatchObject({ name: 'Storage.DamageError' })
    await commit(members, 1, add(1, 'meanwhile'))
    await members.until(() => host.lines.includes('info the archive is mended'))
    await expectOneLog(members)
    const { source } = group
    expect(await source.commands(4n)).toEqual(await members.group(0).source.commands(4n))
    expect(await source.at(group.newest)?.item(0, 2n)).toEqual(await members.group(0).source.at(group.newest)?.item(0, 2n))
    await members.crash(1)
    const again = await members.start(1)
    expect(host.lines).not.toContain('error the archive is damaged and is made anew')
    await members.until(() => again.state === 13n)
  })

  it('ends the voting of a member whose record was put back from an older copy, for good', async () => {
    await using members = new Members(4)
    await members.startAll()
    await commit(members, 0, add(1, 'a'))
    const { votes } = members.seats[1] as Members['seats'][number]
    const old = await copyOf(votes)
    for (let i = 0; i < 5; i++) await commit(members, 0, add(1, 'b'))
    await members.crash(1)
    await putBack(votes, old)
    const restored = await members.start(1)
    await members.until(() => restored.status().voting === 'stopped')
    expect(restored.status().problem).toContain('old copy')
    // It follows and serves, and the others go on without its vote.
    await commit(members, 1, add(1, 'c'))
    await members.until(() => restored.state === 7n)
    await members.crash(1)
    const again = await members.start(1)
    expect(again.status().voting).toBe('stopped')
    expect(again.broken).toMatchObject({ name: 'Storage.VoteRecordError' })
  })

  it('ends the voting of a member whose record lost a part without a word', async () => {
    await using members = new Members(4)
    await members.startAll()
    for (let i = 0; i < 5; i++) await commit(members, 0, add(1, 'a'))
    await members.crash(2)
    const { votes } = members.seats[2] as Members['seats'][number]
    for await (const [key] of votes.entries({ ...voteKey.views, limit: 1 })) await votes.write([{ key, value: null }], { sync: true })
    const damaged = await members.start(2)
    expect(damaged.broken).toMatchObject({ name: 'Storage.VoteRecordError' })
    await commit(members, 2, add(1, 'b'))
    await members.until(() => damaged.state === 6n)
    expect(damaged.source.head(3)).not.toBeNull()
  })

  it('stops voting aloud when the disk is full; three go on, and it follows', async () => {
    await using members = new Members(4)
    await members.startAll()
    await commit(members, 0, add(1, 'a'))
    members.seats[3]?.votes.fill()
    for (let i = 0; i < 5; i++) await commit(members, 0, add(1, 'b'))
    await members.until(() => members.group(3).state === 6n && members.group(3).status().voting === 'stopped')
    expect(members.seats[3]?.host.lines).toContain('error member stopped voting')
    await expectOneLog(members)
  })
})
