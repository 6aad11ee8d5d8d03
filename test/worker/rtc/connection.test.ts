import fc from 'fast-check'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { isError } from '../../../client/error.ts'
import { hostRtc } from '../../../client/page/rtc.ts'
import { attachedRtc, RTC_LIMITS } from '../../../client/rpc/rtc.ts'
import { attachRtc } from '../../../client/rpc/wire.ts'
import type { Channel } from '../../../worker/rtc/channel.ts'
import { createRtc, installRtc } from '../../../worker/rtc/index.ts'
import { ANSWER, FakeConnection, OFFER, PASSWORD } from '../../page/_rtc-fakes.ts'
import { cloneable, id } from '../../rpc/cloneable.ts'
import { channel } from '../../rpc/pages.ts'

// PROTOCOL.md section 3: an RTCPeerConnection in a Worker, whose real one is the page's; versions 1 and 2 of libp2p's webrtc-direct. Channels
// of these fakes cannot cross, so all of them go by the byte bridge.

beforeEach(() => {
  FakeConnection.all.length = 0
  vi.stubGlobal('RTCPeerConnection', FakeConnection)
  return () => vi.unstubAllGlobals()
})

/** Both sides over a real port. */
const pair = (version: 1 | 2 = 2) => {
  const { port1, port2 } = channel()
  const stop = hostRtc(port1)
  const end = (): void => {
    stop()
    port2.close()
  }
  return { Rtc: createRtc(port2, { version }), stop: end }
}

/** What @libp2p/webrtc does to dial. */
const dial = async (Rtc: ReturnType<typeof createRtc>) => {
  await Rtc.generateCertificate()
  const connection = new Rtc()
  const first = connection.createDataChannel('', { negotiated: true })
  const offer = await connection.createOffer()
  const munged = {
    type: 'offer',
    sdp: (offer.sdp ?? '').replace(/ice-pwd:.*/, 'ice-pwd:munged').replace(/ice-ufrag:.*/, 'ice-ufrag:munged'),
  }
  await connection.setLocalDescription(munged)
  await connection.setRemoteDescription({ type: 'answer', sdp: ANSWER })
  const real = FakeConnection.all.at(-1)
  const [channel] = real?.channels ?? []
  if (real === undefined || channel === undefined) throw new Error('the page made nothing')
  return { connection, first, real, channel }
}

const heard = (target: EventTarget, type: string): Promise<Event> =>
  new Promise((resolve) => target.addEventListener(type, resolve, { once: true }))

/** With the first channel open. */
const opened = async (version: 1 | 2 = 2) => {
  const { Rtc, stop } = pair(version)
  const dialled = await dial(Rtc)
  const open = heard(dialled.first, 'open')
  dialled.channel.open(0)
  await open
  return { ...dialled, stop }
}

describe('a dial', () => {
  it('of version 2 leaves the browser’s offer alone, and tells its password in the answer', async () => {
    const { Rtc, stop } = pair(2)
    const { connection, real } = await dial(Rtc)
    expect(real.localDescription?.sdp).toBe(OFFER)
    expect(connection.localDescription?.sdp).toBe(OFFER)
    const said = `libp2p+webrtc+v2/${PASSWORD}`
    expect(real.remote).toEqual([{ type: 'answer', sdp: `v=0\na=ice-ufrag:${said}\na=ice-pwd:${said}\na=setup:passive\n` }])
    stop()
  })

  it('of version 1 sets the offer and the answer that it is given', async () => {
    const { Rtc, stop } = pair(1)
    const { real } = await dial(Rtc)
    expect(real.localDescription?.sdp).toContain('ice-pwd:munged')
    expect(real.remote).toEqual([{ type: 'answer', sdp: ANSWER }])
    stop()
  })

  it('fails with the page’s words', async () => {
    const { Rtc, stop } = pair()
    const connection = new Rtc()
    await connection.setLocalDescription({ type: 'offer', sdp: '' })
    const error: unknown = await connection.setRemoteDescription({ type: 'answer', sdp: 'v=0' }).catch((reason: unknown) => reason)
    expect(isError(error, 'Network.RtcError') && /no webrtc-direct answer/.test(error.message)).toBe(true)
    stop()
  })

  it('ends when its connection is closed meanwhile', async () => {
    const { Rtc, stop } = pair()
    const connection = new Rtc()
    const first = connection.createDataChannel('')
    const closed = heard(first, 'close')
    const local = connection.setLocalDescription({ type: 'offer', sdp: '' })
    connection.close()
    await expect(local).rejects.toThrow(/closed/)
    await closed
    expect(() => connection.createDataChannel('')).toThrow(/closed/)
    await vi.waitFor(() => expect(FakeConnection.all[0]?.connectionState).toBe('closed'))
    stop()
  })

  it('is refused beyond so many connections', () => {
    const { Rtc, stop } = pair()
    for (let i = 0; i < RTC_LIMITS.connections; i++) new Rtc()
    expect(() => new Rtc()).toThrow(/32 connections/)
    stop()
  })

  it('hears that its connection has failed, and its channels with it', async () => {
    const { connection, first, real, stop } = await opened()
    const changed = vi.fn()
    connection.onconnectionstatechange = changed
    const closed = heard(first, 'close')
    real.become('connected')
    await vi.waitFor(() => expect(connection.connectionState).toBe('connected'))
    real.become('failed')
    await closed
    expect(connection.connectionState).toBe('failed')
    expect(changed).toHaveBeenCalledTimes(2)
    stop()
  })
})

describe('a channel that cannot cross', () => {
  it('carries bytes both ways, and says when it has opened', async () => {
    const { first, channel, stop } = await opened()
    expect([first.readyState, first.id]).toEqual(['open', 0])
    const message = heard(first, 'message')
    channel.onmessage?.({ data: new Uint8Array([1, 2, 3]).buffer })
    expect(new Uint8Array(((await message) as MessageEvent<ArrayBuffer>).data)).toEqual(new Uint8Array([1, 2, 3]))
    // A view of a larger buffer sends what it shows.
    first.send(new Uint8Array(100).subarray(10, 15))
    await vi.waitFor(() => expect(channel.sent).toEqual([5]))
    stop()
  })

  it('holds its writer back until the real one has room', async () => {
    const { first, channel, stop } = await opened()
    const low = vi.fn()
    first.onbufferedamountlow = low
    for (let i = 0; i < 5; i++) first.send(new Uint8Array(100_000))
    expect(first.bufferedAmount).toBe(500_000)
    // Of three it has reported to have room; then its buffer is above the mark.
    await vi.waitFor(() => expect(channel.sent.length).toBe(5))
    await vi.waitFor(() => expect(first.bufferedAmount).toBe(300_000))
    expect(low).not.toHaveBeenCalled()
    channel.drain()
    await vi.waitFor(() => expect(first.bufferedAmount).toBe(0))
    expect(low).toHaveBeenCalledTimes(1)
    stop()
  })

  it('is closed from either side, and by text', async () => {
    for (const close of ['worker', 'page', 'text'] as const) {
      const { first, channel, stop } = await opened()
      const closed = heard(first, 'close')
      if (close === 'worker') first.close()
      else if (close === 'page') channel.close()
      else channel.onmessage?.({ data: 'text' })
      await closed
      expect([channel.readyState, first.readyState]).toEqual(['closed', 'closed'])
      expect(() => first.send(new Uint8Array(1))).toThrow(/closed/)
      stop()
    }
  })

  it('that the other side opened reaches who listens, and 32 of them are open at most', async () => {
    const { connection, real, stop } = await opened()
    const taken: Channel[] = []
    connection.ondatachannel = (event) => void taken.push((event as Event & { readonly channel: Channel }).channel)
    const made = Array.from({ length: 40 }, (_, i) => {
      const channel = real.createDataChannel('', {})
      real.ondatachannel?.({ channel })
      channel.open(i + 1)
      return channel
    })
    await vi.waitFor(() => expect(made.filter(({ readyState }) => readyState === 'closed').length).toBe(8))
    expect(taken.length).toBe(32)
    await vi.waitFor(() => expect(taken.every(({ readyState }) => readyState === 'open')).toBe(true))
    stop()
  })
})

describe('a page that lies', () => {
  it('ends the connections, and makes no more', async () => {
    const { port1, port2 } = channel()
    const Rtc = createRtc(port2)
    const connection = new Rtc()
    const changed = heard(connection, 'connectionstatechange')
    port1.postMessage({ kind: 'offer', id: 1, sdp: 'x'.repeat(RTC_LIMITS.sdp + 1) })
    await changed
    expect(connection.connectionState).toBe('failed')
    expect(() => new Rtc()).toThrow(/no more/)
    port1.close()
  })

  it('throws nothing into the Worker, whatever it sends', async () => {
    const kind = fc.oneof(fc.constantFrom('offer', 'local', 'remote', 'state', 'channel'), cloneable)
    const answer = fc.record(
      { kind, id, channel: id, sdp: cloneable, error: cloneable, state: cloneable, real: cloneable },
      { requiredKeys: ['kind'] },
    )
    const thrown = vi.fn()
    process.on('uncaughtException', thrown)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(answer, cloneable), { maxLength: 12 }), async (messages) => {
        const { port1, port2 } = channel()
        const connection = new (createRtc(port2))()
        connection.createDataChannel('')
        connection.createOffer().catch(() => {})
        connection.setLocalDescription({ type: 'offer' }).catch(() => {})
        for (const message of messages) port1.postMessage(message)
        await new Promise(setImmediate)
        port1.close()
        port2.close()
      }),
      { numRuns: 300 },
    )
    process.off('uncaughtException', thrown)
    expect(thrown).not.toHaveBeenCalled()
  })
})

describe('the offer of a page', () => {
  it('is a port, and nothing else', () => {
    const { port1, port2 } = channel()
    expect(attachedRtc(attachRtc(port1))).toBe(port1)
    for (const other of [null, 'rtc/1', { coalition: 'rtc/1' }, { coalition: 'rtc/1', port: {} }, { coalition: 'attach/1', port: port1 }])
      expect(attachedRtc(other)).toBe(null)
    port2.close()
  })

  it('is taken where there is no RTCPeerConnection, the first one only', () => {
    const { port1, port2 } = channel()
    installRtc(port1)
    expect(globalThis.RTCPeerConnection).toBe(FakeConnection)
    vi.stubGlobal('RTCPeerConnection', undefined)
    installRtc(port2)
    const first: unknown = globalThis.RTCPeerConnection
    const { port1: third } = channel()
    installRtc(third)
    expect(typeof first).toBe('function')
    expect(globalThis.RTCPeerConnection).toBe(first)
    port2.close()
  })
})
