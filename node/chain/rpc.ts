import { ChainError } from '../../client/lattice/tally/chain.ts'

// JSON-RPC over HTTP, without a library: what a member needs is bounded in size and time and asks the next node when one fails, and
// that is all it needs. Specification: https://ethereum.github.io/execution-apis and JSON-RPC 2.0.

export interface RpcOptions {
  /** HTTP endpoints of the same chain, asked in this order; the next one when one fails. */
  readonly urls: readonly string[]
  /** Milliseconds for one answer of one node, default 10,000. */
  readonly timeoutMs?: number
  /** How often each node is asked before the call fails, default 2. */
  readonly attempts?: number
  /** Most bytes of an answer, default 64 MiB: a block of 36 million gas with its receipts is below half of it. */
  readonly maxBytes?: number
}

export interface Rpc {
  /**
   * The `result` of a call.
   * @throws ChainError 'down' when no node answers, RpcError when the node asked answers that it will not
   */
  readonly call: (method: string, params: readonly unknown[], options: { readonly signal: AbortSignal }) => Promise<unknown>
  /** Asks another node first from now on. */
  readonly turn: () => void
}

/** @throws TypeError for no URL, or one that is not http(s) */
export const createRpc = ({ urls, timeoutMs = 10_000, attempts = 2, maxBytes = 64 * 1_048_576 }: RpcOptions): Rpc => {
  const nodes = urls.map(endpoint)
  if (nodes.length === 0) throw new TypeError('no RPC URL was given')
  let first = 0
  let id = 0
  return {
    // Sticky: as long as a node answers it is asked again, so that a member sees one chain and not several in turn.
    turn: () => {
      first = (first + 1) % nodes.length
    },
    call: async (method, params, { signal }) => {
      const failures: string[] = []
      for (let asked = 0; asked < nodes.length * attempts; asked++) {
        const node = nodes[first] as Endpoint
        const asked = ++id
        const body = JSON.stringify({ jsonrpc: '2.0', id: asked, method, params })
        try {
          return resultOf(await within(timeoutMs, signal, (deadline) => post(node, body, deadline, maxBytes)), asked)
        } catch (error) {
          signal.throwIfAborted()
          if (error instanceof RpcError) throw error
          failures.push(`${node.name}: ${because(error)}`)
          first = (first + 1) % nodes.length
        }
      }
      throw new ChainError('down', `no node answers ${method} (${[...new Set(failures)].join('; ')})`)
    },
  }
}

interface Endpoint {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Host and port alone: paths and user names hold the keys of paid nodes, and messages end in logs. */
  readonly name: string
}

const endpoint = (text: string): Endpoint => {
  if (!URL.canParse(text)) throw new TypeError('an RPC URL cannot be parsed')
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError(`RPC over ${url.protocol} is not spoken: give an http or https URL`)
  const { username, password, host } = url
  const secret = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  // fetch refuses a URL with a user name in it.
  url.username = ''
  url.password = ''
  const authorization = username === '' ? {} : { authorization: `Basic ${secret}` }
  return { url: url.href, name: host, headers: { 'content-type': 'application/json', ...authorization } }
}

// Not AbortSignal.any: on Node 20 each call leaves something behind on a signal that lives as long as the member.
const within = async <T>(ms: number, signal: AbortSignal, run: (deadline: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController()
  const stop = (): void => controller.abort(signal.reason)
  const timer = setTimeout(() => controller.abort(new TypeError(`no answer within ${ms} ms`)), ms)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await run(controller.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

const post = async ({ url, headers }: Endpoint, body: string, signal: AbortSignal, maxBytes: number): Promise<unknown> => {
  const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' })
  const text = await bounded(response, maxBytes)
  try {
    // Some nodes give a JSON-RPC error with a status of 4xx or 5xx; it says more than the status does.
    return JSON.parse(text)
  } catch {
    throw new TypeError(response.ok ? 'the answer is not JSON' : `HTTP status ${response.status}`)
  }
}

// Counted as it arrives: a content-length is the node's word, and a compressed body has none that helps.
const bounded = async ({ body }: Response, maxBytes: number): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > maxBytes) throw new TypeError(`the answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

// An answer to another call would be believed under this one's name: ids are compared.
const resultOf = (answer: unknown, id: number): unknown => {
  if (typeof answer !== 'object' || answer === null) throw new TypeError('the answer is no JSON-RPC object')
  const { id: answered, result, error } = answer as { id?: unknown; result?: unknown; error?: { code?: unknown; message?: unknown } | null }
  if (error !== undefined && error !== null) throw refusalOf(error)
  if (answered !== id) throw new TypeError('the answer is to another call')
  if (result === undefined) throw new TypeError('the answer has neither result nor error')
  return result
}

const METHOD_NOT_FOUND = -32_601
// -32005 and 429 say "too many requests": another node, or the same one later, may answer.
const LATER: ReadonlySet<unknown> = new Set([-32_005, 429])

const refusalOf = ({ code, message }: { code?: unknown; message?: unknown }): Error => {
  const text = typeof message === 'string' ? message.slice(0, 200) : 'no message'
  return LATER.has(code) ? new TypeError(`refused (${text})`) : new RpcError(typeof code === 'number' ? code : 0, text)
}

const because = (error: unknown): string => {
  if (!(error instanceof Error)) return 'failed'
  // fetch says "fetch failed" and keeps the reason in its cause.
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  const { code } = cause as { readonly code?: unknown }
  return typeof code === 'string' ? code : cause.message
}

/** A node's answer that it will not answer. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }

  get isUnknownMethod(): boolean {
    return this.code === METHOD_NOT_FOUND
  }
}
