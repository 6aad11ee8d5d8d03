import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

/** A page of a bench or test, and a Worker, each bundled into one file. */
export interface Site extends AsyncDisposable {
  readonly url: string
}

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Serves a page on loopback whose script is `page`, with `worker` at /worker.js; both are paths from the root of the checkout. Null for a page
 * without a script.
 */
export const serveSite = async (page: string | null, worker: string): Promise<Site> => {
  const script = page === null ? '' : '<script type="module" src="/page.js"></script>'
  const files: Readonly<Record<string, readonly [type: string, body: string]>> = {
    '/': ['text/html', `<!doctype html><html lang="en"><title>site</title>${script}</html>`],
    ...(page !== null && { '/page.js': ['text/javascript', await bundle(page)] as const }),
    '/worker.js': ['text/javascript', await bundle(worker)],
  }
  const server = createServer(({ url = '' }, response) => {
    const [type, body] = files[url] ?? []
    if (type === undefined) response.writeHead(204).end()
    else response.writeHead(200, { 'content-type': type }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const bundle = async (input: string): Promise<string> => {
  const built = await build({
    ...{ configFile: false, root, logLevel: 'error' },
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, target: 'es2022', rolldownOptions: { input: `${root}${input}`, output: { codeSplitting: false } } },
  })
  const [first] = Array.isArray(built) ? built : [built]
  if (first === undefined || !('output' in first)) throw new Error('nothing was built')
  return first.output[0].code
}
