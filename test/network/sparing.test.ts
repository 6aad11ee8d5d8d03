import '../../node/polyfill.ts'
import type { Stream } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { expect, test } from 'vitest'
import { asByteStream } from '../../client/network/link.ts'
import { STREAMS, sparingNoise, sparingYamux } from '../../client/network/sparing.ts'

const KB = 1_024

/** A stream between two muxers, its two ends, and how many messages the reading end's side has sent. */
const connected = async () => {
  const [near, far] = multiaddrConnectionPair()
  const muxers = [near, far].map((connection) =>
    sparingYamux(yamux({ ...STREAMS, enableKeepAlive: false }))().createStreamMuxer(connection),
  )
  const [writing, reading] = muxers as [(typeof muxers)[0], (typeof muxers)[0]]
  const opened = new Promise<Stream>((resolve) => reading.addEventListener('stream', ({ detail }) => resolve(detail)))
  let told = 0
  near.addEventListener('message', () => void told++)
  const writer = await writing.createStream()
  const reader = await opened
  return { writer, reader, told: () => told }
}

/** Bytes that have come so far. */
const counted = (reader: Stream): (() => number) => {
  let read = 0
  reader.addEventListener('message', ({ data }) => {
    read += data.byteLength
  })
  return () => read
}

const written = async (writer: Stream, count: number, size: number): Promise<void> => {
  const { write } = asByteStream(writer)
  for (let i = 0; i < count; i++) await write(new Uint8Array(size))
}

test('a reader tells of room once for half a window, and not for each frame', async () => {
  const { writer, reader, told } = await connected()
  const read = counted(reader)
  await written(writer, 100, KB)
  await expect.poll(read).toBe(100 * KB)
  // The first of them takes the stream.
  expect(told()).toBeLessThanOrEqual(1)
})

test('more than many windows come whole, with few messages back', async () => {
  const { writer, reader, told } = await connected()
  const read = counted(reader)
  await written(writer, 1_000, 8 * KB)
  await expect.poll(read).toBe(8_000 * KB)
  expect(told()).toBeGreaterThan(4)
  expect(told()).toBeLessThan(100)
})

test('a reader that waits stops the writer at a window, and lets it go on', async () => {
  const { writer, reader } = await connected()
  const read = counted(reader)
  reader.pause()
  const all = written(writer, 1_000, 8 * KB)
  await expect.poll(() => writer.writableNeedsDrain).toBe(true)
  expect(read()).toBe(0)
  reader.resume()
  await all
  await expect.poll(read).toBe(8_000 * KB)
})

/** What noise has for a connection whose handshake is done, and how often its own decoder was asked. */
const secured = (decoder: object | undefined) => ({
  secureInbound: async () => ({ connection: { decoder } }),
  secureOutbound: async () => ({ connection: { decoder } }),
})

test('noise makes no error of its own for each message’s end, and reads lengths as before', async () => {
  const asked: number[] = []
  const decoder = {
    lengthDecoder: (data: Uint8Array) => {
      asked.push(data.length)
      return 7
    },
  }
  await sparingNoise(() => secured(decoder))({}).secureInbound()
  const thrown = [0, 1].map((size) => {
    try {
      return decoder.lengthDecoder(new Uint8Array(size))
    } catch (error) {
      return error
    }
  })
  // libp2p's decoder takes a RangeError, and nothing else, for "wait".
  expect(thrown[0]).toBeInstanceOf(RangeError)
  expect(thrown[1]).toBe(thrown[0])
  expect([decoder.lengthDecoder(new Uint8Array(2)), asked]).toEqual([7, [2]])
})

test('a library whose insides have other names is told of, and not used as it is', async () => {
  await expect(sparingNoise(() => secured(undefined))({}).secureOutbound()).rejects.toThrow('@libp2p/noise has changed')
  const factory = sparingYamux(() => ({ createStreamMuxer: () => ({}) }))()
  expect(() => factory.createStreamMuxer()).toThrow('@libp2p/yamux has changed')
})
