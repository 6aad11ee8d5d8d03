import { CoalitionError } from '../error.ts'
import { fromHex, toHex } from '../primitives/bytes.ts'
import { asId, UNIVERSE, type UniqueId } from '../primitives/id.ts'
import type { RollbackMemory } from '../verify/collateral/index.ts'
import type { Binding } from './binding.ts'
import { fixed } from './candidates.ts'
import { Discovery } from './discovery/discovery.ts'
import type { Handle } from './handle.ts'
import type { Host } from './host.ts'
import { Keep } from './keep/keeping.ts'
import { keptRollback } from './keep/rollback.ts'
import type { ConnectOptions, Network, OpenOptions } from './network.ts'
import { timeoutOf } from './reader/consult.ts'
import { equivocationOf } from './reader/export.ts'
import { Links } from './reader/links.ts'
import type { Read } from './reader/present.ts'
import { tellProgress } from './reader/progress.ts'
import { Reader } from './reader/reader.ts'
import { ShutdownError } from './reader/state.ts'
import { createHandle } from './reader/surface.ts'
import { deadlineOf, scope, whenAborted } from './scope.ts'

/** Milliseconds until ConnectTimeoutError (API.md). */
const OPEN_MS = 15_000

/** What is read, and how many handles read it. */
interface Shared extends Read<unknown> {
  users: number
  /** Nobody is looked for any more. */
  readonly forget: () => void
}

/** What the handles of one network have in common. */
interface Common {
  readonly host: Host
  readonly links: Links
  readonly discovery: Discovery
  readonly keep: Keep | null
  readonly rollback: RollbackMemory
  readonly options: ConnectOptions
  readonly network: UniqueId
  /** By group, surface and strength: the same question at the same strength is followed once. */
  readonly readers: Map<string, Shared>
}

/**
 * One universe for any number of handles: they share links, and handles of one surface share one reader (MSK-12). Used by Worker, Node and
 * the simulation alike; nothing is dialled before the first `open`.
 *
 * @param bindings the surfaces that this host can read
 * @throws HexError for a network that is not 64 hex digits, AddressError, TransportsError
 */
export const createNetwork = (host: Host, bindings: readonly Binding<unknown>[], options: ConnectOptions): Network => {
  const network = options.network === undefined ? UNIVERSE : asId<'UniqueId'>(fromHex(options.network, 'network', 32))
  const { bootstrap, transports } = options
  const storage = options.storage === false ? null : host.storage
  const keep = storage && new Keep(host, storage)
  const rollback = keptRollback(host, storage)
  const links = new Links({ host, bootstrap, transports })
  const discovery = new Discovery({ host, network, bootstrap: fixed(bootstrap), links, storage })
  const common: Common = { host, links, discovery, keep, rollback, options, network, readers: new Map() }
  const own = scope(options.signal)
  const close = async (): Promise<void> => {
    own.abort(new ShutdownError())
    const readers = [...common.readers.values()]
    common.readers.clear()
    await Promise.all(readers.map(({ reader }) => reader.close()))
    await discovery[Symbol.asyncDispose]()
    await links.close()
  }
  if (options.signal !== undefined) whenAborted(options.signal, () => void close())
  return {
    open: async (surface, config, open) => {
      if (own.signal.aborted) throw new ShutdownError()
      const binding = bindings.find(({ name }) => name === surface.name)
      if (binding === undefined)
        throw new SurfaceError(
          surface.name,
          bindings.map(({ name }) => name),
        )
      // The page's type of the datum is the binding's: they stand under one name in the host's list.
      return openHandle(common, binding, config, open) as Promise<Handle<never>>
    },
    evidence: async () => [...common.readers.values()].flatMap((shared) => equivocationOf(shared) ?? []),
    [Symbol.asyncDispose]: close,
  }
}

/**
 * A handle once a head is verified.
 *
 * @throws ConfigError, RosterError, WithstandError before anybody is asked; EvidenceError when nobody is there but servers that fail a
 *   check; ConnectTimeoutError; the signal's reason
 */
const openHandle = async <T>(common: Common, binding: Binding<T>, config: unknown, options: OpenOptions = {}): Promise<Handle<T>> => {
  const deadline = deadlineOf(options.timeout, OPEN_MS)
  const { reader, release } = acquire(common, binding, config, options.withstand ?? common.options.withstand ?? null)
  const own = scope(options.signal, common.options.signal)
  const cancel = common.host.after(deadline, () => own.abort(timeoutOf(reader, 'head', deadline)))
  const progress = tellProgress(reader, common.options.onProgress)
  try {
    await reader.until(() => reader.trusted, own.signal)
    progress.tell()
    return createHandle({ reader, binding, config }, release)
  } catch (error) {
    // Before the reader ends: that is no stage of an opening.
    progress.stop()
    await release()
    throw error
  } finally {
    cancel()
    progress.stop()
    own.end()
  }
}

const acquire = <T>(common: Common, binding: Binding<T>, config: unknown, withstand: number | null) => {
  const { host, links, discovery, keep, rollback, network, readers } = common
  const identified = binding.identify(network, config)
  const key = `${toHex(identified.group)} ${binding.surface} ${withstand}`
  const shared = readers.get(key) ?? { ...start(), binding, config, users: 0 }
  readers.set(key, shared)
  shared.users += 1
  const release = async (): Promise<void> => {
    shared.users -= 1
    // A committee that was caught stays caught: a new reader could be shown one of its two histories and never know.
    if (shared.users > 0 || shared.reader.report.state === 'wedged') return
    if (readers.get(key) === shared) readers.delete(key)
    shared.forget()
    await shared.reader.close()
  }
  return { reader: shared.reader, release }

  function start(): Pick<Shared, 'reader' | 'forget'> {
    const { group, roster } = identified
    const ground = { identified, surface: binding.surface, withstand, verify: host.verify }
    let reader: Reader | null = null
    const { candidates, end } = discovery.read({
      group,
      roster: () => reader?.trusted?.next.roster ?? roster,
      onHead: (hint) => void reader?.hear(hint),
    })
    try {
      reader = new Reader({
        host,
        links,
        ground,
        candidates,
        keeping: keep?.of(ground, binding.name) ?? null,
        rollback,
        component: binding.name,
        who: binding.name.split('.')[0] ?? binding.name,
      })
      return { reader, forget: end }
    } catch (error) {
      end()
      throw error
    }
  }
}

/** A surface that this host was not built to read. It says nothing about whether somebody runs it (ERR-08). */
export class SurfaceError extends CoalitionError {
  declare readonly surface: string
  declare readonly listed: readonly string[]

  constructor(surface: string, listed: readonly string[]) {
    super('Network.SurfaceError', `this host does not list the surface ${JSON.stringify(surface)}; it lists ${listed.join(', ')}`, {
      surface,
      listed,
    })
  }
}
