import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Store } from '../../client/groups/storage.ts'
import { type Bytes, utf8 } from '../../client/primitives/bytes.ts'

/** The compliance suite of the storage port: every implementation passes it. `reopen` closes and opens the same data again. */
export const storeSuite = (
  open: () => Promise<{ readonly store: Store; readonly reopen: () => Promise<Store>; readonly clean: () => Promise<void> }>,
): void => {
  let it0: Awaited<ReturnType<typeof open>>
  let store: Store
  beforeEach(async () => {
    it0 = await open()
    store = it0.store
  })
  afterEach(() => it0.clean())

  const put = (entries: Readonly<Record<string, string>>, sync = false) =>
    store.write(
      Object.entries(entries).map(([key, value]) => ({ key: utf8(key), value: utf8(value) })),
      { sync },
    )
  const text = (bytes: Bytes | null): string | null => (bytes === null ? null : new TextDecoder().decode(bytes))
  const list = async (span: { from: string; to: string; reverse?: boolean; limit?: number }) => {
    const found: string[] = []
    for await (const [key, value] of store.entries({ ...span, from: utf8(span.from), to: utf8(span.to) }))
      found.push(`${text(key)}=${text(value)}`)
    return found
  }

  it('gives what was written, and null for what was not', async () => {
    await put({ a: '1' })
    expect(text(await store.get(utf8('a')))).toBe('1')
    expect(await store.get(utf8('b'))).toBeNull()
  })

  it('replaces and deletes in one batch', async () => {
    await put({ a: '1', b: '2' })
    await store.write(
      [
        { key: utf8('a'), value: utf8('3') },
        { key: utf8('b'), value: null },
      ],
      { sync: true },
    )
    expect(await list({ from: 'a', to: 'z' })).toEqual(['a=3'])
  })

  it('walks a span in byte order: first key in, last key out, backwards and limited on demand', async () => {
    await put({ b: '2', a: '1', d: '4', c: '3', e: '5' })
    expect(await list({ from: 'b', to: 'e' })).toEqual(['b=2', 'c=3', 'd=4'])
    expect(await list({ from: 'a', to: 'z', reverse: true, limit: 2 })).toEqual(['e=5', 'd=4'])
  })

  it('walks a snapshot: what is written during the walk is not seen', async () => {
    await put({ a: '1', b: '2' })
    const entries = store.entries({ from: utf8('a'), to: utf8('z') })[Symbol.asyncIterator]()
    await put({ c: '3' })
    const seen: (string | null)[] = []
    for (let next = await entries.next(); next.done !== true; next = await entries.next()) seen.push(text(next.value[0]))
    expect(seen).toEqual(['a', 'b'])
  })

  it('hands out bytes of its own: changing them changes nothing stored', async () => {
    await put({ a: '1' })
    ;(await store.get(utf8('a')))?.fill(0)
    expect(text(await store.get(utf8('a')))).toBe('1')
  })

  it('keeps an empty value apart from no value', async () => {
    await store.write([{ key: utf8('a'), value: new Uint8Array(0) }], { sync: false })
    expect(await store.get(utf8('a'))).toHaveLength(0)
  })

  it('holds synced batches after it was closed and opened again', async () => {
    await put({ a: '1' }, true)
    store = await it0.reopen()
    expect(text(await store.get(utf8('a')))).toBe('1')
  })
}
