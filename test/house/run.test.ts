import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const runner = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url))

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-'))
  writeFileSync(join(folder, 'late.ts'), `export const word: string = 'late'\n`)
  writeFileSync(
    join(folder, 'program.ts'),
    `export const main = async (args: readonly string[]): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 50))
  const { word } = await import('./late.ts')
  console.log([word, ...args].join(' '))
  return 7
}
`,
  )
  writeFileSync(
    join(folder, 'failing.ts'),
    `interface Nothing {}
export const main = (): Promise<Nothing> => {
  throw new Error('as told')
}
`,
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

const run = (...args: readonly string[]) => spawnSync(process.execPath, [runner, ...args], { encoding: 'utf8' })

describe('scripts/run.mjs', () => {
  it('runs a TypeScript program to its end, imports made late included, and exits as it says', () => {
    const { status, stdout, stderr } = run(join(folder, 'program.ts'), 'a', '--json')
    expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: 'late a --json\n', stderr: '' })
  })

  it('finds a program by its name in a folder, and lists the names', () => {
    expect(run(folder, 'program').status).toBe(7)
    expect(run(folder)).toMatchObject({ status: 2, stderr: 'name one of: failing, late, program\n' })
    expect(run(folder, 'absent')).toMatchObject({ status: 2, stderr: 'no absent of: failing, late, program\n' })
  })

  it('fails with the place in the source', () => {
    const { status, stderr } = run(join(folder, 'failing.ts'))
    expect(status).toBe(1)
    expect(stderr).toMatch(/failing\.ts:3/)
  })

  it('says what it cannot run', () => {
    expect(run()).toMatchObject({ status: 2 })
    expect(run(join(folder, 'absent.ts')).stderr).toContain('no such program')
  })
})
