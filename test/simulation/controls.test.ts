import { describe, expect, it } from 'vitest'
import { mutate } from './mutants.ts'
import { CONTROLS, count, seedsOf } from './table.ts'

describe('what the simulation has to find', () => {
  for (const row of CONTROLS)
    it(`${row.what}: n ${row.n}, liars ${row.liars}, strength ${row.strength}`, async () => {
      const { forks } = await count(row, seedsOf(row))
      expect(forks.length > 0, `seeds that forked: ${forks.join(', ') || 'none'}`).toBe(row.forks === true)
    })

  it('makes no mutant of a source that has changed', async () => {
    const change = { file: 'client/groups/simplex/simplex.ts', from: 'no such text', to: '' }
    await expect(mutate('client/groups/simplex/index.ts', [change])).rejects.toThrow('0 times what the mutant changes')
  })
})
