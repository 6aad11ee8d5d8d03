import { beforeEach, expect, it } from 'vitest'
import { STORAGE_LIMITS, type Storage } from '../../../client/network/keep/storage.ts'
import { type Bytes, equal, utf8 } from '../../../client/primitives/bytes.ts'

const text = (bytes: Bytes | null): string | null => (bytes === null ? null : new TextDecoder().decode(bytes))

/** The compliance suite of the keeping port. `open` gives two handles on one place, as two tabs have, empty. */
export const storageSuite = (open: () => Promise<readonly [Storage, Storage]>): void => {
  let [storage, other]: readonly Storage[] = []
  beforeEach(async () => {
    ;[storage, other] = await open()
  })
  const [mine, theirs] = [() => storage as Storage, () => other as Storage]
  const put = (key: string, value: string) => mine().put(key, () => utf8(value))

  it('gives what was put, to whoever has the same place open, and null for what was not', async () => {
    await put('head a', '1')
    expect(text(await mine().get('head a'))).toBe('1')
    expect(text(await theirs().get('head a'))).toBe('1')
    expect(await mine().get('head b')).toBeNull()
  })

  it('shows what is there to whoever replaces it, and leaves it as it is where they say so', async () => {
    const seen: (string | null)[] = []
    const next = (value: string | null) => (before: Bytes | null) => {
      seen.push(text(before))
      return value === null ? null : utf8(value)
    }
    await mine().put('head a', next('1'))
    await theirs().put('head a', next(null))
    await mine().put('head a', next('2'))
    expect(seen).toEqual([null, '1', '1'])
    expect(text(await theirs().get('head a'))).toBe('2')
  })

  it('lets nobody write between the look and the write', async () => {
    const more = (before: Bytes | null): Bytes => Uint8Array.of((before?.[0] ?? 0) + 1)
    await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? mine() : theirs()).put('head a', more)))
    expect(await mine().get('head a')).toEqual(Uint8Array.of(40))
  })

  it('throws what the writer throws, and keeps what was there', async () => {
    await put('head a', '1')
    const error = new TypeError('no record')
    await expect(
      mine().put('head a', () => {
        throw error
      }),
    ).rejects.toBe(error)
    expect(text(await mine().get('head a'))).toBe('1')
    await put('head a', '2')
    expect(text(await mine().get('head a'))).toBe('2')
  })

  it('deletes, what is not there too', async () => {
    await put('head a', '1')
    await theirs().delete('head a')
    await mine().delete('head a')
    expect(await mine().get('head a')).toBeNull()
  })

  it('hands out and takes in bytes of its own', async () => {
    const value = Uint8Array.of(1, 2, 3, 4).subarray(1, 3)
    await mine().put('head a', () => value)
    value.fill(9)
    ;(await mine().get('head a'))?.fill(9)
    expect(await mine().get('head a')).toEqual(Uint8Array.of(2, 3))
  })

  it('keeps a value of a megabyte, and refuses a longer one by name', async () => {
    const largest = new Uint8Array(STORAGE_LIMITS.value).fill(7)
    await mine().put('head a', () => largest)
    expect(equal((await mine().get('head a')) as Bytes, largest)).toBe(true)
    await expect(mine().put('head a', () => new Uint8Array(STORAGE_LIMITS.value + 1))).rejects.toMatchObject({ name: 'Keep.StorageError' })
    expect((await mine().get('head a'))?.length).toBe(STORAGE_LIMITS.value)
  })

  it.each(['', 'head', 'head ', 'head  a', 'Head a', '../head a', 'head a\n', 'head ä', `head ${'a'.repeat(252)}`])(
    'refuses the key %j',
    async (key) => {
      const refused = { name: 'Keep.StorageError' }
      await expect(mine().get(key)).rejects.toMatchObject(refused)
      await expect(mine().put(key, () => utf8('1'))).rejects.toMatchObject(refused)
      await expect(mine().delete(key)).rejects.toMatchObject(refused)
    },
  )

  it('keeps 64 keys of a kind: the one written least recently goes', async () => {
    await put('fork a', 'proof')
    for (let i = 0; i < STORAGE_LIMITS.keys; i++) {
      await put(`head ${i}`, `${i}`)
      // Written one millisecond apart: the clock is all that orders them.
      await tick()
    }
    await put('head 0', 'again')
    await tick()
    await put('head new', 'new')
    expect(text(await mine().get('head 0'))).toBe('again')
    expect(text(await mine().get('head new'))).toBe('new')
    expect(await mine().get('head 1')).toBeNull()
    expect(text(await mine().get('head 2'))).toBe('2')
    expect(text(await mine().get('fork a'))).toBe('proof')
  })
}

/** Until the clock has moved on. */
const tick = async (): Promise<void> => {
  for (const start = Date.now(); Date.now() <= start; ) await new Promise((resolve) => setTimeout(resolve, 0))
}
