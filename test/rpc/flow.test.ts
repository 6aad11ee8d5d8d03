import { expect, test } from 'vitest'
import { createPushes } from '../../client/rpc/flow.ts'
import { LIMITS } from '../../client/rpc/wire.ts'

const pushes = () => {
  const sent: unknown[] = []
  return { sent, ...createPushes((value) => sent.push(value)) }
}

test('one push is on its way at a time; the newest of each matter waits, in the order in which the matters came up', () => {
  const { sent, push, seen } = pushes()
  push('a1', 'a')
  push('a2', 'a')
  push('b1', 'b')
  push('a3', 'a')
  expect(sent).toEqual(['a1'])
  seen()
  expect(sent).toEqual(['a1', 'a3'])
  seen()
  expect(sent).toEqual(['a1', 'a3', 'b1'])
  seen()
  push('b2', 'b')
  expect(sent).toEqual(['a1', 'a3', 'b1', 'b2'])
})

test('a page that never says that it has seen one costs a bounded number of them', () => {
  const { sent, push, seen } = pushes()
  push('first', 'first')
  for (let i = 0; i < 10 * LIMITS.handles; i++) push(i, `matter ${i}`)
  for (let i = 0; i < 10 * LIMITS.handles; i++) seen()
  expect(sent.length).toBe(1 + LIMITS.handles)
})
