import { describe, expect, it } from 'vitest'
import type { Link } from '../../../client/network/host.ts'
import { frame } from '../../../client/network/light/frame.ts'
import { Publisher, type PublisherOptions } from '../../../client/network/streams/publish.ts'
import { serveStreams } from '../../../client/network/streams/serve.ts'
import { subscribe } from '../../../client/network/streams/subscribe.ts'
import type { Ticket, TicketClass } from '../../../client/network/tickets/ticket.ts'
import type { TicketValidator } from '../../../client/network/tickets/validator.ts'
import { concat, u32le } from '../../../client/primitives/bytes.ts'
import { asId, id, UNIVERSE } from '../../../client/primitives/id.ts'
import { World } from '../world.ts'

// PROTOCOL.md section 4, "Link streams": live, per-link order, a bounded queue per consumer, too slow is told and dropped, tickets end
// subscriptions on expiry. MSK-01, MSK-04, MSK-13, TIX-09, TIX-10, TIX-12.

const ADDRESS = '/a'
const component = id('a feed')
const what = { network: UNIVERSE, component, surface: 'prices' }
const item = (n: number) => u32le(n)

/** Admits whoever shows a ticket whose data is a time later than now: until then. */
const timed: TicketValidator = {
  signature: asId(id('timed')),
  check: async (tickets, { at, verb, surface }) => {
    const expires = Math.max(0, ...tickets.map(({ data }) => Number(Buffer.from(data).toString())))
    if (verb !== 'watch' || surface !== 'prices') return { isAdmitted: false, problem: 'for another surface' }
    return expires > at ? { isAdmitted: true, expires } : { isAdmitted: false, problem: 'no ticket' }
  },
}
const ticketUntil = (seconds: number): Ticket => ({
  class: id('timed') as unknown as TicketClass,
  data: new Uint8Array(Buffer.from(`${seconds}`)),
})

const setup = (options: Partial<PublisherOptions> = {}) => {
  const world = new World()
  const host = world.host()
  const publisher = new Publisher({ host, ...what, validator: null, ...options })
  world.serve(ADDRESS, { key: new Uint8Array(32).fill(1), handler: serveStreams(() => [publisher], host) })
  const stop = new AbortController()
  const link = (): Promise<Link> => host.dial(ADDRESS, { signal: stop.signal })
  const open = async (tickets: readonly Ticket[] = [], change = {}) =>
    world.run(subscribe(await link(), { ...what, tickets, signal: stop.signal, ...change }))
  return { world, publisher, stop, link, open }
}

/** The end of a subscription that gives nothing more. */
const endOf = (subscription: AsyncIterable<unknown>) =>
  (async () => {
    for await (const _ of subscription);
    return null
  })().catch((error: unknown) => error)

describe('a link stream', () => {
  it('MSK-01 gives everybody what is published from now on, in order, as another type than what is verified', async () => {
    const { world, publisher, open } = setup()
    publisher.publish(item(0))
    const [a, b] = [(await open())[Symbol.asyncIterator](), (await open())[Symbol.asyncIterator]()]
    for (let n = 1; n <= 600; n++) publisher.publish(item(n))
    for (const iterator of [a, b])
      for (let n = 1; n <= 600; n++) {
        const { value } = await world.run(iterator.next())
        expect(value).toEqual({ unverified: item(n), from: new Uint8Array(32).fill(1), sequence: BigInt(n - 1) })
      }
    expect(publisher.subscribers).toBe(2)
    await a.return?.()
    await world.settle()
    publisher.publish(item(601))
    await world.settle()
    expect(publisher.subscribers).toBe(1)
  })

  it('a consumer that is too slow is told and dropped, and the others go on', async () => {
    const { world, publisher, open } = setup()
    const slow = await open()
    const quick = (await open())[Symbol.asyncIterator]()
    const large = new Uint8Array(65_536)
    const seen: number[] = []
    for (let n = 0; n < 60; n++) {
      publisher.publish(concat(item(n), large.subarray(4)))
      const { value } = await world.run(quick.next())
      seen.push(new DataView(value?.unverified.buffer as ArrayBuffer).getUint32(0, true))
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, n) => n))
    expect(publisher.subscribers).toBe(1)
    expect(await world.run(endOf(slow))).toMatchObject({ name: 'Stream.StreamError', end: 'slow' })
  })

  it('one that never reads is left after a while', async () => {
    const { world, publisher, open } = setup()
    await open()
    for (let n = 0; n < 40; n++) {
      publisher.publish(new Uint8Array(65_536))
      await world.settle()
    }
    expect(publisher.subscribers).toBe(0)
    await world.advance(10_000)
    expect(world.openStreams).toBe(0)
  })

  it('MSK-04 refuses who shows no ticket that admits', async () => {
    const { world, publisher, open } = setup({ validator: timed })
    await expect(open()).rejects.toMatchObject({ name: 'Stream.StreamError', end: 'ticket' })
    await expect(open([ticketUntil(1)])).rejects.toMatchObject({ end: 'ticket' })
    await world.settle()
    expect(publisher.subscribers).toBe(0)
  })

  it('TIX-10 a subscription ends with its tickets, and goes on with new ones', async () => {
    const { world, publisher, open } = setup({ validator: timed })
    const now = Math.floor(world.now / 1_000)
    const [left, renewed] = [await open([ticketUntil(now + 60)]), await open([ticketUntil(now + 60)])]
    expect(renewed.expires).toBe(now + 60)
    const ends = [endOf(left), endOf(renewed)]
    await world.advance(50_000)
    await world.run(renewed.renew([ticketUntil(now + 120)]))
    await world.settle()
    expect(renewed.expires).toBe(now + 120)
    await world.advance(11_000)
    expect(await world.run(ends[0] as Promise<unknown>)).toMatchObject({ end: 'ticket' })
    expect(publisher.subscribers).toBe(1)
    await world.advance(60_000)
    expect(await world.run(ends[1] as Promise<unknown>)).toMatchObject({ end: 'ticket' })
  })

  it('TIX-12 a renewal that does not admit ends it', async () => {
    const { world, open } = setup({ validator: timed })
    const subscription = await open([ticketUntil(world.now)])
    const end = endOf(subscription)
    await world.run(subscription.renew([]))
    expect(await world.run(end)).toMatchObject({ end: 'ticket' })
  })

  it('bounds subscriptions in all and of one link key', async () => {
    const { open } = setup({ most: { all: 2, each: 1 } })
    await open()
    await expect(open()).rejects.toMatchObject({ end: 'busy' })
  })

  it('says that there is no such stream', async () => {
    const { open } = setup()
    await expect(open([], { surface: 'other' })).rejects.toMatchObject({ end: 'unknown' })
    await expect(open([], { component: id('other') })).rejects.toMatchObject({ end: 'unknown' })
    await expect(open([], { network: id('other') })).rejects.toMatchObject({ end: 'unknown' })
  })

  it('ends everybody when the publisher ends', async () => {
    const { world, publisher, open } = setup()
    const end = endOf(await open())
    await world.run(publisher[Symbol.asyncDispose]())
    expect(await world.run(end)).toMatchObject({ end: 'shutdown' })
  })

  it('ends when the subscriber wants it to, and takes everything with it', async () => {
    const { world, publisher, stop, open } = setup()
    const end = endOf(await open())
    stop.abort(new Error('enough'))
    expect(await world.run(end)).toBeInstanceOf(Error)
    await world.advance(10_000)
    expect([publisher.subscribers, world.openStreams, world.pendingTimers]).toEqual([0, 0, 0])
  })

  it.each([
    ['nothing', []],
    ['half a frame', [Uint8Array.of(200, 1, 0)]],
    ['garbage', [frame(new Uint8Array(40).fill(255))]],
    ['an announced megabyte', [Uint8Array.of(0x80, 0x80, 0x40)]],
    ['a renewal first', [frame(Uint8Array.of(1, 0))]],
  ])('%s costs its sender the stream, within a while', async (_, chunks) => {
    const { world, publisher, link } = setup()
    const stream = await (await link()).stream('', { signal: new AbortController().signal })
    for (const chunk of chunks) await stream.write(chunk)
    await world.advance(10_000)
    await world.advance(10_000)
    expect([publisher.subscribers, world.openStreams, world.pendingTimers]).toEqual([0, 0, 0])
  })

  it('a publisher that skips or repeats is left', async () => {
    const { world, stop } = setup()
    const host = world.host()
    const lie = Uint8Array.of(1, 5, 0, 0, 0, 0, 0, 0, 0, 1, 1, 7)
    world.serve('/liar', {
      key: new Uint8Array(32).fill(2),
      handler: async (stream) => {
        await stream.write(frame(Uint8Array.of(0, 0)))
        await stream.write(frame(lie))
      },
    })
    const subscription = await world.run(subscribe(await host.dial('/liar', { signal: stop.signal }), { ...what, signal: stop.signal }))
    expect(await world.run(endOf(subscription))).toMatchObject({ name: 'Stream.StreamError', problem: 'item 5 after 0 of them' })
  })

  it('refuses to publish what no frame takes', () => {
    const { publisher } = setup()
    expect(() => publisher.publish(new Uint8Array(65_537))).toThrow(RangeError)
  })
})
