import { base64urlnopad } from '@scure/base'
import { describe, expect, it } from 'vitest'
import type { TransportName } from '../../client/network/address.ts'
import { peerIdOf } from '../../client/network/address.ts'
import type { Candidate } from '../../client/network/candidates.ts'
import { type DialError, Dialer } from '../../client/network/dialer.ts'
import { keyOf } from './chain.ts'
import { errorOf } from './setup.ts'
import { type Place, World } from './world.ts'

// PROTOCOL.md section 5: WebTransport before webrtc-direct before ws; issue 7, "Browser side": happy eyeballs, failures named per transport.

const HASH = `u${base64urlnopad.encode(Uint8Array.from([0x12, 0x20, ...Array<number>(32).fill(7)]))}`
const key = keyOf('member').public
const ID = peerIdOf(key)
const ways = {
  webtransport: `/ip4/127.0.0.1/udp/1/quic-v1/webtransport/certhash/${HASH}/p2p/${ID}`,
  'webrtc-direct': `/ip4/127.0.0.1/udp/2/webrtc-direct/certhash/${HASH}/p2p/${ID}`,
  ws: `/ip4/127.0.0.1/tcp/3/ws/p2p/${ID}`,
  tcp: `/ip4/127.0.0.1/tcp/4/p2p/${ID}`,
} as const
type Way = keyof typeof ways

const member: Candidate = { peer: key, addresses: [ways.tcp, ways.ws, ways['webrtc-direct'], ways.webtransport] }
const never = new AbortController().signal

const setup = (places: Partial<Record<Way, Partial<Place>>>, transports?: readonly TransportName[]) => {
  const world = new World()
  const dialled: [string, number][] = []
  const start = world.now
  for (const way of Object.keys(places) as Way[]) world.serve(ways[way], { key, handler: async () => {}, ...places[way] })
  const host = world.host({ transports: ['webtransport', 'webrtc-direct', 'wss', 'ws'] })
  const dial: typeof host.dial = (address, options) => {
    dialled.push([(Object.keys(ways) as Way[]).find((way) => ways[way] === address) ?? address, world.now - start])
    return host.dial(address, options)
  }
  const dialer = new Dialer({ host: { ...host, dial }, bootstrap: member.addresses, transports })
  return { world, dialer, dialled, dial: (candidate = member, signal = never) => world.run(dialer.dial(candidate, signal)) }
}

describe('which way is taken', () => {
  it('is the best transport of the host, alone when it answers at once', async () => {
    const { dial, dialled, world } = setup({ webtransport: {}, 'webrtc-direct': {}, ws: {} })
    expect((await dial()).address.transport).toBe('webtransport')
    await world.advance(5_000)
    expect(dialled).toEqual([['webtransport', 0]])
    expect([world.openLinks, world.pendingTimers]).toEqual([1, 0])
  })

  it('is the next one after 250 ms without an answer, and what comes later is closed', async () => {
    const { dial, dialled, world } = setup({ webtransport: { dialMs: 2_000 }, 'webrtc-direct': { dialMs: 900 }, ws: { dialMs: 100 } })
    expect((await dial()).address.transport).toBe('ws')
    expect(dialled).toEqual([
      ['webtransport', 0],
      ['webrtc-direct', 250],
      ['ws', 500],
    ])
    await world.advance(5_000)
    expect([world.openLinks, world.pendingTimers]).toEqual([1, 0])
  })

  it('is the next one at once after a failure, and each begins once', async () => {
    const { dial, dialled, world } = setup({ webtransport: { down: true }, 'webrtc-direct': { dialMs: 300 }, ws: { dialMs: 400 } })
    expect((await dial()).address.transport).toBe('webrtc-direct')
    await world.advance(5_000)
    expect(dialled).toEqual([
      ['webtransport', 0],
      ['webrtc-direct', 0],
      ['ws', 250],
    ])
    expect(world.openLinks).toBe(1)
  })

  it('is one of two that come in the same moment; the other is closed', async () => {
    const { dial, world } = setup({ webtransport: { dialMs: 500 }, 'webrtc-direct': { dialMs: 250 } })
    await dial()
    await world.advance(1_000)
    expect(world.openLinks).toBe(1)
  })

  it('is never one behind which another key stands', async () => {
    const { dial, world } = setup({ webtransport: { key: keyOf('stranger').public }, ws: { dialMs: 50 } })
    expect((await dial()).address.transport).toBe('ws')
    expect(world.openLinks).toBe(1)
  })

  it('is one of those that the caller chose', async () => {
    const { dial, dialled } = setup({ webtransport: {}, ws: {} }, ['ws', 'tcp'])
    expect((await dial()).address.transport).toBe('ws')
    expect(dialled).toEqual([['ws', 0]])
  })

  it.each([[[]], [['tcp']], [['ws', 'carrier-pigeon']]])('cannot be any of %j', (transports) => {
    expect(() => setup({}, transports as never)).toThrow(expect.objectContaining({ name: 'Network.TransportsError', transports }))
  })

  it('is of each transport one before the second of any, and of each three at most', async () => {
    const world = new World()
    const dialled: string[] = []
    const dial = async (address: string): Promise<never> => {
      dialled.push(address)
      throw new Error('refused')
    }
    const many = Array.from({ length: 20 }, (_, i) => `/ip4/127.0.0.1/tcp/${100 + i}/ws/p2p/${ID}`)
    const addresses = [...many, ways.webtransport]
    const dialer = new Dialer({ host: { ...world.host(), dial }, bootstrap: addresses })
    await errorOf(world.run(dialer.dial({ peer: key, addresses }, never)))
    expect(dialled).toEqual([ways.webtransport, ...many.slice(0, 3)])
  })
})

describe('what is remembered', () => {
  it('the transport that worked goes first, for ten minutes', async () => {
    const { dial, dialled, world } = setup({ webtransport: { silent: true }, 'webrtc-direct': { down: true }, ws: {} })
    await dial()
    dialled.length = 0
    await dial()
    expect(dialled.map(([way]) => way)).toEqual(['ws'])
    await world.advance(600_000)
    dialled.length = 0
    await dial()
    expect(dialled.map(([way]) => way)).toEqual(['webtransport', 'webrtc-direct', 'ws'])
  })

  it('one that failed goes last for a while, longer each time', async () => {
    const { dial, dialled, world } = setup({ webtransport: { down: true }, 'webrtc-direct': {} })
    const only: Candidate = { peer: key, addresses: [ways.webtransport] }
    const both: Candidate = { peer: key, addresses: [ways.webtransport, ways.ws] }
    const firstAfter = async (ms: number): Promise<string | undefined> => {
      await world.advance(ms)
      dialled.length = 0
      await errorOf(dial(both))
      return dialled[0]?.[0]
    }
    expect(await firstAfter(0)).toBe('webtransport')
    await errorOf(dial(only))
    // Twice by then, so for ten seconds; ws failed once, and is warm after five.
    expect(await firstAfter(6_000)).toBe('ws')
    expect(await firstAfter(19_000)).toBe('ws')
    expect(await firstAfter(60_000)).toBe('webtransport')
  })

  it('a transport that only lost has not failed', async () => {
    const { dial, dialled, world } = setup({ webtransport: { dialMs: 300 }, 'webrtc-direct': {} })
    expect((await dial()).address.transport).toBe('webrtc-direct')
    await world.advance(600_000)
    dialled.length = 0
    await dial()
    expect(dialled[0]?.[0]).toBe('webtransport')
  })
})

describe('when no way leads there', () => {
  it('ERR-07: every transport is named with its own failure', async () => {
    const { dial } = setup({ webtransport: { down: true }, 'webrtc-direct': { key: keyOf('stranger').public }, ws: { silent: true } })
    const error = (await errorOf(dial())) as DialError
    expect(error).toMatchObject({ name: 'Network.DialError', peer: Buffer.from(key).toString('hex') })
    expect(error.attempts).toEqual([
      { transport: 'webtransport', address: ways.webtransport, problem: expect.stringMatching(/refused/) },
      { transport: 'webrtc-direct', address: ways['webrtc-direct'], problem: 'the peer has another key than the address names' },
      { transport: 'ws', address: ways.ws, problem: 'no connection within 10000 ms' },
    ])
    expect(error.message).toMatch(/^no connection: webtransport: .*; webrtc-direct: .*; ws: /)
  })

  it('nothing is left open after 10 s', async () => {
    const { dial, world } = setup({ webtransport: { silent: true }, ws: { dialMs: 15_000 } })
    const started = world.now
    await errorOf(dial())
    expect(world.now - started).toBe(10_000)
    await world.advance(20_000)
    expect([world.openLinks, world.pendingTimers]).toEqual([0, 0])
  })

  it('the signal’s reason is what is thrown when it ends the dial', async () => {
    const { dial, world } = setup({ webtransport: { silent: true }, 'webrtc-direct': { dialMs: 400 } })
    const controller = new AbortController()
    const dialling = dial(member, controller.signal)
    await world.settle()
    controller.abort(new Error('never mind'))
    expect(await errorOf(dialling)).toMatchObject({ message: 'never mind' })
    await world.advance(20_000)
    expect([world.openLinks, world.pendingTimers]).toEqual([0, 0])
  })

  it('addresses that may not be dialled are said to be left out, and are not dialled', async () => {
    const { dial, dialled } = setup({})
    const told = [
      `/ip4/192.168.0.1/tcp/80/ws/p2p/${ID}`,
      `/dns4/router.local/tcp/80/ws/p2p/${ID}`,
      ways.tcp,
      `/ip4/1.1.1.1/tcp/1/ws/p2p/${peerIdOf(keyOf('other').public)}`,
      'x',
    ]
    const { attempts } = (await errorOf(dial({ peer: key, addresses: told }))) as DialError
    expect(attempts.map(({ problem }) => problem)).toEqual([
      expect.stringMatching(/private/),
      expect.stringMatching(/name/),
      expect.stringMatching(/only webtransport, webrtc-direct, wss, ws/),
      expect.stringMatching(/another peer/),
      expect.stringMatching(/no address/),
    ])
    expect(dialled).toEqual([])
  })
})
