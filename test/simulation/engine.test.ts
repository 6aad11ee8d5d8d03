import { describe, expect, it } from 'vitest'
import { type EngineScenario, simulateEngine } from './engine/simulate.ts'
import { POWER } from './faults.ts'
import { withoutWaiting } from './mutants.ts'

const SLOW_DISK_MS = 200

/** What went wrong, by seed. */
const wrongs = async (seeds: number, scenario: Omit<EngineScenario, 'seed'>): Promise<readonly string[]> => {
  const found: string[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const { problems, stalled } = await simulateEngine({ ...scenario, seed })
    for (const wrong of [...problems, ...stalled]) found.push(`seed ${seed}: ${wrong}`)
  }
  return found
}

describe('the engine through crashes, cuts and lossy links', () => {
  for (const [n, seeds] of [
    [1, 10],
    [2, 10],
    [4, 25],
    [7, 5],
  ] as const)
    it(`MSK-02 ${n} members keep every acknowledged command, once, in one order`, async () => {
      expect(await wrongs(seeds, { n })).toEqual([])
    })

  it('MSK-02 four members keep them through power cuts on slow disks', async () => {
    expect(await wrongs(25, { n: 4, spell: POWER, syncMs: SLOW_DISK_MS })).toEqual([])
  })

  it('shows a member that does not wait for its disk: it signs twice, or what was acknowledged is lost', async () => {
    const Engine = await withoutWaiting()
    const found = await wrongs(10, { n: 4, spell: POWER, syncMs: SLOW_DISK_MS, Engine })
    expect(found.filter((wrong) => /signed|lost|fork/.test(wrong))).not.toEqual([])
  })

  it('is replayed exactly: the seed alone decides', async () => {
    const [first, again, other] = await Promise.all([
      simulateEngine({ n: 4, seed: 3 }),
      simulateEngine({ n: 4, seed: 3 }),
      simulateEngine({ n: 4, seed: 4 }),
    ])
    expect(again.digest).toBe(first.digest)
    expect(other.digest).not.toBe(first.digest)
  })
})
