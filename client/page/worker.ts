import { CoalitionError } from '../error.ts'
import { attach, type Port } from '../rpc/wire.ts'

/** Where the work is done, and how the page reaches it. */
export interface Place {
  readonly port: Port
  /** Aborts with ConnectError when the Worker cannot be loaded or does not answer. */
  readonly failed: AbortSignal
  /** It answered: what fails from now on is not the loading. `dead` is called when it has gone without a word. */
  readonly loaded: (life: string | null, dead: () => void) => void
  readonly end: () => void
}

/** Milliseconds until a Worker that says nothing is given up: 230 kB over a slow line, parsed on an old phone. */
const PATIENCE = 30_000

/** A Worker of our own: the module `worker.js` that is published beside this one. @throws ConnectError */
export const spawned = (): Place => {
  // The published page names `./worker.js` here, in the form by which bundlers find a file (tools/worker-url.ts).
  const url = new URL('../../worker/main.ts', import.meta.url)
  try {
    const worker = new Worker(trusted(url.href), { type: 'module', name: 'coalition' })
    const place = given(worker, url.href)
    return {
      ...place,
      end: () => {
        place.end()
        worker.terminate()
      },
    }
  } catch (cause) {
    throw cause instanceof ConnectError ? cause : new ConnectError(url.href, 'the page may not start it', cause)
  }
}

/** A Worker or port of the caller's. */
export const given = (worker: Worker | MessagePort, url = 'the given worker'): Place => {
  const controller = new AbortController()
  const fail = (problem: string): void => controller.abort(new ConnectError(url, problem))
  const timer = setTimeout(() => fail(`it did not answer within ${PATIENCE} ms`), PATIENCE)
  const onError = (event: Event): void => fail((event as ErrorEvent).message || 'it cannot be loaded')
  worker.addEventListener('error', onError)
  const settled = (): void => {
    clearTimeout(timer)
    worker.removeEventListener('error', onError)
  }
  const over = new AbortController()
  return {
    port: portOf(worker),
    failed: controller.signal,
    loaded: (life, dead) => {
      settled()
      // The Worker has the lock: whoever asks for it waits as long as the Worker lives.
      if (life !== null) void (navigator as Partial<Navigator>).locks?.request(life, { signal: over.signal }, dead).catch(() => {})
    },
    end: () => {
      settled()
      over.abort()
    },
  }
}

const portOf = (worker: Worker | MessagePort): Port => {
  if (worker instanceof MessagePort) return worker
  const { port1, port2 } = new MessageChannel()
  worker.postMessage(attach(port2), [port2])
  return port1
}

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

let policy: ReturnType<Policies['createPolicy']> | null = null

// Under `require-trusted-types-for 'script'` a Worker's URL has to come from a policy, which the page names in its CSP: `coalition-client`.
const trusted = (url: string): string => {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: Policies }
  if (!trustedTypes) return url
  policy ??= trustedTypes.createPolicy('coalition-client', { createScriptURL: (given) => given })
  return policy.createScriptURL(url)
}

/** The Worker that should do the work cannot be had. `url` says where it was looked for; the `worker` option is the way around. */
export class ConnectError extends CoalitionError {
  declare readonly url: string
  declare readonly problem: string

  constructor(url: string, problem: string, cause?: unknown) {
    super('Network.ConnectError', `no worker at ${url}: ${problem}`, { url, problem }, { cause })
  }
}
