import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

const PLACES = ['wasm', 'client', 'worker', 'node', 'demo', 'scripts', 'tools', 'bin']
const LIMIT = 400

const sources = PLACES.flatMap((place) =>
  readdirSync(root + place, { recursive: true, encoding: 'utf8' }).map((name) => `${place}/${name}`),
).filter((path) => /\.(ts|tsx|mjs)$/.test(path) && !path.includes('.generated.'))

describe('source files', () => {
  it(`have at most ${LIMIT} lines`, () => {
    const lines = (path: string) => readFileSync(root + path, 'utf8').split('\n').length - 1
    expect(sources.length).toBeGreaterThan(0)
    expect(sources.map((path) => [path, lines(path)] as const).filter(([, count]) => count > LIMIT)).toEqual([])
  })
})

interface Locked {
  readonly link?: boolean
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
}

describe('the lockfile', () => {
  const lockfile = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')) as { readonly packages: Readonly<Record<string, Locked>> }
  const installed = Object.entries(lockfile.packages).filter(([path]) => path !== '')

  it('names no host: whoever installs uses the registry they have', () => {
    expect(installed.length).toBeGreaterThan(0)
    expect(installed.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([])
    expect(readFileSync(`${root}package-lock.json`, 'utf8')).not.toMatch(/https?:\/\/[^"]*\.tgz/)
  })

  it('pins every package by its hash', () => {
    expect(installed.filter(([, { integrity, link }]) => integrity === undefined && link !== true).map(([path]) => path)).toEqual([])
  })
})
