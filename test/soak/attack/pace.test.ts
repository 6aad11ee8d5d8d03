import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Kind, Target } from './kind.ts'
import { pace } from './pace.ts'

const TARGETS = ['a', 'b'] as unknown as readonly Target[]
const kind = (name: string, act: Kind['act']): Kind => ({ name, act, held: null })

describe('the pace of attackers', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('is what was asked for, every kind in turn and each against every member in turn', async () => {
    const seen: string[] = []
    const kinds = ['x', 'y'].map((name) => kind(name, async (target) => void seen.push(`${name} at ${String(target)}`)))
    const { stop } = pace(kinds, TARGETS, 200)
    await vi.advanceTimersByTimeAsync(1_000)
    const counts = stop()
    expect(seen.slice(0, 5)).toEqual(['x at a', 'y at a', 'x at b', 'y at b', 'x at a'])
    expect(counts).toEqual({ x: { sent: 100, refused: 0, closed: 0 }, y: { sent: 100, refused: 0, closed: 0 } })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(seen).toHaveLength(200)
  })

  it('is kept up by the other kinds when one is kept waiting, and what was refused is counted apart', async () => {
    const kinds = [kind('stuck', () => new Promise(() => {})), kind('refused', () => Promise.reject(new Error('no')))]
    const { stop } = pace(kinds, TARGETS, 200)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(stop()).toEqual({ stuck: { sent: 0, refused: 0, closed: 0 }, refused: { sent: 0, refused: 192, closed: 0 } })
  })
})
