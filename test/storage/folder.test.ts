import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { STORAGE_LIMITS } from '../../client/network/keep/storage.ts'
import { openFolder } from '../../node/storage/folder.ts'
import { storageSuite } from '../network/keep/storage.ts'

let made: string[] = []
const folder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'coalition-kept-'))
  made.push(path)
  return path
}
afterEach(async () => {
  for (const path of made) {
    await chmod(path, 0o700)
    await rm(path, { recursive: true })
  }
  made = []
})

const value = Uint8Array.of(1, 2, 3)

describe('a folder', () => {
  storageSuite(async () => {
    const path = join(await folder(), 'kept')
    return [openFolder(path), openFolder(path)]
  })

  it.each([
    ['a folder', (file: string) => mkdir(file)],
    ['a link', (file: string) => symlink('/etc/hostname', file)],
    ['a pipe, which would keep its reader waiting', async (file: string) => void execFileSync('mkfifo', [file])],
    ['a file longer than a value may be', (file: string) => writeFile(file, new Uint8Array(STORAGE_LIMITS.value + 1))],
  ])('names %s where a value should be as damage, and deletes it', async (_, damage) => {
    const path = await folder()
    const storage = openFolder(path)
    await storage.put('head a', () => value)
    const [name] = await readdir(path)
    const file = join(path, name as string)
    await rm(file)
    await damage(file)
    await expect(storage.get('head a')).rejects.toMatchObject({ name: 'Keep.StorageError', isDamage: true })
    await storage.delete('head a')
    expect(await storage.get('head a')).toBeNull()
  })

  it('takes the lock of a process that died, and waits for no other one for ever', async () => {
    const path = await folder()
    const lock = join(path, 'lock')
    await writeFile(lock, '')
    await expect(openFolder(path).put('head a', () => value)).rejects.toMatchObject({ problem: 'another process is writing in the folder' })
    await utimes(lock, 1, 1)
    await openFolder(path).put('head a', () => value)
    expect(await openFolder(path).get('head a')).toEqual(value)
  })

  it('says why it cannot keep anything', async () => {
    const path = join(await folder(), 'file')
    await writeFile(path, '')
    await expect(openFolder(path).put('head a', () => value)).rejects.toMatchObject({
      name: 'Keep.StorageError',
      problem: expect.stringContaining('EEXIST'),
      isDamage: false,
    })
  })
})
