import { describe, expect, it } from 'vitest'
import { createGate } from '../../../node/transports/webrtc/gate.ts'

// Issue 7, item 1: limits per address and in total. A STUN request is believed in nothing until its sender has had an answer.

const limits = { connections: 8, perAddress: 2, perSecond: 6, pending: 3 }

const gate = (more: Partial<typeof limits> = {}) => {
  const clock = { now: 0 }
  const ended: string[] = []
  const made = createGate({ ...limits, ...more }, () => clock.now)
  /** Lets somebody in who goes when another takes the place. */
  const enter = (origin: string, name = origin) => {
    const entry = made.enter(origin, () => {
      ended.push(name)
      entry?.release()
    })
    return entry
  }
  return { ...made, enter, clock, ended }
}

describe('the gate of a webrtc-direct listener', () => {
  it('gives the place of the oldest that has proven nothing to the next one', () => {
    const { enter, ended, size } = gate()
    for (const name of ['a', 'b', 'c', 'd', 'e']) expect(enter(name)).not.toBe(null)
    expect(ended).toEqual(['a', 'b'])
    expect(size()).toBe(3)
  })

  it('takes nothing from one that has shown its address', () => {
    const { enter, ended } = gate()
    expect(enter('a')?.prove()).toBe(true)
    for (const name of ['b', 'c', 'd', 'e']) enter(name)
    expect(ended).toEqual(['b'])
  })

  it('counts for an address only what it has shown to be its own', () => {
    const { enter } = gate({ pending: 8 })
    const [first, second, third] = [enter('a'), enter('a'), enter('a')]
    expect([first?.prove(), second?.prove(), third?.prove()]).toEqual([true, true, false])
    third?.release()
    first?.release()
    first?.release()
    expect(enter('a')?.prove()).toBe(true)
    expect(enter('a')?.prove()).toBe(false)
  })

  it('holds so many in all', () => {
    const { enter, size } = gate({ perSecond: 99, pending: 99 })
    const entries = Array.from({ length: 8 }, (_, i) => enter(`a${i}`))
    expect(enter('b')).toBe(null)
    entries[3]?.release()
    expect(enter('b')).not.toBe(null)
    expect(size()).toBe(8)
  })

  it('lets in so many a second from one address, and so many in all', () => {
    const { enter, clock } = gate({ connections: 99 })
    const let_in = (origin: string, times: number): number => Array.from({ length: times }, () => enter(origin)).filter(Boolean).length
    expect(let_in('a', 9)).toBe(6)
    expect(let_in('b', 9)).toBe(6)
    expect(let_in('c', 9)).toBe(0)
    clock.now = 999
    expect(let_in('c', 9)).toBe(0)
    clock.now = 1_000
    expect(let_in('a', 9)).toBe(6)
  })

  it('has no more to say to one that was let go of', () => {
    const { enter, size } = gate()
    const entry = enter('a')
    entry?.release()
    expect(entry?.prove()).toBe(false)
    expect(size()).toBe(0)
  })
})
