import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isError } from '../../client/error.ts'
import type { StateReport, Verified } from '../../client/network/handle.ts'
import { LIMITS } from '../../client/rpc/wire.ts'
import { connected, deferred, opened, report, thrown, verified } from './pages.ts'

describe('streams', () => {
  const source = () => {
    const made = { count: 0, ended: deferred() }
    async function* items(): AsyncGenerator<Verified<bigint>> {
      try {
        for (;;) yield verified(BigInt(made.count++))
      } finally {
        made.ended.resolve()
      }
    }
    return { made, items }
  }

  it('start with the first pull, and run at most a window ahead of what was taken', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }), async (steps) => {
        const { made, items } = source()
        const { handle, network } = await opened({ since: items as never })
        const stream = handle.since(0n)[Symbol.asyncIterator]()
        await handle.latest()
        expect(made.count).toBe(0)
        let taken = 0
        for (const step of steps) {
          for (let i = 0; i < step; i++) expect((await stream.next()).value).toEqual(verified(BigInt(taken++)))
          // A round trip on the same port: all credit given so far has arrived and been used.
          for (let i = 0; i < 3; i++) await handle.latest()
          expect(made.count).toBeLessThanOrEqual(taken + LIMITS.credit)
        }
        await network[Symbol.asyncDispose]()
      }),
      { numRuns: 30 },
    )
  })

  it('end their source when the consumer stops', async () => {
    const { made, items } = source()
    const { handle } = await opened({ since: items as never })
    for await (const { value } of handle) if (value === 40n) break
    await made.ended.promise
    expect(made.count).toBeLessThanOrEqual(41 + LIMITS.credit)
  })

  it('serve pulls that do not wait for each other, in order', async () => {
    const { handle } = await opened()
    const stream = handle.since(5n)[Symbol.asyncIterator]()
    const values = await Promise.all(Array.from({ length: 50 }, () => stream.next()))
    expect(values.map(({ value }) => (value as Verified<unknown>).value)).toEqual(Array.from({ length: 50 }, (_, i) => BigInt(i + 5)))
  })

  it('end for everybody who waits', async () => {
    const { handle } = await opened({
      since: async function* () {
        yield verified(1n)
      } as never,
    })
    const stream = handle.since(0n)[Symbol.asyncIterator]()
    const results = await Promise.all([stream.next(), stream.next(), stream.next()])
    expect(results.map(({ done }) => done)).toEqual([false, true, true])
  })
})

describe('state', () => {
  it('is known when the handle opens, and follows', async () => {
    const { handle, fake } = await opened({ state: report('syncing') })
    expect(handle.state).toEqual(report('syncing'))
    const seen = new Promise((resolve) => handle.onState(resolve))
    fake.tell(report('later'))
    expect(await seen).toEqual(report('later'))
    expect(handle.state).toEqual(report('later'))
  })

  it('does not pile up: the newest replaces what the page has not seen', async () => {
    const { handle, fake } = await opened()
    const seen: StateReport[] = []
    handle.onState((state) => seen.push(state))
    for (let i = 0; i < 1_000; i++) fake.tell(report(String(i)))
    await expect.poll(() => handle.state.detail).toBe('999')
    expect(seen.map(({ detail }) => detail)).toEqual(['0', '999'])
  })

  it('is not told to a listener that was taken off', async () => {
    const { handle, fake } = await opened()
    let told = 0
    handle.onState(() => told++)()
    fake.tell(report('x'))
    await expect.poll(() => handle.state.detail).toBe('x')
    expect(told).toBe(0)
  })
})

describe('the end', () => {
  const shutdown = async (promise: Promise<unknown>): Promise<boolean> => isError(await thrown(promise), 'Network.ShutdownError')
  const never = {
    latest: () => new Promise<never>(() => {}),
    since: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }),
  }

  it('of a handle closes it on the other side and ends what is open with ShutdownError', async () => {
    const { handle, fake, network } = await opened(never)
    const open = [handle.latest(), handle.since(0n)[Symbol.asyncIterator]().next()].map(shutdown)
    await handle[Symbol.asyncDispose]()
    expect(await Promise.all(open)).toEqual([true, true])
    expect(fake.disposed).toBe(1)
    expect(fake.listeners.size).toBe(0)
    expect(await shutdown(handle.ask('of', 1))).toBe(true)
    await handle[Symbol.asyncDispose]()
    expect((await network.open({ name: 'x' }, {})).state).toEqual(report())
  })

  it('of a network closes its handles', async () => {
    const { handle, fake, network, served } = await opened(never)
    const open = shutdown(handle.latest())
    await network[Symbol.asyncDispose]()
    expect(await open).toBe(true)
    expect([fake.disposed, served.disposed]).toEqual([1, 1])
    expect(await shutdown(network.open({ name: 'x' }, {}))).toBe(true)
    await network[Symbol.asyncDispose]()
  })

  it('of a lease closes its handles and no others', async () => {
    const { network } = await connected()
    const [one, two] = [network.lease(), network.lease()]
    const [mine, other] = [await one.open({ name: 'x' }, {}), await two.open({ name: 'x' }, {})]
    one.close()
    expect(await shutdown(mine.latest())).toBe(true)
    expect(await other.latest()).toEqual(verified(1n))
  })

  it.each(['port1', 'port2'] as const)('of a port (%s) ends everything on both sides', async (which) => {
    const page = await opened(never)
    const open = shutdown(page.handle.latest())
    page[which].close()
    expect(await open).toBe(true)
    await expect.poll(() => [page.fake.disposed, page.served.disposed]).toEqual([1, 1])
  })
})

describe('limits', () => {
  it('refuse one request too many and serve the others', async () => {
    const gate = deferred()
    const { handle } = await opened({
      latest: async () => {
        await gate.promise
        return verified(1n)
      },
    })
    const calls = Array.from({ length: LIMITS.calls + 3 }, () => handle.latest())
    const over = await Promise.all(calls.slice(-3).map(thrown))
    expect(over.map((error) => isError(error, 'Rpc.BusyError'))).toEqual([true, true, true])
    gate.resolve()
    expect(await Promise.all(calls.slice(0, LIMITS.calls))).toHaveLength(LIMITS.calls)
    expect(await handle.latest()).toEqual(verified(1n))
  })

  it('refuse one handle too many until one is closed', async () => {
    const { network } = await connected()
    const open = () => network.open({ name: 'x' }, {})
    const [first] = await Promise.all(Array.from({ length: LIMITS.handles }, open))
    // More than once: a refusal must not make room.
    for (let i = 0; i < 3; i++) expect(isError(await thrown(open()), 'Rpc.BusyError')).toBe(true)
    await first?.[Symbol.asyncDispose]()
    expect((await open()).state).toEqual(report())
  })
})
