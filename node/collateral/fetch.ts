import { CoalitionError } from '../../client/error.ts'
import type { Host } from '../../client/network/host.ts'
import { scope, sleep } from '../../client/network/scope.ts'
import { type Bytes, copy } from '../../client/primitives/bytes.ts'
import type { Collateral } from '../../client/verify/collateral/index.ts'
import { collateralOf, type PccsAnswer } from './pccs.ts'

// Collateral from a PCCS: Intel's "API Documentation for the Provisioning Certification Service", version 4, as a caching service on the
// operator's own network gives it. Nothing of what comes is trusted: signatures say what it is.

/** Whose collateral: what a platform's PCK certificate says. */
export interface PccsPlatform {
  /** 12 hex digits. */
  readonly fmspc: string
  /** Which authority issued its PCK certificate. */
  readonly ca: 'platform' | 'processor'
}

export interface FetchOptions {
  readonly host: Pick<Host, 'after'>
  readonly signal: AbortSignal
  /** Milliseconds of one attempt, default 10,000. */
  readonly timeoutMs?: number
  /** Milliseconds before each further attempt at one answer. */
  readonly pausesMs?: readonly number[]
}

const TIMEOUT_MS = 10_000
const PAUSES_MS = [1_000, 4_000] as const
/** A TCB info has about 20 kB, a CRL of Intel's 100 kB. */
const MAX_BODY = 1_048_576
const MAX_HOPS = 3

interface Remembered {
  /** RFC 9110 section 8.8.3. */
  readonly etag: string | null
  readonly answer: PccsAnswer
}

/** Answers that may be asked for again, by path. */
export type PccsMemory = Map<string, Remembered>

/**
 * The address of a PCCS: http or https, with a path where the service lies below one.
 *
 * @throws PccsError for one with a user, a query or a fragment
 */
export const pccsUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw new PccsError(text, 'is no http or https address')
  if (url.username + url.password + url.search + url.hash !== '') throw new PccsError(url.origin, 'has more than a host, a port and a path')
  return url
}

/**
 * All parts of a TDX platform's collateral, fetched side by side. What did not change since the last time is not sent again.
 *
 * @param memory the same for every call with this address
 * @throws PccsError, CollateralFormatError, or the signal's reason
 */
export const fetchCollateral = async (
  base: URL,
  { fmspc, ca }: PccsPlatform,
  memory: PccsMemory,
  options: FetchOptions,
): Promise<Collateral> => {
  const paths = [
    `/tdx/certification/v4/tcb?fmspc=${fmspc}`,
    '/tdx/certification/v4/qe/identity',
    `/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`,
    '/sgx/certification/v4/rootcacrl',
  ]
  const answers = await Promise.all(
    paths.map(async (path): Promise<readonly [string, PccsAnswer]> => [path, await answerOf(base, path, memory, options)]),
  )
  return collateralOf(new Map(answers))
}

/** The answer of now, or the one remembered where the service says that it is still that. */
const answerOf = async (base: URL, path: string, memory: PccsMemory, options: FetchOptions): Promise<PccsAnswer> => {
  const before = memory.get(path)
  const found = (await patiently(options, (signal) => request(urlOf(base, path), before?.etag ?? null, signal))) ?? before
  if (found === undefined) throw new PccsError(urlOf(base, path).href, 'says that nothing changed, and was asked for the first time')
  memory.set(path, found)
  return found.answer
}

/** Tries again what may be otherwise the next time. */
const patiently = async <T>(options: FetchOptions, run: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const { host, signal, pausesMs = PAUSES_MS } = options
  for (const pause of pausesMs) {
    try {
      return await within(options, run)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof PccsError && error.isFinal) throw error
      await sleep(host, pause, signal)
    }
  }
  return within(options, run)
}

// Not AbortSignal.any over a timeout: Node 20 may collect it before it fires, and the attempt would last for ever.
const within = async <T>({ host, signal, timeoutMs = TIMEOUT_MS }: FetchOptions, run: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const own = scope(signal)
  const cancel = host.after(timeoutMs, () => own.abort(new DOMException('no whole answer in time', 'TimeoutError')))
  try {
    return await run(own.signal)
  } finally {
    cancel()
    own.end()
  }
}

/** @returns null where the service says that nothing changed */
const request = async (url: URL, etag: string | null, signal: AbortSignal): Promise<Remembered | null> => {
  const response = await follow(url, { signal, headers: etag === null ? {} : { 'If-None-Match': etag } })
  try {
    if (etag !== null && response.status === 304) return null
    // Not found, or not understood: a wrong address, or a platform that the service does not know. It stays so.
    if (response.status !== 200)
      throw new PccsError(url.href, `answers with HTTP status ${response.status}`, response.status < 500 && response.status !== 429)
    const headers = new Map<string, string>()
    for (const [name, value] of response.headers) headers.set(name.toLowerCase(), value)
    return { etag: headers.get('etag') ?? null, answer: { body: await bodyOf(url, response), headers } }
  } finally {
    // The rest of a body that nobody reads would hold the connection.
    await response.body?.cancel().catch(() => {})
  }
}

/** Redirects of the same origin are followed. Another origin is not what the operator named. */
const follow = async (from: URL, init: RequestInit): Promise<Response> => {
  for (let url = from, hops = 0; hops <= MAX_HOPS; hops += 1) {
    const response = await fetch(url.href, { ...init, redirect: 'manual' }).catch((error: unknown) => {
      throw new PccsError(from.href, because(error), false, error)
    })
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || response.status === 304 || location === null) return response
    await response.body?.cancel().catch(() => {})
    const next = URL.canParse(location, url.href) ? new URL(location, url) : null
    if (next?.origin !== from.origin) throw new PccsError(from.href, 'redirects to another origin', true)
    url = next
  }
  throw new PccsError(from.href, `redirects more than ${MAX_HOPS} times`, true)
}

// Counted as it arrives and once unpacked: a length in a header is the word of whoever answers.
const bodyOf = async (url: URL, { body }: Response): Promise<Bytes> => {
  const pieces: Uint8Array[] = []
  let size = 0
  try {
    for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>) {
      size += piece.length
      if (size > MAX_BODY) throw new PccsError(url.href, `sends more than ${MAX_BODY} bytes`, true)
      pieces.push(piece)
    }
  } catch (error) {
    if (error instanceof PccsError) throw error
    throw new PccsError(url.href, because(error), false, error)
  }
  return copy(Buffer.concat(pieces))
}

const because = (error: unknown): string => {
  const { name, message, cause } = error as Error
  if (name === 'TimeoutError') return 'gives no whole answer in time'
  // fetch says "fetch failed" and keeps the reason in its cause.
  const { code } = (cause ?? {}) as { readonly code?: unknown }
  return `cannot be read: ${typeof code === 'string' ? code : cause instanceof Error ? cause.message : message}`
}

const urlOf = (base: URL, path: string): URL => new URL(`${base.origin}${base.pathname.replace(/\/+$/, '')}${path}`)

/** A PCCS that gives no collateral. */
export class PccsError extends CoalitionError {
  declare readonly url: string
  declare readonly problem: string
  /** To ask again at once would change nothing. */
  declare readonly isFinal: boolean

  constructor(url: string, problem: string, isFinal = true, cause?: unknown) {
    super('Member.PccsError', `${url} ${problem}`, { url, problem, isFinal }, cause === undefined ? {} : { cause })
  }
}
