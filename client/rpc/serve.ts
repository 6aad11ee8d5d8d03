import type { Handle } from '../network/handle.ts'
import type { ConnectOptions, Network, OpenOptions } from '../network/network.ts'
import { Answerer, BusyError, type Methods } from './answerer.ts'
import { fields, LIMITS, MessageError, type Port, ShutdownError } from './wire.ts'

// The Worker's end. Options and names are checked here, configs and arguments of questions where they are understood: by the surface's
// binding. Nothing of a message is passed on that was not looked at.

/**
 * Answers a page on `port`: one network, its handles each on a port of their own, until the page disposes of it or is gone.
 * @param openNetwork called once, when the page connects
 */
export const serveNetwork = (port: Port, openNetwork: (options: ConnectOptions) => Promise<Network>): void => {
  const handles = new Set<Answerer>()
  let network: Promise<Network> | null = null
  let disposal: Promise<void> | null = null
  let opening = 0

  const dispose = (): Promise<void> => {
    disposal ??= (async () => {
      for (const handle of [...handles]) handle.close()
      await (await network)?.[Symbol.asyncDispose]()
    })()
    return disposal
  }

  const open: Methods['calls'][string] = async ([name, config, options], { signal, port: end }) => {
    if (!network || !end) throw new MessageError('open before connect, or without a port')
    try {
      if (handles.size + opening >= LIMITS.handles) throw new BusyError('handles', LIMITS.handles)
      opening++
      const handle = await (await network).open({ name: text(name) }, config, { ...readOpen(options), signal })
      // The page gave up while the handle was being opened, or the network went: nobody else would close it.
      if (signal.aborted || disposal) await handle[Symbol.asyncDispose]()
      signal.throwIfAborted()
      if (disposal) throw new ShutdownError()
      const served = serveHandle(end, handle, () => handles.delete(served))
      handles.add(served)
      return handle.state
    } catch (error) {
      end.close()
      throw error
    } finally {
      opening--
    }
  }

  const connect: Methods['calls'][string] = async ([options], { signal }) => {
    if (network) throw new MessageError('connected already')
    network = openNetwork({ ...readConnect(options), signal })
    await network
  }

  // Nobody is left to be told when the network that failed to open cannot be closed either.
  new Answerer(port, { calls: { connect, open, dispose }, streams: {} }, () => void dispose().catch(() => {}))
}

const serveHandle = (port: Port, handle: Handle<unknown>, closed: () => void): Answerer => {
  let disposal: Promise<void> | null = null
  const dispose = async (): Promise<void> => {
    stop()
    disposal ??= Promise.resolve(handle[Symbol.asyncDispose]())
    await disposal
  }
  const methods: Methods = {
    calls: {
      latest: ([options], { signal }) => handle.latest({ ...readAskOptions(options), signal }),
      ask: ([question, argument, options], { signal }) => handle.ask(text(question), argument, { ...readAskOptions(options), signal }),
      dispose,
    },
    streams: {
      iterate: () => handle,
      since: ([position], signal) => handle.since(u64(position), { signal }),
    },
  }
  const answerer = new Answerer(port, methods, () => {
    closed()
    void dispose().catch(() => {})
  })
  const stop = handle.onState((report) => answerer.push(report))
  return answerer
}

const readConnect = (options: unknown): ConnectOptions => {
  const { bootstrap, network, withstand } = fields(options)
  if (!Array.isArray(bootstrap) || bootstrap.length > LIMITS.handles) throw new MessageError('bootstrap is no list of addresses')
  return {
    bootstrap: bootstrap.map(text),
    ...(network !== undefined && { network: text(network) }),
    ...(withstand !== undefined && { withstand: count(withstand) }),
  }
}

const readOpen = (options: unknown): OpenOptions => {
  const { timeout, withstand } = fields(options)
  return { ...(timeout !== undefined && { timeout: count(timeout) }), ...(withstand !== undefined && { withstand: count(withstand) }) }
}

const readAskOptions = (options: unknown) => ({ disclose: fields(options).disclose === true })

const text = (value: unknown): string => {
  if (typeof value !== 'string' || value.length > LIMITS.text) throw new MessageError('a text is missing or too long')
  return value
}

// The most that a timer takes; a longer one would fire at once (HTML, timers: a signed 32-bit number).
const MOST = 0x7fff_ffff

const count = (value: unknown): number => {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > MOST) throw new MessageError('a number is no count')
  return value as number
}

const u64 = (value: unknown): bigint => {
  if (typeof value !== 'bigint' || value < 0n || value >= 1n << 64n) throw new MessageError('a position is no u64')
  return value
}
