import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { CHECKS } from '../../client/verify/checks.ts'
import { SCENARIOS } from './scenarios.ts'
import { KEYS } from './stage.ts'

// Issue "The wallet", part 1: the table in docs/ says lie by lie which check catches it.

const TABLE = new URL('../../docs/lies.md', import.meta.url)

/** Cells of every row of the file's tables that begins with a lie. */
const rowsIn = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| what a server does'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )

test('docs/lies.md has the scenarios of the tests, in their order, and nothing else', async () => {
  const rows = rowsIn(await readFile(TABLE, 'utf8'))
  expect(rows).toEqual(SCENARIOS.map(({ lie, keys, caught, sees }) => [lie, keys, `\`${caught}\``, sees]))
})

test('no lie stands there twice, and each is caught by a check of the closed list or by a named error', () => {
  expect(new Set(SCENARIOS.map(({ lie }) => lie)).size).toBe(SCENARIOS.length)
  for (const { caught, keys } of SCENARIOS) {
    expect(caught in CHECKS || /^(Codec|Light|Network)\.\w+Error$/.test(caught)).toBe(true)
    expect(KEYS[keys].length).toBeLessThanOrEqual(2)
  }
})
