import { expect, test } from 'vitest'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { type EquivocationEvidence, verifyEvidence } from '../../../client/verify/evidence/index.ts'
import { Chain, seats } from '../chain.ts'
import { HEARTBEAT, note, notes } from '../notes.ts'
import { addressOf, errorOf, serve } from '../setup.ts'
import { COMMITTEE, changed, close, HEAD_START, type Scene, scene, visit } from './scene.ts'

// PROTOCOL.md section 1, "Certificates at one index … are portable proof of equivocation": a committee that was caught stays caught.

const forkKey = ({ storage }: Scene): string => [...storage.rows.keys()].find((key) => key.startsWith('fork ')) as string

/** The same committee, another history: what a rewritten server shows. */
const rewrite = ({ world, chain, places }: Scene, ...words: readonly string[]): Chain => {
  const other = new Chain(seats(COMMITTEE), world.now - 100 * HEARTBEAT)
  for (const word of words) other.commit([note(word, 1)], { timeMs: world.now })
  places.forEach((place, i) => {
    world.serve(addressOf(`peer ${i}`), Object.assign(place, serve(world, other, `peer ${i}`)))
  })
  expect(other.roster).toEqual(chain.roster)
  return other
}

const openCaught = async (here: Scene): Promise<readonly EquivocationEvidence[]> => {
  const tab = here.tab()
  expect(await errorOf(tab.open())).toMatchObject({ name: 'Network.EquivocationError' })
  const evidence = JSON.parse(JSON.stringify(await tab.network.evidence())) as readonly EquivocationEvidence[]
  await close(here.world, tab)
  return evidence
}

test('PROTOCOL 1 Certificate: history that was rewritten behind the stored head is evidence, and it is kept: caught stays caught', async () => {
  const here = scene('a', 'b')
  const { world, storage } = here
  await visit(here)
  rewrite(here, 'x', 'y', 'z')
  const tab = here.tab()
  const handle = await tab.open()
  // What was kept is shown, until the first member answers.
  expect(await errorOf(world.run(handle.since(2n)[Symbol.asyncIterator]().next()))).toMatchObject({
    name: 'Network.EquivocationError',
    facts: { index: 2n },
  })
  expect(handle.state.state).toBe('wedged')
  await close(world, tab)
  // Nobody is asked again.
  here.offline()
  const [evidence] = await openCaught(here)
  expect(await verifyEvidence(evidence, { bindings: [notes], verify: world.host().verify })).toMatchObject({ index: '2', liars: 2 })
  expect(evidence?.verdict?.integrity.state).toBe('red')
  // A reader who asks for another strength reads the same group.
  const strict = here.tab()
  expect(await errorOf(strict.open({ withstand: 0 }))).toMatchObject({ name: 'Network.EquivocationError' })
  await close(world, strict)
  expect([...storage.rows.keys()].filter((key) => key.startsWith('fork '))).toHaveLength(1)
})

test('the proof is written in the moment in which it is found', async () => {
  const here = scene('a', 'b')
  await visit(here)
  rewrite(here, 'x', 'y', 'z')
  const tab = here.tab()
  const handle = await tab.open()
  const opened = here.world.now
  await here.world.advance(HEAD_START)
  expect([handle.state.state, here.world.now]).toEqual(['wedged', opened + HEAD_START])
  expect(forkKey(here)).toMatch(/^fork /)
  await close(here.world, tab)
})

test.each<[string, (row: Bytes, here: Scene) => unknown]>([
  ['garbage', () => new Uint8Array(500).fill(1)],
  ['a vote that does not verify', (row) => changed(row, row.length - 60)],
  ['one history twice', (row) => Uint8Array.from([...row.subarray(0, 9), ...repeated(row)])],
  ['no bytes', () => ({})],
])('hostile storage cannot wedge a group: %s as the proof against it is deleted, and the reader goes on', async (_, damage) => {
  const here = scene('a', 'b')
  await visit(here)
  rewrite(here, 'x', 'y')
  const caught = here.tab()
  await caught.open().catch(() => {})
  await here.world.advance(HEAD_START)
  await close(here.world, caught)
  const key = forkKey(here)
  here.storage.rows.set(key, damage(here.storage.rows.get(key) as Bytes, here))
  here.offline()
  const tab = here.tab()
  expect((await here.world.run((await tab.open()).latest())).value?.words).toBe('b')
  expect(here.storage.rows.has(key)).toBe(false)
  expect(tab.said).toEqual(['what was kept does not verify: starting without it'])
  await close(here.world, tab)
})

/** The first branch of two that are equally long, twice. */
const repeated = (row: Bytes): readonly number[] => {
  const branch = [...row.subarray(9, 9 + (row.length - 9) / 2)]
  return [...branch, ...branch]
}
