import type { Handle, StateReport, Verified } from '../../../client/network/handle.ts'
import type { ConnectOptions, Network } from '../../../client/network/network.ts'
import type { Ground } from '../../../client/page/origin/ground.ts'
import { lastingNetwork } from '../../../client/page/origin/lasting.ts'
import { Origin } from '../../../client/page/origin/origin.ts'
import { ConnectError, type Seat, seatOf } from '../../../client/page/worker.ts'
import { leadTabs } from '../../../client/rpc/leader.ts'
import { ledAt } from '../../../client/rpc/meeting.ts'
import type { PageNetwork } from '../../../client/rpc/page.ts'
import { serveNetwork } from '../../../client/rpc/serve.ts'
import { shareNetworks } from '../../../client/rpc/share.ts'
import { attached, type Port } from '../../../client/rpc/wire.ts'
import { verdict } from '../../../client/verify/verdict.ts'
import { channels, locks, type Owner, owner } from './browser.ts'

// Tabs of one origin in one process: everything between the page's face and a Worker's network is real, the browser and the network are not.

/** A log that every Worker reads, and that outlives them all. */
export const createLog = () => {
  let size = 0n
  let waiting: (() => void)[] = []
  return {
    get size() {
      return size
    },
    append: (n = 1): void => {
      size += BigInt(n)
      for (const wake of waiting.splice(0)) wake()
    },
    grown: (signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        waiting.push(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
        if (signal.aborted) waiting = waiting.filter((wake) => wake !== resolve)
      }),
  }
}

export const item = (position: bigint | null): Verified<bigint | null> => ({
  value: position,
  ref: { group: 'aa', surface: 'refunds', position: position === null ? null : `${position}`, index: '2', commit: 'bb' },
  verdict: verdict({ checks: [], assumes: 'nothing', disclosed: 'nothing', at: null }),
})

const LIVE: StateReport = { state: 'live', detail: null, head: null, peers: [] }

/** A port over which nothing is said any more when its owner is dead. */
const mortal = (port: Port, owner: Owner): Port => {
  const post = port.postMessage.bind(port)
  port.postMessage = (message, transfer) => {
    if (!owner.isDead) post(message, transfer)
  }
  return port
}

/** A Worker and all that is in it. */
export interface FakeWorker {
  readonly owner: Owner
  readonly networks: Set<ConnectOptions>
  /** Handles that are open. */
  readonly handles: Set<(report: StateReport) => void>
}

export interface WorldOptions {
  /** What a question is answered with, in which Worker. */
  readonly answer?: (worker: number, question: string) => Promise<unknown>
  /** Fails what a Worker is asked to open. */
  readonly refuse?: (worker: number) => Error | null
  /** Before the newest item is told. */
  readonly latest?: () => Promise<unknown>
  /** Spawning it fails. */
  readonly isBroken?: () => boolean
}

export const createWorld = (options: WorldOptions = {}) => {
  const log = createLog()
  const hub = channels()
  const lock = locks()
  const workers: FakeWorker[] = []
  const ticks = new Set<{ readonly owner: Owner; readonly run: () => void }>()
  let names = 0

  const openHandle = (worker: FakeWorker, n: number): Handle<unknown> => {
    const closed = new AbortController()
    let tell = (_: StateReport): void => {}
    const since = async function* (position: bigint): AsyncGenerator<Verified<unknown>> {
      for (let next = position; !closed.signal.aborted; ) {
        if (worker.owner.isDead) await new Promise(() => {})
        else if (next < log.size) yield item(next++)
        else await log.grown(closed.signal)
      }
    }
    return {
      state: LIVE,
      onState: (listener) => {
        tell = listener
        worker.handles.add(tell)
        return () => worker.handles.delete(tell)
      },
      latest: async () => {
        await options.latest?.()
        return item(log.size === 0n ? null : log.size - 1n)
      },
      since,
      ask: async (question) => ({ ...item(null), value: (await options.answer?.(n, question)) ?? n }) as never,
      export: async (subject) => ({ subject, n }) as never,
      [Symbol.asyncIterator]: () => since(log.size),
      [Symbol.asyncDispose]: async () => {
        worker.handles.delete(tell)
        closed.abort()
      },
    }
  }

  const openNetwork =
    (worker: FakeWorker, n: number) =>
    async (connect: ConnectOptions): Promise<Network> => {
      worker.networks.add(connect)
      return {
        open: async () => {
          const refused = options.refuse?.(n)
          if (refused) throw refused
          connect.onProgress?.({ stage: 'live', surface: 'fake', group: 'aa', reached: 1, peers: 1, detail: null })
          return openHandle(worker, n) as never
        },
        evidence: async () => [{ kind: 'equivocation', worker: n }] as never,
        [Symbol.asyncDispose]: async () => void worker.networks.delete(connect),
      }
    }

  const spawn = (page: Owner): { readonly fake: FakeWorker; readonly seat: Seat } => {
    const fake: FakeWorker = { owner: owner(), networks: new Set(), handles: new Set() }
    const n = workers.push(fake) - 1
    const own = lock.of(fake.owner)
    const life = new Promise<string>((resolve) => {
      void own.request(`life ${n}`, {}, () => {
        resolve(`life ${n}`)
        return new Promise(() => {})
      })
    })
    const shared = shareNetworks(openNetwork(fake, n))
    const serve: Parameters<typeof leadTabs>[0]['serve'] = (port) => {
      if (!fake.owner.isDead) serveNetwork(mortal(port, fake.owner), shared, life)
    }
    const channel = (name: string) => hub.channel(name, fake.owner)
    const target: Seat['target'] = {
      postMessage: (message) => {
        const [port, meeting] = [attached(message), ledAt(message)]
        if (page.isDead || options.isBroken?.()) return
        if (port) serve(port)
        if (meeting !== null) setImmediate(() => leadTabs({ meeting, leader: `worker-${n}`, channel, locks: own, serve }))
      },
      addEventListener: (_, tell) => {
        if (options.isBroken?.()) setImmediate(() => tell({ message: 'broken on purpose' } as never))
      },
    }
    const seat = seatOf(target, 'fake', () => new ConnectError('fake', 'it has ended'))
    seat.gone.signal.addEventListener('abort', () => kill(fake))
    return { fake, seat }
  }

  const kill = ({ owner: mine, networks }: FakeWorker): void => {
    mine.isDead = true
    networks.clear()
    lock.release(mine)
    hub.release(mine)
  }

  /** A tab of this origin. */
  const openTab = (isShared = true) => {
    const mine = owner()
    const own: FakeWorker[] = []
    const ground: Ground = {
      meeting: 'meeting',
      locks: lock.of(mine),
      channel: (name) => hub.channel(name, mine),
      spawn: () => {
        const { fake, seat } = spawn(mine)
        own.push(fake)
        return seat
      },
      every: (_, run) => {
        const tick = { owner: mine, run }
        ticks.add(tick)
        return () => ticks.delete(tick)
      },
      name: () => `tab-${names++}`,
    }
    const origin = new Origin(ground, isShared)
    const freeze = (isFrozen: boolean): void => {
      mine.isFrozen = isFrozen
      for (const worker of own) worker.owner.isFrozen = isFrozen
    }
    return {
      origin,
      owner: mine,
      /** Its Workers, newest last. */
      workers: own,
      freeze,
      connect: (connect: Partial<ConnectOptions> = {}, signal = new AbortController().signal): Promise<PageNetwork> => {
        const leave = origin.enter()
        // Pauses pass at once; nothing is sound for long.
        const after = (ms: number, run: () => void): (() => void) => {
          const timer = ms < 10_000 ? setImmediate(run) : undefined
          return () => clearImmediate(timer)
        }
        return lastingNetwork({ next: origin.next, connect: { bootstrap: ['/here'], ...connect }, after, ended: leave }, signal)
      },
      /** The browser closes it: nothing of it runs any more. */
      close: (): void => {
        mine.isDead = true
        for (const worker of own) kill(worker)
        lock.release(mine)
        hub.release(mine)
      },
    }
  }

  return {
    log,
    hub,
    lock,
    workers,
    openTab,
    kill,
    /** Time passes for all who run. */
    tick: (): void => {
      for (const { owner: mine, run } of [...ticks]) if (!mine.isDead && !mine.isFrozen) run()
    },
    /** Networks in all Workers that live. */
    networks: () => workers.reduce((sum, { networks }) => sum + networks.size, 0),
    living: () => workers.filter(({ owner: mine }) => !mine.isDead),
  }
}

export const open = (network: PageNetwork): Promise<Handle<bigint>> => network.open<bigint, unknown>({ name: 'fake' }, { any: 1n })

/** Takes `n` items. */
export const take = async (items: AsyncIterator<Verified<bigint>>, n: number): Promise<readonly bigint[]> => {
  const taken: bigint[] = []
  while (taken.length < n) {
    const { done, value } = await items.next()
    if (done) break
    taken.push(value.value)
  }
  return taken
}

export const range = (from: number, to: number): readonly bigint[] => Array.from({ length: to - from }, (_, i) => BigInt(from + i))
