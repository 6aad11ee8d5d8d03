import type { Plugin } from 'vite'

const SOURCE = /new URL\(\s*['"](?:\.\.\/)+worker\/main\.ts['"],\s*import\.meta\.url,?\s*\)/g
const TOKEN = '__COALITION_WORKER_URL__'

/**
 * Keeps the worker a file of its own in the page build. The source names `worker/main.ts`, which works as it stands in a dev
 * server; vite would copy it into the bundle. The published page must name the sibling `worker.js`, and literally as
 * `new URL('…', import.meta.url)`: that is the form by which the bundler of whoever installs us finds the worker.
 */
export const workerUrl = (): Plugin => ({
  name: 'coalition:worker-url',
  enforce: 'pre',
  applyToEnvironment: (environment) => environment.name === 'page',
  transform: {
    filter: { id: /\/client\/page\// },
    // Line breaks inside the match are kept: the source map stays right by line.
    handler: (code) => ({ code: code.replace(SOURCE, TOKEN), map: null }),
  },
  renderChunk: (code, chunk) => {
    if (!code.includes(TOKEN)) return null
    const up = '../'.repeat(chunk.fileName.split('/').length - 1) || './'
    return { code: code.replaceAll(TOKEN, `new URL("${up}worker.js", import.meta.url)`), map: null }
  },
})
