import { existsSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type EnvironmentOptions, type Rolldown } from 'vite'
import published from './package.json' with { type: 'json' }
import { graph } from './tools/graph.ts'
import { plainImports } from './tools/plain-imports.ts'
import { workerUrl } from './tools/worker-url.ts'

const root = fileURLToPath(new URL('.', import.meta.url))

type Entries = Readonly<Record<string, string>>

/** What is published, by build. Those of one build share their chunks, so that page state (one network per origin) exists once. */
const ENTRIES = {
  page: {
    index: 'client/page/index.ts',
    'lattice/tally': 'client/lattice/tally/index.ts',
    elements: 'client/page/elements/index.ts',
    react: 'client/page/react/index.ts',
  },
  verify: {
    verify: 'client/verify/index.ts',
    quote: 'client/verify/quotes.ts',
    policy: 'client/verify/policies.ts',
    events: 'client/verify/events/index.ts',
    core: 'wasm/core.ts',
  },
  worker: { worker: 'worker/main.ts' },
  node: { 'node/index': 'node/index.ts', 'node/main': 'node/main.ts' },
} as const satisfies Readonly<Record<string, Entries>>

/** What the entries of `verify` share, under names of its own, so that each has its budget, and a page that has two of them loads it once. */
const SHARED = [
  { name: 'core', test: /\/wasm\// },
  { name: 'hashes', test: /@noble\/hashes\/sha2/ },
  { name: 'values', test: /\/client\/(?:error|primitives\/(?:bytes|digest|json-value)|verify\/quote\/names)\.ts$/ },
  { name: 'json', test: /\/client\/primitives\/(?:id|json)\.ts$/ },
  { name: 'codec', test: /\/client\/primitives\/codec/ },
  { name: 'curves', test: /@noble\/curves\/(?:utils|abstract\/(?:curve|modular))/ },
] as const

/** Chunks of an earlier build would be published too. The declarations beside them are the compiler's, and stay. */
const clear = (): void => {
  if (!existsSync(`${root}dist`)) return
  const built = readdirSync(`${root}dist`).filter((name) => name !== 'types' && name !== '.tsc')
  for (const name of built) rmSync(`${root}dist/${name}`, { recursive: true })
}

const output: Rolldown.OutputOptions = { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' }

/** A build for the browser. A library's imports of its own dependencies are bundled: a dapp gets no libp2p and no codec to resolve. */
const browser = (entries: Entries, options: Rolldown.OutputOptions): EnvironmentOptions => ({
  consumer: 'client',
  define: { 'process.env.NODE_ENV': '"production"', __COALITION_VERSION__: JSON.stringify(published.version) },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: false,
    copyPublicDir: false,
    sourcemap: true,
    minify: true,
    modulePreload: false,
    reportCompressedSize: false,
    // React is the page's own: two of them in one page have two sets of hooks.
    rolldownOptions: { input: entries, external: ['react'], preserveEntrySignatures: 'strict', output: { ...output, ...options } },
  },
})

/** Native addons and what chooses them by platform stay outside; everything else is bundled, so that installing us brings no libp2p. */
const NATIVE = ['@matrixai/quic', 'classic-level', 'node-datachannel', 'ws']

const node = (entries: Entries): EnvironmentOptions => ({
  consumer: 'server',
  resolve: { noExternal: true, external: NATIVE },
  build: {
    ssr: true,
    target: 'node20',
    outDir: 'dist',
    emptyOutDir: false,
    copyPublicDir: false,
    sourcemap: true,
    // An operator reads stack traces of it, and nobody downloads it to a phone.
    minify: false,
    reportCompressedSize: false,
    rolldownOptions: { input: entries, output: { ...output, chunkFileNames: 'node/chunks/[name]-[hash].js' } },
  },
})

export default defineConfig({
  root,
  environments: {
    page: browser(ENTRIES.page, {}),
    verify: browser(ENTRIES.verify, { codeSplitting: { groups: [...SHARED] } }),
    // One self-contained module works as `?worker`, as `?url`, by `new URL` and by `spawn()`.
    worker: browser(ENTRIES.worker, { codeSplitting: false }),
    node: node(ENTRIES.node),
  },
  builder: {
    buildApp: async (builder) => {
      clear()
      for (const name of Object.keys(ENTRIES)) {
        const environment = builder.environments[name]
        if (environment === undefined) throw new Error(`no environment ${name}`)
        await builder.build(environment)
      }
    },
  },
  plugins: [workerUrl(), plainImports(), graph(root)],
})
