import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { LIGHTS } from '../../client/verify/checks.ts'
import { tables } from '../../tools/tables.ts'

const made = tables()
const cells = (line: string): readonly string[] => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim())

describe('the documents that are made from the source', () => {
  it.each([...made])('%s is current', (path, text) => {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8') === text, 'npm run tables').toBe(true)
  })

  it('name every check of the closed list, once, under its light', () => {
    const text = made.get('docs/checks.md') ?? ''
    const sections = text.split('\n## ').slice(1)
    expect(sections.map((section) => section.split('\n')[0])).toEqual(Object.keys(LIGHTS))
    const named = sections.map((section) => [...section.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, name]) => name))
    expect(named).toEqual(Object.values(LIGHTS))
  })

  it('say of every error what it is', () => {
    const rows = (made.get('docs/errors.md') ?? '').split('\n').filter((line) => line.startsWith('| `'))
    expect(rows.length).toBeGreaterThan(60)
    expect(rows.map(cells).filter(([, about]) => about === '')).toEqual([])
    const codes = rows.map((row) => cells(row)[0])
    expect(codes).toEqual(expect.arrayContaining(['`Verify.EvidenceError`', '`Network.ConnectTimeoutError`', '`Core.FormatError`']))
  })
})
