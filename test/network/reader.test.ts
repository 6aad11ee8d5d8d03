import { expect, test } from 'vitest'
import { note, person } from './notes.ts'
import { setup } from './setup.ts'

test('TAL-03 PROTOCOL 3: a reader of one member opens, reads the newest item, iterates and asks, each with its verdict', async () => {
  const { world, chain, open, network } = setup(1, (chain) => {
    for (let i = 0; i < 20; i++) chain.commit([note(`note ${i}`, i % 3, 100 + i)])
    chain.commit([], { timeMs: 1_700_000_000_000 })
  })
  const handle = await open()
  expect(handle.state.state).toBe('live')
  const latest = await world.run(handle.latest())
  expect(latest.value?.words).toBe('note 19')
  expect(latest.verdict.ok).toBe(true)
  expect(latest.verdict.integrity.state).toBe('green')
  expect(latest.verdict.authority.state).toBe('green')
  expect(latest.verdict.freshness.state).toBe('green')
  expect(latest.verdict.assumes).toBe('1 of 1 notes members signed; crash faults only: a single lying member suffices')
  const mine = await world.run(handle.ask<readonly { words: string }[]>('of', 1))
  expect(mine.value.map(({ words }) => words)).toEqual([1, 4, 7, 10, 13, 16, 19].map((i) => `note ${i}`))
  expect(mine.verdict.disclosed).toBe('bucket of 23')
  const none = await world.run(handle.ask<readonly unknown[]>('of', 5))
  expect(none.value).toEqual([])
  const words: string[] = []
  const items = handle.since(0n)[Symbol.asyncIterator]()
  for (let i = 0; i < 20; i++) words.push((await world.run(items.next())).value.value.words)
  expect(words[19]).toBe('note 19')
  const live = items.next()
  chain.commit([note('live', 7)], { timeMs: world.now })
  const got = await world.run(live)
  expect(got.value.value.words).toBe('live')
  await network[Symbol.asyncDispose]()
  await world.settle()
  expect(world.openStreams).toBe(0)
  expect(world.pendingTimers).toBe(0)
  expect(world.openLinks).toBe(0)
  void person
})
