import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright'
import { build } from 'vite'
import { FLAGS, findChromium } from '../../scripts/chromium.mjs'
import type { Measured, MeasureOptions } from './_hashes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const ENTRIES = { hashes: 'test/bench/_hashes.ts', core: 'wasm/core.ts' }
/** blake3-wasm's face for pages: it is given its binary. Node has another, which is taken as it is installed. */
const REFERENCE = 'node_modules/blake3-wasm'

/** A program of the bench, built as the package is, in a folder inside the checkout, where Node finds the rivals. Gone when disposed. */
export interface Built extends AsyncDisposable {
  readonly folder: string
}

/** Builds `hashes.js` (the measuring program) and `core.js` (the core alone, as it is published). */
export const buildFor = async (host: 'node' | 'browser'): Promise<Built> => {
  await mkdir(join(root, '.cache'), { recursive: true })
  const folder = await mkdtemp(join(root, '.cache', 'bench-'))
  // One by one: what they have in common would become a third file, and the core is measured as the one that a user loads.
  const entries = host === 'node' ? ENTRIES : { ...ENTRIES, reference: `${REFERENCE}/browser-async.js` }
  for (const [name, entry] of Object.entries(entries)) {
    await build({
      root,
      configFile: false,
      logLevel: 'error',
      define: { 'process.env.NODE_ENV': '"production"' },
      build: {
        target: 'es2022',
        outDir: folder,
        emptyOutDir: false,
        minify: true,
        copyPublicDir: false,
        rolldownOptions: {
          input: { [name]: join(root, entry) },
          preserveEntrySignatures: 'strict',
          // Node takes the rivals as they are installed.
          external: host === 'node' && name === 'hashes' ? ['blake3-jit', 'hash-wasm', /^@noble/] : [],
          output: { format: 'es', entryFileNames: '[name].js', codeSplitting: false },
        },
      },
    })
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await copyFile(join(root, REFERENCE, 'dist/wasm/web/blake3_js_bg.wasm'), join(folder, 'reference.wasm'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

/** What a fresh Node prints of a program; one JSON value a line. */
export const inNode = async (folder: string, program: string, each: (value: unknown) => void): Promise<void> => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) each(JSON.parse(line))
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`the measuring process ended with ${String(code)}`)
}

/** Measures in a fresh Node: nothing of the bench's own loading is in there. */
export const measureInNode = async (
  { folder }: Built,
  options: Omit<MeasureOptions, 'reference'>,
  say: (done: Measured) => void,
): Promise<void> => {
  const program = `
    import { measure } from './hashes.js'
    const { default: reference } = await import('blake3-wasm')
    await measure({ ...${JSON.stringify(options)}, reference: reference.hash }, (done) => console.log(JSON.stringify(done)))`
  await inNode(folder, program, (value) => say(value as Measured))
}

/** Measures in a dedicated Worker of a page, as the library's own code runs. */
export const measureInBrowser = (
  built: Built,
  options: Omit<MeasureOptions, 'reference'>,
  say: (done: Measured) => void,
): Promise<void> => {
  const program = `
    import { measure } from './hashes.js'
    import load from './reference.js'
    export const main = async (say) => {
      const { hash } = await load(await fetch('./reference.wasm'))
      await measure({ ...${JSON.stringify(options)}, reference: hash }, say)
    }`
  return inWorker(built, program, (value) => say(value as Measured))
}

/** Runs `main(say)` of a program in a dedicated Worker of a fresh page, until it settles. */
export const inWorker = async ({ folder }: Built, program: string, say: (value: unknown) => void): Promise<void> => {
  await writeFile(join(folder, 'program.js'), program)
  await writeFile(
    join(folder, 'worker.js'),
    `import { main } from './program.js'
     main((done) => postMessage({ done })).then(() => postMessage({}), (error) => postMessage({ failed: String(error) }))`,
  )
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>bench</title>')
  await inPage(folder, async (page, url) => {
    await page.exposeFunction('say', say)
    await page.goto(url)
    await page.evaluate(
      () =>
        new Promise<void>((resolve, reject) => {
          const worker = new Worker('./worker.js', { type: 'module' })
          worker.onerror = ({ message }) => reject(new Error(message))
          worker.onmessage = ({ data }) => {
            if (data.done !== undefined) (globalThis as unknown as { say: (done: unknown) => void }).say(data.done)
            else if (data.failed === undefined) resolve()
            else reject(new Error(data.failed))
          }
        }),
    )
  })
}

/** Milliseconds to import a module and to its first hash of 64 bytes, in a Worker of a fresh page. */
export const firstInBrowser = async ({ folder }: Built): Promise<readonly [imported: number, hashed: number]> => {
  await writeFile(
    join(folder, 'first.js'),
    `const start = performance.now()
     const { hash } = await import('./core.js')
     const imported = performance.now()
     hash(new Uint8Array(64))
     postMessage([imported - start, performance.now() - imported])`,
  )
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>bench</title>')
  let times: readonly [number, number] = [0, 0]
  await inPage(folder, async (page, url) => {
    await page.goto(url)
    times = await page.evaluate(
      () =>
        new Promise<[number, number]>((resolve) => {
          new Worker('./first.js', { type: 'module' }).onmessage = ({ data }) => resolve(data)
        }),
    )
  })
  return times
}

type Page = Awaited<ReturnType<Awaited<ReturnType<typeof chromium.launch>>['newPage']>>

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' }

/** A page of the folder in a fresh browser. It is isolated from others, which gives it the finer clock. */
const inPage = async (folder: string, use: (page: Page, url: string) => Promise<void>): Promise<void> => {
  const server = createServer(({ url = '/' }, response) => {
    const name = url === '/' ? 'index.html' : url.slice(1)
    response.setHeader('Content-Type', TYPES[extname(name)] ?? 'text/html')
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    if (!/^[\w.-]+$/.test(name)) response.writeHead(404).end()
    else
      createReadStream(join(folder, name))
        .on('error', () => response.writeHead(404).end())
        .pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath: await findChromium(), args: FLAGS, headless: true })
  try {
    await use(await browser.newPage(), `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  } finally {
    await browser.close()
    server.close()
  }
}
