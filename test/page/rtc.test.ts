import fc from 'fast-check'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { hostRtc } from '../../client/page/rtc.ts'
import { RTC_LIMITS } from '../../client/rpc/rtc.ts'
import { cloneable, id } from '../rpc/cloneable.ts'
import { channel } from '../rpc/pages.ts'
import { ANSWER, FakeConnection, OFFER } from './_rtc-fakes.ts'

// PROTOCOL.md section 3: the page makes a Worker's connections, for webrtc-direct alone, and believes nothing that the Worker says.

beforeEach(() => {
  FakeConnection.all.length = 0
  vi.stubGlobal('RTCPeerConnection', FakeConnection)
  return () => vi.unstubAllGlobals()
})

/** A page, and the Worker's end of its port. */
const page = () => {
  const { port1, port2 } = channel()
  const stop = hostRtc(port1)
  const heard: Record<string, unknown>[] = []
  port2.onmessage = ({ data }: { readonly data: Record<string, unknown> }) => void heard.push(data)
  const next = (kind: string) => vi.waitFor(() => heard.find((message) => message.kind === kind) ?? Promise.reject(new Error(`no ${kind}`)))
  return { stop, heard, next, port: port2, say: (message: unknown) => port2.postMessage(message) }
}

describe('the page’s side', () => {
  it('asks no ICE server, whatever the Worker wants', async () => {
    const { say, stop } = page()
    say({ kind: 'open', id: 1, config: { iceServers: [{ urls: 'stun:example.org' }] }, iceServers: [{ urls: 'stun:example.org' }] })
    await vi.waitFor(() => expect(FakeConnection.all.map(({ config }) => config)).toEqual([{ iceServers: [] }]))
    stop()
  })

  it('takes the steps of a dial', async () => {
    const { say, next, stop } = page()
    say({ kind: 'open', id: 1 })
    say({ kind: 'channel', id: 1, channel: 1, first: true })
    say({ kind: 'channel', id: 1, channel: 2, first: false })
    say({ kind: 'offer', id: 1 })
    expect(await next('offer')).toEqual({ kind: 'offer', id: 1, sdp: OFFER })
    say({ kind: 'local', id: 1 })
    expect(await next('local')).toEqual({ kind: 'local', id: 1, sdp: OFFER })
    say({ kind: 'remote', id: 1, sdp: ANSWER })
    await next('remote')
    const [connection] = FakeConnection.all
    expect(connection?.channels.map(({ label, init }) => [label, init])).toEqual([
      ['', { negotiated: true, id: 0 }],
      ['', {}],
    ])
    expect(connection?.remote).toEqual([{ type: 'answer', sdp: ANSWER }])
    stop()
    expect(connection?.connectionState).toBe('closed')
  })

  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['one of another kind of peer', OFFER],
    ['one of an unknown version', ANSWER.replaceAll('v1', 'v3')],
  ])('refuses an answer that is %s', async (_, sdp) => {
    const { say, next, stop } = page()
    say({ kind: 'open', id: 1 })
    say({ kind: 'remote', id: 1, sdp })
    expect((await next('remote')).error).toMatch(/no webrtc-direct answer/)
    expect(FakeConnection.all[0]?.remote).toEqual([])
    stop()
  })

  it('has so many connections at once, and fails the next', async () => {
    const { say, next, stop } = page()
    for (let i = 1; i <= RTC_LIMITS.connections + 1; i++) say({ kind: 'open', id: i })
    expect(await next('state')).toEqual({ kind: 'state', id: RTC_LIMITS.connections + 1, state: 'failed' })
    expect(FakeConnection.all.length).toBe(RTC_LIMITS.connections)
    say({ kind: 'close', id: 1 })
    say({ kind: 'open', id: 99 })
    await vi.waitFor(() => expect(FakeConnection.all.length).toBe(RTC_LIMITS.connections + 1))
    stop()
    expect(FakeConnection.all.every(({ connectionState }) => connectionState === 'closed')).toBe(true)
  })

  it('ends everything at a message that is none', async () => {
    const { say } = page()
    say({ kind: 'open', id: 1 })
    say({ kind: 'dial', id: 1 })
    await vi.waitFor(() => expect(FakeConnection.all[0]?.connectionState).toBe('closed'))
  })

  it('survives whatever a Worker can send', async () => {
    const kind = fc.oneof(fc.constantFrom('open', 'channel', 'offer', 'local', 'remote', 'close'), cloneable)
    const ask = fc.record({ kind, id, channel: id, first: fc.boolean(), sdp: cloneable }, { requiredKeys: ['kind'] })
    const unheard = vi.fn()
    process.on('unhandledRejection', unheard)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(ask, cloneable), { maxLength: 12 }), async (messages) => {
        const { say, stop, port } = page()
        for (const message of messages) say(message)
        await new Promise(setImmediate)
        stop()
        port.close()
        expect(FakeConnection.all.length).toBeLessThanOrEqual(messages.length)
        FakeConnection.all.length = 0
      }),
      { numRuns: 200 },
    )
    process.off('unhandledRejection', unheard)
    expect(unheard).not.toHaveBeenCalled()
  })
})
