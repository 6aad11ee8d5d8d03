import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import type { Chunk } from '../../tools/graph.ts'

// "The compiler is the architect" (ARCHITECTURE.md section 1): what a place may name is decided by its tsconfig, what it may not do with
// what it can name by the Grit plugin. Both are tried on probes here, so that loosening either fails a test and not a review.

const root = fileURLToPath(new URL('../..', import.meta.url))

type Probes = Readonly<Record<string, string>>

/** What the compiler says of files that exist in memory only, each as if it lay at its path, by the place's own tsconfig. */
const compile = (place: string, probes: Probes): Readonly<Record<string, readonly string[]>> => {
  const folder = join(root, place)
  const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile)
  const { options, projectReferences } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
  const files = new Map(Object.entries(probes).map(([path, text]) => [join(root, path), text]))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => files.has(path) || fileExists(path)
  host.readFile = (path) => files.get(path) ?? readFile(path)
  host.getSourceFile = (path, target) => {
    const text = files.get(path)
    return text === undefined ? getSourceFile(path, target) : ts.createSourceFile(path, text, target)
  }
  const ambient = join(folder, 'ambient.d.ts')
  const rootNames = [...files.keys(), ...(existsSync(ambient) ? [ambient] : [])].filter((path) => path.startsWith(folder))
  const program = ts.createProgram({ rootNames, options, host, projectReferences: projectReferences ?? [] })
  const outside = program.getOptionsDiagnostics().map(({ code }) => `TS${code}`)
  return Object.fromEntries(
    Object.keys(probes).map((path) => {
      const source = program.getSourceFile(join(root, path))
      if (source === undefined) return [path, outside]
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
      return [path, [...found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')), ...outside]]
    }),
  )
}

const one = (place: string, text: string): string => compile(place, { [`${place}/probe.ts`]: text })[`${place}/probe.ts`]?.join('\n') ?? ''

describe('client/ does not compile when it names', () => {
  it.each([
    ['fetch', `export const probe = fetch('https://example.org')`],
    ['node:fs', `import { readFileSync } from 'node:fs'\nexport const probe = readFileSync`],
    ['window', 'export const probe = window.location'],
    ['document', 'export const probe = document.body'],
    ['setTimeout', 'export const probe = setTimeout(() => {}, 1)'],
    ['WebSocket', `export const probe = new WebSocket('ws://localhost')`],
    ['crypto', 'export const probe = crypto.subtle'],
    ['process', 'export const probe = process.env'],
    ['indexedDB', 'export const probe = indexedDB'],
    ['performance', 'export const probe = performance.now()'],
    ['console', `export const probe = () => console.log('')`],
    ['AbortSignal.timeout', 'export const probe = AbortSignal.timeout(1)'],
  ])('%s', (name, text) => {
    const last = name.split('.').at(-1)
    expect(one('client', text)).toMatch(new RegExp(`(Cannot find (name|module)|Property) '${last}'`))
  })

  it('a file of a host: a path outside the place is refused', () => {
    const probes = { 'client/probe.ts': `export { probe } from '../node/probe.ts'`, 'node/probe.ts': 'export const probe = 1' }
    expect(compile('client', probes)['client/probe.ts']?.join('\n')).toContain('not listed within the file list')
  })
})

describe('each place compiles with what it is for', () => {
  it.each([
    ['client', 'export const probe = (signal: AbortSignal) => AbortSignal.any([signal, new AbortController().signal]).aborted'],
    ['client', `export const probe = () => new TextDecoder('utf-8', { fatal: true }).decode(new TextEncoder().encode('x'))`],
    ['client/page', 'export const probe = () => document.body.append(window.name)'],
    ['worker', 'export const probe = () => self.postMessage(indexedDB)'],
    ['node', `import { readFileSync } from 'node:fs'\nexport const probe: typeof readFileSync = readFileSync`],
  ])('%s: %s', (place, text) => {
    expect(one(place, text)).toBe('')
  })

  it.each([
    ['client/page', `import { readFileSync } from 'node:fs'\nexport const probe = readFileSync`],
    ['worker', 'export const probe = document.body'],
    ['worker', 'export const probe = process.env'],
    ['node', 'export const probe = window.name'],
    ['wasm', 'export const probe = fetch'],
  ])('%s, and not with more: %s', (place, text) => {
    expect(one(place, text)).toMatch(/Cannot find (name|module)/)
  })
})

interface Diagnostic {
  readonly category: string
  readonly location: { readonly path: string }
}

/** The paths that biome refuses, with its reasons, under the project's own configuration. */
const lint = (probes: Probes): Readonly<Record<string, readonly string[]>> => {
  const folder = mkdtempSync(join(tmpdir(), 'places-'))
  try {
    for (const path of ['biome.json', 'tools', '.gitignore']) cpSync(join(root, path), join(folder, path), { recursive: true })
    for (const [path, text] of Object.entries(probes)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const command = [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'lint', '--reporter=json', '--max-diagnostics=none', '.']
    const { stdout } = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' })
    const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: readonly Diagnostic[] }
    const of = (path: string) => diagnostics.filter(({ location }) => location.path === path).map(({ category }) => category)
    return Object.fromEntries(Object.keys(probes).map((path) => [path, of(path)]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Lints each text as a file of its own in `folder`; gives the reasons for each. */
const lintAll = (folder: string, texts: readonly string[]): readonly (readonly string[])[] => {
  const path = (i: number) => `${folder}/probe-${i}.ts`
  const found = lint(Object.fromEntries(texts.map((text, i) => [path(i), `${text}\n`])))
  return texts.map((_, i) => found[path(i)] ?? [])
}

describe('the linter', () => {
  const impure = [
    'export const probe = Date.now()',
    'export const probe = Math.random()',
    'export const probe = new Date()',
    'export const probe = new Date',
    'export const probe = Date()',
    'const { now } = Date\nexport const probe = now()',
    'const { random } = Math\nexport const probe = random()',
    'const other = Math\nexport const probe = other.random()',
    `const name = 'now'\nexport const probe = Date[name]()`,
    'export const probe = Date?.now?.()',
    'export const probe = [1].map(Math.random)',
  ]

  it('refuses a clock or entropy in client/, under whatever name', () => {
    const found = lintAll('client/groups', impure)
    expect(impure.filter((_, i) => !found[i]?.includes('plugin'))).toEqual([])
  })

  it('refuses them in client/page too, and nowhere else', () => {
    expect(lintAll('client/page', impure.slice(0, 3)).every((found) => found.includes('plugin'))).toBe(true)
    expect(lintAll('worker', impure.slice(0, 3)).flat()).not.toContain('plugin')
  })

  it('leaves what is pure', () => {
    const pure = [
      'export const probe = (ms: number) => new Date(ms).toISOString()',
      'export const probe = Date.UTC(2020, 1)',
      'export const probe = Math.max(1, Math.floor(2.5))',
    ]
    expect(lintAll('client/groups', pure).flat()).toEqual([])
  })

  it('refuses globalThis in client/, by which any of it could be reached', () => {
    expect(lintAll('client/groups', ['export const probe = globalThis'])[0]).toContain('lint/style/noRestrictedGlobals')
  })

  it.each(['client', 'client/page', 'demo/wallet'])('refuses libp2p, Node and drivers in %s', (folder) => {
    const texts = ['libp2p', '@libp2p/websockets', '@multiformats/multiaddr', 'node:fs', 'ws', 'classic-level', './member.ts'].map(
      (name) => `import * as probe from '${name}'\nexport { probe }`,
    )
    const found = lintAll(folder, texts)
    expect(texts.filter((_, i) => !found[i]?.includes('lint/style/noRestrictedImports'))).toEqual([])
  })
})

describe('the type-aware linter', () => {
  it('refuses a promise that nobody awaits', () => {
    const folder = mkdtempSync(join(tmpdir(), 'places-'))
    try {
      for (const path of ['.oxlintrc.json', 'tsconfig.base.json']) cpSync(join(root, path), join(folder, path))
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ extends: './tsconfig.base.json', compilerOptions: { noEmit: true }, files: ['probe.ts'] }),
      )
      writeFileSync(join(folder, 'probe.ts'), 'export const probe = async (): Promise<void> => {}\nprobe()\n')
      const command = [join(root, 'node_modules/oxlint/bin/oxlint'), '--type-aware', '--format=unix']
      const { status, stdout } = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' })
      expect({ status, stdout }).toMatchObject({ status: 1, stdout: expect.stringMatching(/probe\.ts:2:1: .*Promises must be awaited/) })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

/** Every module in what a browser loads for these built files. */
const modulesOf = (build: string, entries: readonly string[]): readonly string[] => {
  const graph = join(root, `.cache/graph/${build}.json`)
  if (!existsSync(graph)) throw new Error('nothing is built: npm run build first')
  const chunks = JSON.parse(readFileSync(graph, 'utf8')) as readonly Chunk[]
  const byFile = new Map(chunks.map((chunk) => [chunk.file, chunk]))
  const seen = new Set<string>()
  const visit = (file: string): void => {
    const chunk = byFile.get(file)
    if (chunk === undefined || seen.has(file)) return
    seen.add(file)
    for (const next of [...chunk.imports, ...chunk.dynamicImports]) visit(next)
  }
  for (const entry of entries) visit(entry)
  return [...seen].flatMap((file) => byFile.get(file)?.modules ?? [])
}

describe('the built page', () => {
  const modules = () => modulesOf('page', ['index.js', 'lattice/tally.js'])

  it('carries no libp2p and no codec library', () => {
    expect(modules()).toContain('client/page/index.ts')
    expect(modules().filter((path) => /node_modules\/(libp2p|@libp2p|@multiformats|@chainsafe|micro-packed)\//.test(path))).toEqual([])
  })

  it('carries no host and no driver', () => {
    expect(modules().filter((path) => /^(node|worker)\/|\/member\.ts$/.test(path))).toEqual([])
  })
})
