import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isError } from '../../../client/error.ts'
import { TABS } from '../../../client/rpc/leader.ts'
import { deferred, thrown } from '../../rpc/pages.ts'
import { createWorld, open, range, take, type WorldOptions } from './world.ts'

// PROTOCOL.md section 5: one Worker per origin across tabs. MSK-12: one set of connections.

let world: ReturnType<typeof createWorld>
const begin = (options?: WorldOptions): void => {
  world = createWorld(options)
  vi.stubGlobal('navigator', { locks: world.lock.of({ isDead: false, isFrozen: false }) })
}
beforeEach(() => begin())
afterEach(() => vi.unstubAllGlobals())

/** Opens tabs one after another, so that the first one leads. */
const tabs = async (n: number) => {
  const opened = []
  for (let i = 0; i < n; i++) {
    const tab = world.openTab()
    const network = await tab.connect()
    const handle = await open(network)
    opened.push({ tab, network, handle })
  }
  return opened as [(typeof opened)[number], (typeof opened)[number], (typeof opened)[number]]
}

describe('tabs of one origin', () => {
  it('share one Worker, and one network in it', async () => {
    const all = await tabs(3)
    expect(world.living()).toHaveLength(1)
    expect(world.networks()).toBe(1)
    world.log.append(40)
    for (const { handle } of all) expect(await take(handle.since(0n)[Symbol.asyncIterator](), 40)).toEqual(range(0, 40))
  })

  it('that open at the same time share one all the same', async () => {
    await Promise.all(Array.from({ length: 5 }, async () => open(await world.openTab().connect())))
    expect(world.living()).toHaveLength(1)
    expect(world.networks()).toBe(1)
  })

  it('keep networks of other options apart, in the same Worker', async () => {
    const [first, second] = [world.openTab(), world.openTab()]
    await first.connect()
    await second.connect({ withstand: 1 })
    await second.connect({ storage: false })
    expect(world.living()).toHaveLength(1)
    expect(world.networks()).toBe(3)
  })

  it('are told how far their own openings have got, not those of others', async () => {
    const told: string[] = []
    const [first, second] = [world.openTab(), world.openTab()]
    const network = await first.connect({ onProgress: () => told.push('first') })
    await open(await second.connect({ onProgress: () => told.push('second') }))
    expect(told).toEqual(['second'])
    await open(network)
    expect(told).toEqual(['second', 'first'])
  })

  it('have a Worker of their own when the one of another tab serves as many as it may', async () => {
    await tabs(1 + TABS.most)
    expect(world.living()).toHaveLength(1)
    const late = await open(await world.openTab().connect())
    expect(world.living()).toHaveLength(2)
    world.log.append(1)
    expect(await take(late.since(0n)[Symbol.asyncIterator](), 1)).toEqual([0n])
  })
})

describe('a tab that is closed', () => {
  it('gives up what it had in the Worker of another', async () => {
    const [{ tab }, second] = await tabs(2)
    expect(tab.workers[0]?.handles.size).toBe(2)
    second.tab.close()
    await expect.poll(() => tab.workers[0]?.handles.size).toBe(1)
    expect(world.networks()).toBe(1)
  })

  it('that led leaves the others where they were: no item is lost or comes twice', async () => {
    const [first, ...others] = await tabs(3)
    const items = others.map(({ handle }) => handle.since(0n)[Symbol.asyncIterator]())
    world.log.append(20)
    for (const one of items) expect(await take(one, 10)).toEqual(range(0, 10))
    first.tab.close()
    world.log.append(20)
    for (const one of items) expect(await take(one, 30)).toEqual(range(10, 40))
    expect(world.living()).toHaveLength(1)
    expect(world.networks()).toBe(1)
  })

  it('that led leaves an iteration that was given nothing yet where it began', async () => {
    world.log.append(7)
    const [first, { handle }] = await tabs(2)
    const items = handle[Symbol.asyncIterator]()
    const next = items.next()
    await handle.latest()
    first.tab.close()
    world.log.append(2)
    expect((await next).value?.value).toBe(7n)
    expect(await take(items, 1)).toEqual([8n])
  })

  it('that led leaves questions to be asked again, with the answer of the next Worker', async () => {
    const gate = deferred()
    begin({ answer: async (worker) => (worker === 0 ? gate.promise : `worker ${worker}`) })
    const [first, { handle, network }] = await tabs(2)
    const [answer, evidence] = [handle.ask('of', 1), network.evidence()]
    await evidence
    first.tab.close()
    expect((await answer).value).toBe('worker 1')
  })

  it('that led may be followed by one that is closed before its Worker is there', async () => {
    const [first, second, third] = await tabs(3)
    const items = third.handle.since(0n)[Symbol.asyncIterator]()
    world.log.append(5)
    expect(await take(items, 5)).toEqual(range(0, 5))
    first.tab.close()
    await expect.poll(() => second.tab.workers.length + third.tab.workers.length).toBeGreaterThan(0)
    if (second.tab.workers.length > 0) second.tab.close()
    world.log.append(5)
    expect(await take(items, 5)).toEqual(range(5, 10))
    expect(third.tab.workers).toHaveLength(1)
  })

  it('tells nothing but its own end to whoever disposed of everything meanwhile', async () => {
    const [first, second, { handle }] = await tabs(3)
    const items = second.handle.since(0n)[Symbol.asyncIterator]()
    const waiting = items.next()
    first.tab.close()
    await second.network[Symbol.asyncDispose]()
    expect(isError(await thrown(waiting), 'Network.ShutdownError')).toBe(true)
    expect(isError(await thrown(second.handle.latest()), 'Network.ShutdownError')).toBe(true)
    expect((await handle.latest()).value).toBe(null)
    expect(world.networks()).toBe(1)
  })
})

describe('a hand-over', () => {
  it('is told as a state, and then the new one', async () => {
    const [first, { handle }] = await tabs(2)
    const states: string[] = []
    handle.onState(({ state }) => states.push(state))
    first.tab.close()
    await expect.poll(() => states).toEqual(['connecting', 'live'])
  })

  it('is survived by a signal that gives up one question', async () => {
    begin({ answer: () => new Promise(() => {}) })
    const [first, { handle }] = await tabs(2)
    const controller = new AbortController()
    const answer = thrown(handle.ask('of', 1, { signal: controller.signal }))
    first.tab.close()
    controller.abort('enough')
    expect(await answer).toBe('enough')
    expect((await handle.latest()).value).toBe(null)
  })

  it('goes on from what had arrived, whether or not it was taken', async () => {
    const [first, { handle }] = await tabs(2)
    const items = handle.since(0n)[Symbol.asyncIterator]()
    world.log.append(100)
    expect(await take(items, 1)).toEqual([0n])
    await handle.latest()
    first.tab.close()
    await handle.latest()
    expect(await take(items, 99)).toEqual(range(1, 100))
  })

  it('happens when a tab is hidden that led, and comes back as one that follows', async () => {
    const [first, second] = await tabs(2)
    const items = first.handle.since(0n)[Symbol.asyncIterator]()
    const shown = deferred()
    first.tab.origin.hide(shown.promise)
    await second.handle.latest()
    expect(second.tab.workers).toHaveLength(1)
    world.log.append(3)
    shown.resolve()
    expect(await take(items, 3)).toEqual(range(0, 3))
    expect(first.tab.workers).toHaveLength(1)
    expect(world.living()).toHaveLength(1)
  })

  it('happens when the tab that led has disposed of its last network', async () => {
    const [first, { handle }] = await tabs(2)
    await first.network[Symbol.asyncDispose]()
    await expect.poll(() => world.living().length).toBe(1)
    expect((await handle.latest()).value).toBe(null)
    expect(first.tab.workers[0]?.owner.isDead).toBe(true)
  })

  it('keeps the proof against a committee, and what it makes of a handle', async () => {
    const wedged = Object.assign(new Error('two histories'), { name: 'Network.EquivocationError' })
    let isCaught = false
    begin({ latest: async () => (isCaught ? Promise.reject(wedged) : null) })
    const [first, { handle, network }] = await tabs(2)
    isCaught = true
    for (const tell of first.tab.workers[0]?.handles ?? []) tell({ ...handle.state, state: 'wedged', detail: 'two histories' })
    await expect.poll(() => handle.state.state).toBe('wedged')
    expect(isError(await thrown(handle.latest()), 'Network.EquivocationError')).toBe(true)
    isCaught = false
    first.tab.close()
    await network.evidence()
    expect(handle.state.state).toBe('wedged')
    expect(isError(await thrown(handle.latest()), 'Network.EquivocationError')).toBe(true)
    expect(isError(await thrown(handle.since(0n)[Symbol.asyncIterator]().next()), 'Network.EquivocationError')).toBe(true)
    expect(await network.evidence()).toEqual([0, 1].map((worker) => ({ kind: 'equivocation', worker })))
  })

  it('tells why a handle cannot be opened again, and tries once more', async () => {
    let refusals = 0
    begin({ refuse: (worker) => (worker > 0 && refusals++ < 2 ? new RangeError('not now') : null) })
    const [first, { handle }] = await tabs(2)
    const details: (string | null)[] = []
    handle.onState(({ detail }) => details.push(detail))
    const answer = thrown(handle.ask('of', 1).then(() => new Promise(() => {})))
    const waiting = thrown(handle.since(0n)[Symbol.asyncIterator]().next())
    first.tab.close()
    expect(await waiting).toMatchObject({ name: 'RangeError', message: 'not now' })
    await expect.poll(() => handle.state.state).toBe('live')
    expect(details).toContain('not now')
    void answer
  })
})

describe('a Worker that fails', () => {
  it('is followed by another one, and nothing is lost', async () => {
    const [{ handle, tab }] = await tabs(1)
    const items = handle.since(0n)[Symbol.asyncIterator]()
    world.log.append(3)
    expect(await take(items, 3)).toEqual(range(0, 3))
    const [worker] = tab.workers
    if (worker) world.kill(worker)
    world.log.append(3)
    expect(await take(items, 3)).toEqual(range(3, 6))
    expect(tab.workers).toHaveLength(2)
  })

  it('again and again is given up', async () => {
    let isBroken = false
    begin({ isBroken: () => isBroken })
    const [{ handle, tab }] = await tabs(1)
    const answer = thrown(handle.since(0n)[Symbol.asyncIterator]().next())
    isBroken = true
    const [worker] = tab.workers
    if (worker) world.kill(worker)
    const error = (await answer) as Error
    expect(isError(error, 'Network.ShutdownError')).toBe(true)
    expect(isError(error.cause, 'Network.ConnectError')).toBe(true)
    expect(tab.workers).toHaveLength(6)
  })

  it('to load is told at once', async () => {
    begin({ isBroken: () => true })
    const tab = world.openTab()
    expect(isError(await thrown(tab.connect()), 'Network.ConnectError')).toBe(true)
    expect(tab.workers).toHaveLength(1)
    expect(world.living()).toHaveLength(0)
    expect(world.lock.held()).toEqual([])
  })
})

describe('a frozen tab', () => {
  it('that led loses the lock after a while of silence, and follows when it thaws', async () => {
    const [first, second, third] = await tabs(3)
    const items = second.handle.since(0n)[Symbol.asyncIterator]()
    world.log.append(3)
    expect(await take(items, 3)).toEqual(range(0, 3))
    first.tab.freeze(true)
    world.log.append(3)
    const rest: bigint[] = []
    void take(items, 3).then((taken) => rest.push(...taken))
    // Two that notice in the same moment may take the lock from each other once.
    const ticked = <T>(look: T): T => {
      world.tick()
      return look
    }
    await expect.poll(() => ticked(rest)).toEqual(range(3, 6))
    first.tab.freeze(false)
    const late: unknown[] = []
    for (const { handle } of [first, third]) void handle.latest().then(({ value }) => late.push(value))
    await expect.poll(() => ticked(late)).toEqual([5n, 5n])
    await expect.poll(() => world.living().length).toBe(1)
    expect(first.tab.workers).toHaveLength(1)
  })

  it('that follows does not take its own sleep for the silence of others', async () => {
    const [first, second] = await tabs(2)
    second.tab.freeze(true)
    for (let i = 0; i < 10; i++) world.tick()
    second.tab.freeze(false)
    for (let i = 0; i < 10; i++) {
      world.tick()
      await second.handle.latest()
    }
    expect(second.tab.workers).toHaveLength(0)
    expect(first.tab.workers[0]?.owner.isDead).toBe(false)
  })
})

it('nothing is left of tabs that have disposed of everything', async () => {
  const all = await tabs(3)
  for (const { network } of all) await network[Symbol.asyncDispose]()
  await expect.poll(() => [world.living().length, world.hub.names(), world.lock.held()]).toEqual([0, [], []])
})
