import { expect, test } from 'vitest'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { seats } from '../chain.ts'
import { errorOf } from '../setup.ts'
import { COMMITTEE, changed, close, headKey, scene, sceneOf, visit } from './scene.ts'

// PROTOCOL.md section 3: "What is read from IndexedDB is verified like what comes from the wire." Any script of the origin can write there.

/** What is kept of a committee with other keys. */
const foreign = async (): Promise<unknown> => {
  const other = sceneOf(seats(COMMITTEE, 9), ['theirs'])
  await visit(other)
  return other.storage.rows.get(headKey(other))
}

test.each<[string, (row: Bytes) => unknown]>([
  ['garbage', () => new Uint8Array(2_000).fill(0xa5)],
  ['nothing', () => new Uint8Array(0)],
  ['no bytes', () => 'head'],
  ['a record that was cut', (row) => row.slice(0, -1)],
  ['a record with more behind it', (row) => Uint8Array.from([...row, 0])],
  ['another version', (row) => changed(row, 0)],
  ['a claim to be newer than it is', (row) => changed(row, 2)],
  ['an item that nobody committed', (row) => changed(row, row.length - 40)],
  ['more than a value may be', () => new Uint8Array(2_000_000)],
  ['a head of another committee', foreign],
])('hostile storage, %s: nothing of it is shown, it is deleted, said once, and the reader starts cold', async (_, damage) => {
  const here = scene('a', 'b')
  const { world, storage } = here
  await visit(here)
  const key = headKey(here)
  storage.rows.set(key, await damage(storage.rows.get(key) as Bytes))
  here.offline()
  const tab = here.tab()
  expect(await errorOf(tab.open({ timeout: 500 }))).toMatchObject({ name: 'Network.ConnectTimeoutError' })
  expect(storage.rows.has(key)).toBe(false)
  expect(tab.said).toEqual(['what was kept does not verify: starting without it'])
  here.offline(false)
  expect((await world.run((await tab.open()).latest())).value?.words).toBe('b')
  await close(world, tab)
})
