import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { chromium } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FLAGS, findChromium } from '../../scripts/chromium.mjs'
import { copyExample, install, NAME, ROOT, run } from './_pack.ts'

// The package as a stranger meets it: packed, installed beside nothing of ours, compiled, bundled, opened in a browser, imported on a
// server. What only works because this checkout surrounds it fails here.

/** The most packages that installing us may bring, ourselves included. */
const PACKAGES = 60

const TYPES = { '.html': 'text/html', '.js': 'text/javascript' } as const

const FILES = {
  'package.json': JSON.stringify({ name: 'stranger', private: true, type: 'module' }),
  'index.html': '<!doctype html><title>stranger</title><script type="module" src="/main.ts"></script>',
  'plain.html': `<!doctype html><title>plain</title><script type="module">
import { hash, implementation } from './package/core.js'
document.title = [implementation(), hash().length].join(' ')
</script>`,
  'main.ts': `import { connect, Tally } from '${NAME}'
import { hash, implementation } from '${NAME}/core'
import * as tally from '${NAME}/lattice/tally'
import * as verify from '${NAME}/verify'
import worker from '${NAME}/worker?url'
document.title = [typeof connect, typeof Tally.read, typeof tally.read, typeof verify, worker.split('.').at(-1), implementation(), hash().length].join(' ')
`,
  'server.mjs': `const before = new Set(Reflect.ownKeys(globalThis))
const resources = process.getActiveResourcesInfo().length
const { connect } = await import('${NAME}')
await import('${NAME}/lattice/tally')
await import('${NAME}/verify')
await import('${NAME}/quote')
await import('${NAME}/events')
const { hash, implementation } = await import('${NAME}/core')
const hashed = [implementation(), hash().length].join(' ')
const added = Reflect.ownKeys(globalThis).filter((key) => !before.has(key)).map(String)
console.log(JSON.stringify({ connect: typeof connect, hashed, added, resources: process.getActiveResourcesInfo().length - resources }))
`,
  'types.ts': `import { connect } from '${NAME}'
import * as tally from '${NAME}/lattice/tally'
import * as verify from '${NAME}/verify'
import * as quote from '${NAME}/quote'
import * as events from '${NAME}/events'
import * as core from '${NAME}/core'
export const probe: readonly object[] = [connect, tally, verify, quote, events, core]
`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      target: 'ESNext',
      module: 'ESNext',
      moduleResolution: 'bundler',
      lib: ['ESNext', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
      types: [],
      strict: true,
      noEmit: true,
      // Our own declarations are what is checked here: a type of a package that we bundle would not be found.
      skipLibCheck: false,
    },
    files: ['types.ts'],
  }),
} as const

let folder = ''

const tool = (path: string, ...args: readonly string[]) => run(folder, process.execPath, join(ROOT, 'node_modules', path), ...args)

/** Serves what vite built, a page without a bundler, and under `/package/` what is published for it; nothing else. */
const serve = async (): Promise<{ readonly server: Server; readonly url: string }> => {
  const placeOf = (url: string): string => {
    if (url === '/plain.html') return join(folder, 'plain.html')
    if (url.startsWith('/package/')) return join(folder, 'node_modules', NAME, 'dist', url.slice(9))
    return join(folder, 'dist', url === '/' ? 'index.html' : url)
  }
  const server = createServer((request, response) => {
    const path = placeOf(request.url ?? '')
    const type = TYPES[extname(path) as keyof typeof TYPES]
    if (type === undefined || !existsSync(path)) return response.writeHead(404).end()
    return response.writeHead(200, { 'content-type': type }).end(readFileSync(path))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { server, url: `http://127.0.0.1:${address.port}/` }
}

describe('the package in the project of a stranger', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'stranger-'))
    for (const [path, text] of Object.entries(FILES)) writeFileSync(join(folder, path), text)
    await install(folder)
  })

  afterAll(() => {
    if (folder !== '') rmSync(folder, { recursive: true, force: true })
  })

  it(`brings at most ${PACKAGES} packages`, () => {
    const { packages } = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8')) as { readonly packages: object }
    expect(Object.keys(packages)).toContain(`node_modules/${NAME}`)
    expect(Object.keys(packages).length).toBeLessThanOrEqual(PACKAGES)
  })

  it('has declarations that compile without what we bundle', async () => {
    expect(await tool('typescript/bin/tsc', '-p', '.')).toEqual({ status: 0, stdout: '', stderr: '' })
  })

  it('is built by vite, worker and all, and opens in Chromium', async () => {
    const build = await tool('vite/bin/vite.js', 'build', '--logLevel', 'warn')
    expect(build).toMatchObject({ status: 0 })
    const { server, url } = await serve()
    const browser = await chromium.launch({ executablePath: await findChromium(), args: [...FLAGS] })
    try {
      const page = await browser.newPage()
      const errors: string[] = []
      page.on('pageerror', (error) => errors.push(error.message))
      await page.goto(url)
      await expect.poll(() => page.title()).toBe('function function function object js wasm 32')
      await page.goto(`${url}plain.html`)
      await expect.poll(() => page.title()).toBe('wasm 32')
      expect(errors).toEqual([])
    } finally {
      await browser.close()
      server.close()
    }
  })

  it('is all that the example under demo/vite needs', async () => {
    const example = join(folder, 'example')
    await copyExample('vite', example)
    const build = await tool('vite/bin/vite.js', 'build', 'example', '--logLevel', 'warn')
    expect(build).toMatchObject({ status: 0, stderr: '' })
    const built = readdirSync(join(example, 'dist/assets'))
    expect(built.some((file) => /^worker.*\.js$/.test(file))).toBe(true)
  })

  it('does nothing when a server imports it, and lets it end', async () => {
    const { status, stdout, stderr } = await run(folder, process.execPath, 'server.mjs')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({ connect: 'function', hashed: 'wasm 32', added: [], resources: 0 })
  })

  it('brings the command', async () => {
    const help = await run(folder, join(folder, 'node_modules/.bin/coalition'), '--help')
    expect(help).toMatchObject({ status: 0, stderr: '' })
    expect(help.stdout).toContain('coalition')
  })
})
