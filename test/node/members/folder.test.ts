import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { VoteRecordError } from '../../../client/groups/vote-record.ts'
import { silent } from '../../../client/log.ts'
import { utf8 } from '../../../client/primitives/bytes.ts'
import { createVerify } from '../../../client/primitives/ed25519.ts'
import { nodeSubtle } from '../../../node/ed25519.ts'
import { initFolder, openFolder } from '../../../node/members/folder.ts'
import { scratch } from '../folder.ts'

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

/** A member's folder as `init` leaves it. */
const member = async (): Promise<string> => {
  const path = join(await scratch(), 'member')
  await initFolder(path)
  return path
}

/** A store that LevelDB refuses: the file that its manifest stands in is gone. */
const damage = async (store: string): Promise<void> => {
  const manifest = (await readdir(store)).find((name) => name.startsWith('MANIFEST'))
  await rm(join(store, manifest ?? 'MANIFEST'))
}

describe('initFolder', () => {
  it('makes keys that nobody but their owner can read', async () => {
    const path = await member()
    expect(await Promise.all([path, join(path, 'votes'), join(path, 'link.key')].map(modeOf))).toEqual([0o700, 0o700, 0o600])
    expect(await readFile(join(path, 'link.key'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
    expect((await readdir(path)).sort()).toEqual(['link.key', 'votes'])
  })

  it('gives the public halves of what it made, and the same ones the next time', async () => {
    const path = await member()
    const keys = await initFolder(path)
    const folder = await openFolder(path, silent)
    const message = utf8('a vote')
    expect(await (await createVerify(nodeSubtle))(folder.sign(message), message, keys.vote)).toBe(true)
    expect([folder.peer, folder.vote]).toEqual([keys.peer, keys.vote])
    await folder.close()
  })

  it('makes one set of keys when two make them at once', async () => {
    const path = join(await scratch(), 'member')
    const made = await Promise.allSettled([initFolder(path), initFolder(path)])
    const keys = made.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    expect(keys).toEqual([await initFolder(path)])
    expect(made).toContainEqual({ status: 'rejected', reason: expect.objectContaining({ problem: 'in use by another process' }) })
  })

  it('says in one line where there can be no folder', async () => {
    const file = join(await scratch(), 'file')
    await writeFile(file, '')
    await expect(initFolder(file)).rejects.toMatchObject({ name: 'Member.FolderError', message: expect.stringMatching(/cannot be made/) })
  })
})

describe('openFolder', () => {
  it('refuses a folder that another process has open, and one without keys', async () => {
    const path = await member()
    const folder = await openFolder(path, silent)
    await expect(openFolder(path, silent)).rejects.toMatchObject({ name: 'Storage.StoreError', problem: 'in use by another process' })
    await folder.close()
    await expect(openFolder(join(path, 'elsewhere'), silent)).rejects.toMatchObject({ name: 'Member.FolderError' })
    await writeFile(join(path, 'link.key'), 'not hex\n')
    await expect(openFolder(path, silent)).rejects.toMatchObject({
      name: 'Member.FolderError',
      message: expect.not.stringContaining('not hex\n'),
    })
  })

  it.each<readonly [string, (votes: string) => Promise<void>]>([
    ['a vote record that cannot be opened', damage],
    ['a vote record that is empty', (votes) => rm(votes, { recursive: true })],
  ])('PROTOCOL 1 Loss: opens with %s, for a member that follows, serves and never votes', async (_, spoil) => {
    const path = await member()
    await spoil(join(path, 'votes'))
    const folder = await openFolder(path, silent)
    expect(folder.votes).toBeInstanceOf(VoteRecordError)
    expect((folder.votes as VoteRecordError).message).toMatch(/must not vote again.*coalition member init/)
    expect(folder.vote).toBeNull()
    expect(() => folder.sign(utf8('a vote'))).toThrow(expect.objectContaining({ name: 'Member.FolderError' }))
    await folder.archive.write([{ key: utf8('key'), value: utf8('value') }], { sync: true })
    await folder.close()
  })

  it('puts an archive that cannot be opened aside, and nothing else', async () => {
    const path = await member()
    await (await openFolder(path, silent)).close()
    await damage(join(path, 'archive'))
    await (await openFolder(path, silent)).close()
    const aside = (await readdir(path)).filter((name) => name.startsWith('archive.damaged-'))
    expect(aside).toHaveLength(1)
    await (await openFolder(path, silent)).close()
    expect((await readdir(path)).filter((name) => name.startsWith('archive.damaged-'))).toEqual(aside)
  })

  it('does not take what is in the way of a store for damage to it', async () => {
    const path = await member()
    await writeFile(join(path, 'archive'), 'a file where the folder belongs')
    await expect(openFolder(path, silent)).rejects.toMatchObject({ name: 'Storage.StoreError', isDamage: false })
    expect((await readdir(path)).sort()).toEqual(['archive', 'link.key', 'votes'])
  })
})
