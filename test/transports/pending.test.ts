import { describe, expect, it } from 'vitest'
import { createPending } from '../../node/transports/pending.ts'

// Issue 7, "Hostile peers": half-open connections cost those who open them, and nobody else.

const setUp = (most: number) => {
  const pending = createPending(most)
  const ended: string[] = []
  const enter = (name: string, origin: string): object => {
    const connection = {}
    pending.enter(connection, origin, () => ended.push(name))
    return connection
  }
  return { pending, ended, enter }
}

describe('handshakes under way', () => {
  it('end with the oldest of whoever has the most, when there are too many', () => {
    const { pending, ended, enter } = setUp(4)
    enter('honest', 'b')
    for (const name of ['first', 'second', 'third']) enter(name, 'a')
    expect(ended).toEqual([])
    enter('another', 'c')
    enter('late', 'd')
    expect(ended).toEqual(['first', 'second'])
    expect(pending.size()).toBe(4)
    // Nobody has more than anybody else: the oldest of all.
    enter('last', 'e')
    expect(ended).toEqual(['first', 'second', 'honest'])
  })

  it('are over once, with a proof or with the connection, and count no more', () => {
    const { pending, ended, enter } = setUp(2)
    const proven = enter('proven', 'a')
    enter('other', 'a')
    pending.leave(proven)
    pending.leave(proven)
    expect(pending.size()).toBe(1)
    enter('one more', 'a')
    expect(ended).toEqual([])
  })
})
