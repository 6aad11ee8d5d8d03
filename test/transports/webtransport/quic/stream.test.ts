import { afterEach, expect, test, vi } from 'vitest'
import type { NativeConnection } from '../../../../node/transports/webtransport/quic/native.ts'
import { QuicStream } from '../../../../node/transports/webtransport/quic/stream.ts'

afterEach(() => void vi.useRealTimers())

/** A connection on which something is on its way: congestion leaves less than its window, and a lost packet's timer runs. */
const busy = () => {
  const state = {
    rtt: 5,
    timeout: 50,
    capacity: 10_000,
    sent: [] as { readonly size: number; readonly fin: boolean }[],
    kicks: 0,
  }
  const native = {
    pathStats: () => [{ rtt: state.rtt, cwnd: 13_500 }],
    timeout: () => state.timeout,
    streamCapacity: () => state.capacity,
    streamShutdown: () => null,
    streamSend: (_id: number, data: Uint8Array, fin: boolean) => {
      state.sent.push({ size: data.length, fin })
      return data.length
    },
  } as unknown as NativeConnection
  const nothing = (): void => {}
  const stream = new QuicStream(1, {
    native,
    shutdown: { Read: 0, Write: 1 },
    hold: nothing,
    block: nothing,
    done: nothing,
    kick: () => void state.kicks++,
    transmit: nothing,
  })
  return { state, stream }
}

/** A write whose turn of the event loop is over, and then the end. */
const written = (stream: QuicStream): void => {
  stream.write(new Uint8Array(10))
  stream.release()
  stream.finish()
}

test('an end that comes late waits until what was before it is acknowledged', () => {
  const { state, stream } = busy()
  written(stream)
  expect(stream.flush()).toBe(false)
  expect(state.sent).toEqual([{ size: 10, fin: false }])
  state.capacity = 13_500
  expect(stream.flush()).toBe(true)
  expect(state.sent.at(-1)).toEqual({ size: 0, fin: true })
})

test('on a path whose window is larger than the stream’s it goes when only the idle timer runs', () => {
  const { state, stream } = busy()
  written(stream)
  state.timeout = 29_000
  expect(stream.flush()).toBe(true)
  expect(state.sent.at(-1)).toEqual({ size: 0, fin: true })
})

test('on a connection that is never quiet it goes by time, also when round trips have become longer and nothing comes in any more', () => {
  vi.useFakeTimers()
  const { state, stream } = busy()
  written(stream)
  state.rtt = 400
  vi.advanceTimersByTime(1_100)
  expect(state.sent).toHaveLength(1)
  vi.advanceTimersByTime(800)
  expect(state.sent.at(-1)).toEqual({ size: 0, fin: true })
  vi.advanceTimersByTime(60_000)
  expect(state.sent).toHaveLength(2)
})

test('a peer that takes nothing costs nothing: quiche is not asked again, no turn follows on another, and the writer is not woken in vain', () => {
  const { state, stream } = busy()
  let wakes = 0
  stream.attach({ readable: () => {}, writable: () => void wakes++, closed: () => {} })
  state.capacity = 0
  expect(stream.write(new Uint8Array(5_000))).toBe(0)
  expect(stream.flush()).toBe(false)
  expect([state.sent.length, state.kicks, wakes]).toEqual([0, 0, 0])
  state.capacity = 10_000
  expect(stream.flush()).toBe(true)
  expect(wakes).toBe(1)
  expect(stream.write(new Uint8Array(5_000))).toBe(5_000)
})

test('neither does one that takes nothing of what is held with its end', () => {
  const { state, stream } = busy()
  stream.write(new Uint8Array(10))
  state.capacity = 0
  stream.finish()
  expect([stream.flush(), state.kicks, state.sent.length]).toEqual([false, 0, 0])
  state.capacity = 10_000
  expect(stream.flush()).toBe(true)
  expect(state.sent).toEqual([{ size: 10, fin: true }])
})

test('a stream that was given up waits for no room, though the peer has left none', () => {
  const { state, stream } = busy()
  state.capacity = 0
  expect(stream.write(new Uint8Array(5_000))).toBe(0)
  expect(stream.flush()).toBe(false)
  stream.reset(0)
  expect(stream.flush()).toBe(true)
})
