import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { type Built, inNode, inWorker } from './_hash-hosts.ts'
import type { Measured, QuoteCase } from './_quote-run.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const ENTRY = 'test/bench/_quote-run.ts'

/** Builds `run.js`, the measuring program with the verifier as it is published, beside `cases.json`. Node takes the rival as it is installed. */
export const buildFor = async (host: 'node' | 'browser', cases: readonly QuoteCase[]): Promise<Built> => {
  await mkdir(join(root, '.cache'), { recursive: true })
  const folder = await mkdtemp(join(root, '.cache', 'bench-'))
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"', ...(host === 'browser' ? { global: 'globalThis' } : {}) },
    build: {
      target: 'es2022',
      outDir: folder,
      emptyOutDir: false,
      minify: true,
      copyPublicDir: false,
      rolldownOptions: {
        input: { run: join(root, ENTRY) },
        preserveEntrySignatures: 'strict',
        external: host === 'node' ? [/^@phala/] : [],
        output: { format: 'es', entryFileNames: '[name].js', codeSplitting: false },
      },
    },
  })
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await writeFile(join(folder, 'cases.json'), JSON.stringify(cases))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

type Say = (done: Measured) => void

/** Measures in a fresh Node: nothing of the bench's own loading is in there. */
export const measureInNode = async ({ folder }: Built, rounds: number, say: Say): Promise<void> => {
  const program = `
    import { readFileSync } from 'node:fs'
    import { measure } from './run.js'
    await measure(JSON.parse(readFileSync('./cases.json', 'utf8')), ${rounds}, (done) => console.log(JSON.stringify(done)))`
  await inNode(folder, program, (value) => say(value as Measured))
}

/** Measures in a dedicated Worker of a page, as the library's own code runs. */
export const measureInBrowser = (built: Built, rounds: number, say: Say): Promise<void> => {
  const program = `
    import { measure } from './run.js'
    export const main = async (say) => measure(await (await fetch('./cases.json')).json(), ${rounds}, say)`
  return inWorker(built, program, (value) => say(value as Measured))
}
