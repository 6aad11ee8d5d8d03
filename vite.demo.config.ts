import { fileURLToPath } from 'node:url'
import { build, defineConfig, type InlineConfig, type Plugin } from 'vite'

const root = fileURLToPath(new URL('.', import.meta.url))

const PUBLISHED = {
  '/client/page/index.ts': 'index',
  '/client/verify/quotes.ts': 'quote',
  '/client/verify/policies.ts': 'policy',
  '/client/verify/events/index.ts': 'events',
} as const

/** The built pages stand on the package as it is published, and so show that it works. A dev server runs the sources. */
const published = (): Plugin => ({
  name: 'coalition:published',
  apply: 'build',
  enforce: 'pre',
  resolveId: (id) => {
    const entry = Object.entries(PUBLISHED).find(([source]) => id.endsWith(source))
    return entry === undefined ? null : `${root}dist/${entry[1]}.js`
  },
})

/** A page of demo/. The first one empties the folder that they share. */
const page = (name: string, html: string, isFirst: boolean): InlineConfig => ({
  root: `${root}demo/${name}`,
  base: './',
  plugins: [published()],
  // Sources of the dev server lie beside the page.
  server: { fs: { allow: [root] } },
  worker: { format: 'es', plugins: () => [published()] },
  build: {
    target: 'es2022',
    outDir: `${root}dist/demo`,
    emptyOutDir: isFirst,
    modulePreload: false,
    // As files, each under the page's policy, which allows no data: URL.
    assetsInlineLimit: 0,
    sourcemap: true,
    reportCompressedSize: false,
    rolldownOptions: { input: `${root}demo/${name}/${html}` },
  },
})

export default defineConfig({
  ...page('wallet', 'index.html', true),
  builder: {
    buildApp: async (builder) => {
      const wallet = builder.environments.client
      if (wallet === undefined) throw new Error('no environment client')
      await builder.build(wallet)
      await build({ ...page('quote', 'quote.html', false), configFile: false })
    },
  },
})
