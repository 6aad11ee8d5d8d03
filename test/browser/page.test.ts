import { afterEach, describe, expect, it } from 'vitest'
import { type CoalitionError, connect, type Handle, isError, type Network, type Progress } from '../../client/page/index.ts'

const bootstrap = ['/ip4/127.0.0.1/tcp/9/ws/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN']

interface Counts {
  readonly argument: unknown
  readonly opened: number
  readonly disposed: number
}

const stub = (): Worker => new Worker(new URL('./stub-worker.ts', import.meta.url), { type: 'module' })
const networks: Network[] = []
const join = async (
  options: Omit<Parameters<typeof connect>[0], 'bootstrap'> & { readonly bootstrap?: readonly string[] },
): Promise<Network> => {
  const network = await connect({ bootstrap, ...options })
  networks.push(network)
  return network
}
afterEach(async () => {
  await Promise.all(networks.splice(0).map((network) => network[Symbol.asyncDispose]()))
})

const open = (network: Network): Promise<Handle<bigint>> => network.open<bigint, unknown>({ name: 'stub' }, {})
const counts = async (handle: Handle<bigint>): Promise<Counts> => (await handle.ask<Counts>('counts', 1n)).value
const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )

describe('a page and a Worker of its own', () => {
  it('exchange values, and a stream whose consumer stops', async () => {
    const handle = await open(await join({ worker: stub() }))
    expect(await counts(handle)).toMatchObject({ argument: 1n, opened: 1 })
    const seen: bigint[] = []
    for await (const { value } of handle) if (seen.push(value) === 100) break
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(i)))
  })

  it('share one network between all who ask for the same, until the last has gone', async () => {
    const worker = stub()
    const [first, second] = await Promise.all([join({ worker }), join({ worker, bootstrap: [...bootstrap] })])
    const [mine, other] = [await open(first), await open(second)]
    expect(await counts(mine)).toMatchObject({ opened: 1, disposed: 0 })
    await first[Symbol.asyncDispose]()
    expect(isError(await thrown(mine.ask('counts', 1)), 'Network.ShutdownError')).toBe(true)
    expect(isError(await thrown(open(first)), 'Network.ShutdownError')).toBe(true)
    expect(await counts(other)).toMatchObject({ opened: 1, disposed: 0 })
    await second[Symbol.asyncDispose]()
    expect(await counts(await open(await join({ worker })))).toMatchObject({ opened: 2, disposed: 1 })
  })

  it('survive a component that is mounted, unmounted and mounted again in one go, as React does in development', async () => {
    const worker = stub()
    const first = join({ worker })
    const unmounted = first.then((network) => network[Symbol.asyncDispose]())
    const handle = await open(await join({ worker }))
    await unmounted
    expect(await counts(handle)).toMatchObject({ opened: 1, disposed: 0 })
  })

  it('tell everybody who joined how far an opening has got, until they leave', async () => {
    const worker = stub()
    const told: [Progress['stage'][], Progress['stage'][]] = [[], []]
    const [first, second] = await Promise.all(told.map((stages) => join({ worker, onProgress: ({ stage }) => void stages.push(stage) })))
    await open(first as Network)
    await first?.[Symbol.asyncDispose]()
    await open(second as Network)
    await expect.poll(() => told[1]).toEqual(['booting', 'live', 'live'])
    expect(told[0]).toEqual(['booting', 'live'])
  })

  it('keep networks of other options apart', async () => {
    const worker = stub()
    await join({ worker })
    expect(await counts(await open(await join({ worker, network: '00'.repeat(32) })))).toMatchObject({ opened: 2 })
  })

  it('speak over a port that the caller made, one network a port', async () => {
    const worker = stub()
    const { port1, port2 } = new MessageChannel()
    worker.postMessage({ coalition: 'attach/1', port: port2 }, [port2])
    expect(await counts(await open(await join({ worker: port1 })))).toMatchObject({ opened: 1 })
    expect(isError(await thrown(join({ worker: port1, withstand: 1 })), 'Network.ConnectError')).toBe(true)
  })

  it('end with ShutdownError when the Worker is terminated', async () => {
    const worker = stub()
    const handle = await open(await join({ worker }))
    const waiting = thrown(handle.ask('never', 1))
    worker.terminate()
    expect(isError(await waiting, 'Network.ShutdownError')).toBe(true)
  })

  it('are given up by a signal, without harm to others who join', async () => {
    const worker = stub()
    const controller = new AbortController()
    const gone = thrown(join({ worker, signal: controller.signal }))
    const stays = join({ worker })
    controller.abort('not now')
    expect(await gone).toBe('not now')
    expect(await counts(await open(await stays))).toMatchObject({ opened: 1, disposed: 0 })
    expect(await thrown(join({ worker, signal: AbortSignal.abort('never') }))).toBe('never')
  })
})

describe('a Worker that cannot be had', () => {
  it('is told with its address', async () => {
    const error = await thrown(join({ worker: new Worker('/nowhere.js', { type: 'module' }) }))
    expect(isError(error, 'Network.ConnectError')).toBe(true)
  })

  it('is told with what it failed by', async () => {
    const url = URL.createObjectURL(new Blob(['throw new Error("broken on purpose")'], { type: 'text/javascript' }))
    const error = (await thrown(join({ worker: new Worker(url) }))) as CoalitionError
    expect(error.name).toBe('Network.ConnectError')
    expect(error.message).toContain('broken on purpose')
    URL.revokeObjectURL(url)
  })

  it('may be replaced by one that works', async () => {
    await thrown(join({ worker: new Worker('/nowhere.js') }))
    expect(await counts(await open(await join({ worker: stub() })))).toMatchObject({ opened: 1 })
  })
})
