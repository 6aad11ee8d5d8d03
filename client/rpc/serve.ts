import type { TransportName } from '../network/address.ts'
import type { AskOptions, Handle } from '../network/handle.ts'
import type { ConnectOptions, Network, OpenOptions, Progress } from '../network/network.ts'
import { deadlineOf } from '../network/scope.ts'
import { Answerer, BusyError, type Methods } from './answerer.ts'
import { type Audience, createAudience, type Viewer } from './audience.ts'
import { fields, LIMITS, MessageError, type Port, ShutdownError } from './wire.ts'

// The Worker's end. Options and names are checked here, configs and arguments of questions where they are understood: by the surface's
// binding. Nothing of a message is passed on that was not looked at.

/** Entries of the lists among the options: 64 members have four addresses each. */
const MOST = { bootstrap: 256, transports: 16 } as const

type OpenNetwork = (options: ConnectOptions) => Promise<Network>
type Call = Methods['calls'][string]

/**
 * Answers a page on `port`: one network, its handles each on a port of their own, until the page disposes of it or is gone.
 * @param openNetwork called once, when the page connects
 * @param life name of a Web Lock, once it is held: browsers do not tell that a port is dead, but they give a dead Worker's locks to others
 * @param audience where its handles are counted in
 */
export const serveNetwork = (
  port: Port,
  openNetwork: OpenNetwork,
  life: Promise<string | null> = Promise.resolve(null),
  audience: Audience = createAudience(() => 0),
): void => {
  const onProgress = (progress: Progress): void => answerer.push(progress, `${progress.surface} ${progress.group}`)
  const served = new Served((options) => openNetwork({ ...options, onProgress }), life, audience)
  // Nobody is left to be told when the network that failed to open cannot be closed either.
  const answerer = new Answerer(port, { calls: served.calls, streams: {} }, () => void served.dispose().catch(() => {}))
}

class Served {
  readonly #openNetwork: OpenNetwork
  readonly #life: Promise<string | null>
  readonly #audience: Audience
  readonly #handles = new Set<Answerer>()
  #network: Promise<Network> | null = null
  #disposal: Promise<void> | null = null
  #opening = 0

  constructor(openNetwork: OpenNetwork, life: Promise<string | null>, audience: Audience) {
    this.#openNetwork = openNetwork
    this.#life = life
    this.#audience = audience
  }

  get calls(): Methods['calls'] {
    return { connect: this.#connect, open: this.#open, evidence: this.#evidence, dispose: () => this.dispose() }
  }

  dispose(): Promise<void> {
    this.#disposal ??= (async () => {
      for (const handle of [...this.#handles]) handle.close()
      await (await this.#network)?.[Symbol.asyncDispose]()
    })()
    return this.#disposal
  }

  readonly #connect: Call = async ([options], { signal }) => {
    if (this.#network) throw new MessageError('connected already')
    this.#network = this.#openNetwork({ ...readConnect(options), signal })
    await this.#network
    return this.#life
  }

  readonly #evidence: Call = async () => {
    if (!this.#network) throw new MessageError('evidence before connect')
    return (await this.#network).evidence()
  }

  readonly #open: Call = async ([name, config, options], { signal, port }) => {
    if (!this.#network || !port) throw new MessageError('open before connect, or without a port')
    this.#opening++
    try {
      if (this.#handles.size + this.#opening > LIMITS.handles) throw new BusyError('handles', LIMITS.handles)
      const handle = await (await this.#network).open({ name: text(name) }, config, { ...readOpen(options), signal })
      // The page gave up while the handle was being opened, or the network went: nobody else would close it.
      if (signal.aborted || this.#disposal) await handle[Symbol.asyncDispose]()
      signal.throwIfAborted()
      if (this.#disposal) throw new ShutdownError()
      const served = serveHandle(port, handle, this.#audience.enter(), () => this.#handles.delete(served))
      this.#handles.add(served)
      return handle.state
    } catch (error) {
      port.close()
      throw error
    } finally {
      this.#opening--
    }
  }
}

const serveHandle = (port: Port, handle: Handle<unknown>, viewer: Viewer, closed: () => void): Answerer => {
  let disposal: Promise<void> | null = null
  const dispose = async (): Promise<void> => {
    stop()
    viewer.leave()
    // Before the port ends: the page may open another in its place at once, over another port.
    closed()
    disposal ??= Promise.resolve(handle[Symbol.asyncDispose]())
    await disposal
  }
  const methods: Methods = {
    calls: {
      latest: ([options], { signal }) => handle.latest({ ...readAskOptions(options), signal }),
      ask: ([question, argument, options], { signal }) => handle.ask(text(question), argument, { ...readAskOptions(options), signal }),
      export: ([subject, options], { signal }) => handle.export(fields(subject) as never, { ...readAskOptions(options), signal }),
      // The end of the port is the answer: a page that kept it open would keep something here.
      dispose: async () => {
        await dispose()
        answerer.close()
      },
    },
    streams: {
      iterate: (_, signal) => fromNow(handle, signal),
      since: ([position], signal) => handle.since(u64(position), { signal }),
    },
  }
  const answerer = new Answerer(port, methods, () => void dispose().catch(() => {}), viewer.see)
  const stop = handle.onState((report) => answerer.push(report))
  return answerer
}

/** First the position of the next new item: an iteration that goes on in another Worker begins there, though it was given none here. */
async function* fromNow(handle: Handle<unknown>, signal: AbortSignal): AsyncGenerator<unknown, void, undefined> {
  const { ref } = await handle.latest({ signal, timeout: Number.POSITIVE_INFINITY })
  const next = ref.position === null ? 0n : BigInt(ref.position) + 1n
  yield next
  yield* handle.since(next, { signal })
}

const readConnect = (options: unknown): ConnectOptions => {
  const { bootstrap, transports, network, withstand, storage } = fields(options)
  if (storage !== undefined && typeof storage !== 'boolean') throw new MessageError('storage is neither true nor false')
  return {
    bootstrap: texts(bootstrap, 'bootstrap', MOST.bootstrap),
    // Names that nobody knows are transports that are not there, and whoever dials says so.
    ...(transports !== undefined && { transports: texts(transports, 'transports', MOST.transports) as readonly TransportName[] }),
    ...(storage !== undefined && { storage }),
    ...(network !== undefined && { network: text(network) }),
    ...(withstand !== undefined && { withstand: count(withstand) }),
  }
}

const readOpen = (options: unknown): OpenOptions => {
  const { timeout, withstand } = fields(options)
  return {
    ...(timeout !== undefined && { timeout: deadlineOf(timeout, 0) }),
    ...(withstand !== undefined && { withstand: count(withstand) }),
  }
}

const readAskOptions = (options: unknown): AskOptions => {
  const { disclose, timeout } = fields(options)
  return { disclose: disclose === true, ...(timeout !== undefined && { timeout: deadlineOf(timeout, 0) }) }
}

const texts = (value: unknown, what: string, most: number): readonly string[] => {
  if (!Array.isArray(value) || value.length > most) throw new MessageError(`${what} is no list of at most ${most} texts`)
  return value.map(text)
}

const text = (value: unknown): string => {
  if (typeof value !== 'string' || value.length > LIMITS.text) throw new MessageError('a text is missing or too long')
  return value
}

const count = (value: unknown): number => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new MessageError('a number is no count')
  return value as number
}

const u64 = (value: unknown): bigint => {
  if (typeof value !== 'bigint' || value < 0n || value >= 1n << 64n) throw new MessageError('a position is no u64')
  return value
}
