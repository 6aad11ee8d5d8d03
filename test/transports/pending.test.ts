import { describe, expect, it } from 'vitest'
import { createPending } from '../../node/transports/pending.ts'

// Issue 7, "Hostile peers": half-open connections cost those who open them, and nobody else.

const connection = (name: string, ended: string[]) => {
  const target = new EventTarget()
  return {
    addEventListener: (type: 'close', listener: () => void) => target.addEventListener(type, listener),
    abort: () => {
      ended.push(name)
      target.dispatchEvent(new Event('close'))
    },
    close: () => target.dispatchEvent(new Event('close')),
  }
}

describe('handshakes under way', () => {
  it('end with the oldest of whoever has the most, when there are too many', () => {
    const ended: string[] = []
    const pending = createPending(4)
    const enter = (name: string, origin: string): void => pending.enter(connection(name, ended), origin)
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

  it('are over with a proof or with the connection, and count no more', () => {
    const ended: string[] = []
    const pending = createPending(2)
    const [proven, gone] = [connection('proven', ended), connection('gone', ended)]
    pending.enter(proven, 'a')
    pending.enter(gone, 'a')
    pending.leave(proven)
    gone.close()
    expect(pending.size()).toBe(0)
    pending.enter(connection('one', ended), 'a')
    pending.enter(connection('two', ended), 'a')
    expect(ended).toEqual([])
  })
})
