import { beforeEach, describe, expect, it } from 'vitest'
import { commitHash, voteMessage } from '../../client/groups/block.ts'
import { archiveKey, voteKey } from '../../client/groups/keys.ts'
import { proposalCodec } from '../../client/groups/vote-record.ts'
import { toHex, utf8 } from '../../client/primitives/bytes.ts'
import { decode } from '../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { pathOf } from '../../client/proofs/map-proof.ts'
import { verifyItem } from '../../client/proofs/tree.ts'
import { hashLeaf } from '../../wasm/core.ts'
import { add, identityOf, note, openCounter, testHost } from './counter.ts'
import { flip, memoryStore } from './memory-store.ts'

const identity = identityOf(1)
let votes = memoryStore()
let archive = memoryStore()
let host = testHost()
beforeEach(() => {
  votes = memoryStore()
  archive = memoryStore()
  host = testHost()
})
const open = () => openCounter(votes, archive, host)

describe('a committee of one', () => {
  it('MSK-02 MSK-06 commits what it is told, in order, and tells who asked', async () => {
    await using group = await open()
    const done = await Promise.all([group.execute(add(1, 'a')), group.execute(add(2, 'b')), group.execute(add(3, 'a'))])
    expect(group.state).toBe(6n)
    expect(new Set(done.map(({ index }) => index)).size).toBeLessThanOrEqual(3)
    const items = await group.source.appended(done[0]?.index as bigint)
    expect(items?.[0]?.map((item) => note(item).total)[0]).toBe(1n)
  })

  it('signs every block: the finalize vote of its one member over the commit hash', async () => {
    await using group = await open()
    await group.execute(add(5, 'x'))
    const head = group.source.head(1)
    expect(head).not.toBeNull()
    if (head === null) return
    const message = voteMessage(identity.rosterId, head.seal.view, 'finalize', commitHash(head.header))
    expect([...head.seal.signers]).toEqual([1])
    expect(await verifyWithNoble(head.seal.signatures[0] as never, message, identity.roster.members[0]?.vote as never)).toBe(true)
    expect(group.source.head(2)).toBeNull()
  })

  it('commits an empty block every heartbeat when idle, and none before', async () => {
    await using group = await open()
    await group.execute(add(1, 'a'))
    const before = group.newest
    host.advance(999)
    await group.execute(add(1, 'a'))
    expect(group.newest).toBe(before + 1n)
    const beat = new Promise((resolve) => group.onCommit(resolve))
    host.advance(1_000)
    expect(await beat).toBe(before + 2n)
    expect((await group.source.commands(before + 2n))?.length).toBe(0)
  })

  it('names each block after its parent and lists all of them in the log', async () => {
    await using group = await open()
    for (let i = 1; i <= 9; i++) await group.execute(add(i, 'w'))
    const head = group.source.head(1)
    if (head === null) throw new Error('no head')
    for (let index = 0n; index < head.header.index; index++) {
      const header = await group.source.header(index)
      const proof = await group.source.logProof(head.header, index)
      if (header === null || proof === null) throw new Error(`block ${index}`)
      verifyItem({ size: head.header.index, root: head.header.log }, proof, hashLeaf(commitHash(header)))
      const child = await group.source.header(index + 1n)
      expect(toHex(child?.prev ?? new Uint8Array(0))).toBe(toHex(commitHash(header)))
    }
  })

  it('proves items, runs and absence under a head that it holds', async () => {
    await using group = await open()
    for (let i = 1; i <= 9; i++) await group.execute(add(i, i % 2 === 0 ? 'even' : 'odd'))
    const view = group.source.at(group.newest)
    if (view === null) throw new Error('no view')
    const { item, proof } = await view.item(0, 3n)
    verifyItem(view.header.surfaces[0] as never, proof, hashLeaf(item))
    const bucket = view.bucket(0, 0, 0, pathOf(utf8('x')))
    expect(bucket.keys.map(({ count }) => count).sort()).toEqual([4n, 5n])
  })

  it('refuses a command that the machine does not admit, without a block', async () => {
    await using group = await open()
    const before = group.newest
    await expect(group.execute(add(0, 'zero'))).rejects.toThrow('amount is zero')
    await expect(group.execute(utf8('junk'))).rejects.toMatchObject({ name: 'Codec.DecodeError' })
    expect(group.newest).toBe(before)
  })

  it('makes a command that comes twice a no-op, in one block, in the next and after a restart', async () => {
    const same = { ...host, random: (n: number) => new Uint8Array(n).fill(7) }
    const twice = await openCounter(votes, archive, { ...same, lines: [] })
    await twice.execute(add(1, 'a'))
    await twice.execute(add(1, 'a'))
    expect(twice.state).toBe(1n)
    await twice[Symbol.asyncDispose]()
    await using again = await openCounter(votes, archive, { ...same, lines: [] })
    await again.execute(add(1, 'a'))
    expect(again.state).toBe(1n)
  })

  it('keeps blobs by their hash', async () => {
    await using group = await open()
    await group.execute(add(1, 'a'))
    const { hash } = await import('../../wasm/core.ts')
    expect(await group.source.blob(hash(utf8('blob of a')))).toEqual(utf8('blob of a'))
  })
})

describe('restart', () => {
  it('goes on where it was: same state, same log, no index twice', async () => {
    const first = await open()
    for (let i = 1; i <= 5; i++) await first.execute(add(i, 'a'))
    const before = first.source.head(1)
    await first[Symbol.asyncDispose]()
    await using second = await open()
    expect(second.state).toBe(15n)
    await second.execute(add(1, 'b'))
    expect(second.newest).toBe((before?.header.index ?? 0n) + 1n)
    expect(toHex((await second.source.header(second.newest))?.prev as never)).toBe(toHex(commitHash(before?.header as never)))
  })

  it('loses no acknowledged command when the archive loses everything unsynced', async () => {
    const first = await open()
    for (let i = 1; i <= 100; i++) await first.execute(add(1, `w${i % 7}`))
    const head = first.source.head(1)
    await first[Symbol.asyncDispose]()
    archive.crash()
    votes.crash()
    await using second = await open()
    expect(second.state).toBe(100n)
    expect(toHex(commitHash((await second.source.header(head?.header.index as never)) as never))).toBe(
      toHex(commitHash(head?.header as never)),
    )
  })

  it('lets go of blocks in the vote record once the archive holds them', async () => {
    await using group = await open()
    for (let i = 1; i <= 200; i++) await group.execute(add(1, 'a'))
    let kept = 0
    for await (const [, value] of votes.entries(voteKey.blocks)) {
      decode(proposalCodec, value)
      kept += 1
    }
    expect(kept).toBeLessThanOrEqual(65)
  })

  it('refuses the store of another member or group', async () => {
    await (await open())[Symbol.asyncDispose]()
    await expect(openCounter(votes, archive, host, identityOf(1, 'another'))).rejects.toMatchObject({
      name: 'Storage.VoteRecordOwnerError',
    })
  })

  it('makes an archive anew that does not hang together, from its blocks', async () => {
    const first = await open()
    for (let i = 1; i <= 3; i++) await first.execute(add(i, 'a'))
    const head = first.source.head(1)
    await first[Symbol.asyncDispose]()
    for await (const [key] of archive.entries(archiveKey.tips(0, 0))) await archive.write([{ key, value: null }], { sync: true })
    await using second = await open()
    expect(host.lines).toContain('error the archive is damaged and is made anew')
    expect(second.state).toBe(6n)
    await second.execute(add(1, 'a'))
    expect(toHex((await second.source.header(second.newest))?.prev as never)).toBe(toHex(commitHash(head?.header as never)))
  })

  it('refuses to begin a history anew: what a committee of one has lost nobody else has', async () => {
    const first = await open()
    for (let i = 1; i <= 70; i++) await first.execute(add(i, 'a'))
    await first[Symbol.asyncDispose]()
    await flip(archive, archiveKey.block(3n))
    await flip(archive, archiveKey.head)
    await expect(open()).rejects.toMatchObject({ name: 'Storage.ArchiveError', message: expect.stringContaining('backup') })
  })

  it('stops voting aloud when the disk is full, and keeps serving', async () => {
    await using group = await open()
    await group.execute(add(1, 'a'))
    votes.fill()
    await expect(group.execute(add(2, 'b'))).rejects.toMatchObject({ name: 'Group.StoppedError' })
    expect(host.lines).toContain('error member stopped voting')
    expect(group.source.head(1)).not.toBeNull()
    expect(group.state).toBe(1n)
    await expect(group.execute(add(3, 'c'))).rejects.toMatchObject({ name: 'Group.StoppedError' })
  })
})
