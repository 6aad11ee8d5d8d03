import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

const root = fileURLToPath(new URL('.', import.meta.url))

/** The built page stands on the package as it is published, and so shows that it works. A dev server runs the sources. */
const published = (): Plugin => ({
  name: 'coalition:published',
  apply: 'build',
  enforce: 'pre',
  resolveId: (id) => (id.endsWith('/client/page/index.ts') ? `${root}dist/index.js` : null),
})

export default defineConfig({
  root: `${root}demo/wallet`,
  base: './',
  plugins: [published()],
  // Sources of the dev server lie beside the page.
  server: { fs: { allow: [root] } },
  build: {
    target: 'es2022',
    outDir: `${root}dist/demo`,
    emptyOutDir: true,
    modulePreload: false,
    // As files, each under the page's policy, which allows no data: URL.
    assetsInlineLimit: 0,
    sourcemap: true,
    reportCompressedSize: false,
  },
})
