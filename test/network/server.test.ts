import { expect, test } from 'vitest'
import type { ByteStream } from '../../client/network/host.ts'
import { frame, frames } from '../../client/network/light/frame.ts'
import { LIGHT_LIMITS, type Request, type Response, requestCodec, responseCodec } from '../../client/network/light/messages.ts'
import type { Query } from '../../client/network/light/queries.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { type Bytes, equal } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { pathOf } from '../../client/proofs/index.ts'
import { hash } from '../../wasm/core.ts'
import { Chain, seats } from './chain.ts'
import { blobOf, GROUP, note, person } from './notes.ts'
import { streamPair, World } from './world.ts'

const PEER = new Uint8Array(32).fill(1)

const serverOf = (chain: Chain, world = new World()) => {
  const handler = serveLight(() => [chain.source()], world.host())
  /** A stream as a stranger opens it: raw bytes up, responses down. */
  const connect = (peer = PEER) => {
    const { client, server, down } = streamPair()
    const served = handler(server, peer)
    const replies = frames(client.chunks)
    const reply = async (): Promise<Response | null> => {
      const next = await world.run(replies.next())
      return next.done ? null : decode(responseCodec, next.value)
    }
    const send = (request: Request): Promise<void> => world.run(client.write(frame(encode(requestCodec, request))))
    return { client, served, reply, send, down }
  }
  const ask = async (request: Request): Promise<Response | null> => {
    const { send, reply } = connect()
    await send(request)
    return reply()
  }
  return { world, connect, ask }
}

const history = (blocks: number, size = 10): Chain => {
  const chain = new Chain(seats(1))
  for (let i = 0; i < blocks; i++) chain.commit([note(`${i} ${'x'.repeat(size)}`, i % 3)])
  return chain
}
const prove = (at: bigint, ...queries: Query[]): Request => ({ kind: 'prove', value: { group: GROUP, at, queries } })
const watch = (from: bigint, credit: number): Request => ({
  kind: 'watch',
  value: { group: GROUP, surfaces: [0], from, withstand: null, credit },
})
const code = (response: Response | null): unknown =>
  response?.kind === 'error' ? [response.value.code, response.value.have] : response?.kind

test('docs/wire.md 5: hello names what is served, the limits and the time', async () => {
  const { ask, world } = serverOf(history(3))
  const other = new Uint8Array(32)
  expect(await ask({ kind: 'hello', value: { versions: [1, 9], groups: [other, GROUP] } })).toEqual({
    kind: 'hello',
    value: {
      version: 1,
      limits: { frame: 1_048_576, streams: 32, watches: 8, unaryMs: 30_000 },
      timeMs: BigInt(world.now),
      served: [{ group: new Uint8Array(GROUP), oldest: 0n, newest: 3n, held: 0n }],
    },
  })
  expect(code(await ask({ kind: 'hello', value: { versions: [2], groups: [] } }))).toEqual([8, 1n])
})

test('docs/wire.md 5: errors say what is wrong and what there is', async () => {
  const chain = history(5)
  chain.oldestHeld = 3n
  const { ask } = serverOf(chain)
  const stranger = new Uint8Array(32)
  const item = (position: bigint, surface = 0): Query => ({ kind: 'item', value: { surface, position } })
  expect(code(await ask({ kind: 'open', value: { group: stranger, fromEpoch: 0, known: [], withstand: null } }))).toEqual([1, 0n])
  expect(code(await ask(prove(9n, item(0n))))).toEqual([2, 5n])
  expect(code(await ask(prove(2n, item(0n))))).toEqual([3, 3n])
  expect(code(await ask({ kind: 'blob', value: { hash: stranger, offset: 0n } }))).toEqual([3, 0n])
  for (const query of [
    item(5n),
    item(0n, 1),
    { kind: 'range', value: { surface: 0, from: 3n, to: 2n } },
    { kind: 'range', value: { surface: 0, from: 0n, to: 6n } },
    { kind: 'key', value: { surface: 0, key: person(1) } },
    { kind: 'prefix', value: { surface: 0, bits: 0, path: stranger } },
    { kind: 'tail', value: { surface: 0, by: 7, bits: 0, path: stranger, have: [], upto: [], max: 1 } },
    { kind: 'header', value: { index: 5n } },
    {
      kind: 'tail',
      value: { surface: 0, by: 0, bits: 256, path: pathOf(person(1)), have: [], upto: [{ path: pathOf(person(1)), count: 9n }], max: 1 },
    },
  ] satisfies Query[])
    expect(code(await ask(prove(5n, query)))).toEqual([7, 0n])
  const empty = serverOf(history(0))
  expect(code(await empty.ask({ kind: 'open', value: { group: GROUP, fromEpoch: 0, known: [], withstand: null } }))).toEqual([2, 0n])
  expect(code(await ask(watch(0n, 1)))).toEqual([7, 0n])
})

test.each([
  ['no request', new Uint8Array(0)],
  ['a length that is none', Uint8Array.of(0x80, 0x00)],
  ['a frame cut short', Uint8Array.of(9, 0)],
  ['bytes that are no request', frame(Uint8Array.of(99, 1, 2, 3))],
  ['a credit outside of a watch', frame(encode(requestCodec, { kind: 'credit', value: { n: 1 } }))],
])('PROTOCOL 3: %s costs its sender the stream, with an error 7', async (_, bytes) => {
  const { connect, world, ask } = serverOf(history(2))
  const { client, served, reply } = connect()
  await world.run(client.write(bytes))
  await client.finish()
  expect(code(await reply())).toEqual([7, 0n])
  expect(await reply()).toBeNull()
  await world.run(served)
  // Nobody else notices.
  expect(code(await ask(prove(2n, { kind: 'item', value: { surface: 0, position: 0n } })))).toBe('proven')
})

test('docs/wire.md 5: 32 streams and 8 watches a peer, and another peer has its own', async () => {
  const { connect, world } = serverOf(history(2))
  const watches = Array.from({ length: 9 }, () => connect())
  for (const { send } of watches) await send(watch(3n, 1))
  expect(code((await (watches[8] as (typeof watches)[number]).reply()) ?? null)).toEqual([6, 0n])
  const idle = Array.from({ length: 24 }, () => connect())
  await world.settle()
  expect(code(await connect().reply())).toEqual([6, 0n])
  const { send, reply } = connect(new Uint8Array(32).fill(2))
  await send({ kind: 'hello', value: { versions: [1], groups: [] } })
  expect(code(await reply())).toBe('hello')
  // A stream that is done with makes room.
  for (const { client } of idle) client.abort(new Error('enough'))
  await Promise.all(idle.map(({ served }) => world.run(served)))
  expect(
    await (async () => {
      const again = connect()
      await again.send({ kind: 'hello', value: { versions: [1], groups: [] } })
      return code(await again.reply())
    })(),
  ).toBe('hello')
})

test('docs/wire.md 5: a stream that says nothing, or does not read, is ended after 30 s', async () => {
  const { connect, world } = serverOf(history(40, 90_000))
  const mute = connect()
  const deaf = connect()
  await deaf.send(prove(40n, { kind: 'range', value: { surface: 0, from: 0n, to: 40n } }))
  const started = world.now
  await world.run(mute.served)
  await world.run(deaf.served)
  expect(world.now - started).toBe(LIGHT_LIMITS.unaryMs)
})

test('docs/wire.md 5: a range is cut to a frame, and at least one item comes', async () => {
  const { ask } = serverOf(history(30, 90_000))
  let from = 0n
  for (let pages = 0; from < 30n; pages++) {
    const response = await ask(prove(30n, { kind: 'range', value: { surface: 0, from, to: 30n } }))
    const [answer] = response?.kind === 'proven' ? response.value.answers : []
    if (answer?.kind !== 'range') throw new Error('no range')
    expect([answer.value.proof.from, answer.value.proof.to]).toEqual([from, from + BigInt(answer.value.items.length)])
    expect(answer.value.items.length).toBeGreaterThan(0)
    from = answer.value.proof.to
    expect(pages).toBeLessThan(4)
  }
})

test('docs/wire.md 5 Run: a tail is cut to a frame, the newest of every key kept; have, upto and max are kept to', async () => {
  const chain = history(30, 90_000)
  const { ask } = serverOf(chain)
  const tail = async (change: object) => {
    const response = await ask(
      prove(30n, {
        kind: 'tail',
        value: { surface: 0, by: 0, bits: 0, path: new Uint8Array(32), have: [], upto: [], max: 65_535, ...change },
      }),
    )
    const [answer] = response?.kind === 'proven' ? response.value.answers : []
    if (answer?.kind !== 'tail') throw new Error(`no tail: ${String(code(response))}`)
    return answer.value.runs.map(({ start, count, positions }) => ({ start, count, positions, key: 0 }))
  }
  const cut = await tail({})
  // Eleven items of 90 kB fit; each of the three keys has its newest ones.
  for (const { start, count, positions } of cut) {
    expect(positions.length).toBeGreaterThanOrEqual(3)
    expect([start + BigInt(positions.length), count]).toEqual([10n, 10n])
    expect(positions.at(-1)).toBeGreaterThanOrEqual(27n)
  }
  const path = pathOf(person(1))
  expect((await tail({ max: 2 })).map(({ positions }) => positions.length)).toEqual([2, 2, 2])
  expect(await tail({ bits: 256, path, max: 2, upto: [{ path, count: 5n }] })).toEqual([
    { start: 3n, count: 10n, positions: [10n, 13n], key: 0 },
  ])
  expect(await tail({ bits: 256, path, have: [{ path, count: 8n }] })).toEqual([{ start: 8n, count: 10n, positions: [25n, 28n], key: 0 }])
  expect(await tail({ bits: 256, path, upto: [{ path, count: 0n }] })).toEqual([{ start: 0n, count: 10n, positions: [], key: 0 }])
  expect(await tail({ max: 0 })).toEqual(cut.map(({ count }) => ({ start: count, count, positions: [], key: 0 })))
})

test('docs/wire.md 5: a blob in pages', async () => {
  const chain = history(1, 90_000)
  const wanted = blobOf(`0 ${'x'.repeat(90_000)}`)
  chain.blobs.set([...hash(wanted)].map((byte) => byte.toString(16).padStart(2, '0')).join(''), wanted)
  const { ask } = serverOf(chain)
  const page = await ask({ kind: 'blob', value: { hash: hash(wanted), offset: 90_000n } })
  expect(page).toEqual({ kind: 'blob', value: { total: BigInt(wanted.length), bytes: wanted.slice(90_000) } })
  expect(code(await ask({ kind: 'blob', value: { hash: hash(wanted), offset: 900_000n } }))).toEqual([7, 0n])
})

const next = async (stream: { readonly reply: () => Promise<Response | null> }): Promise<bigint[] | string> => {
  const response = await stream.reply()
  return response?.kind === 'commits' ? response.value.headers.map(({ index }) => index) : `${response?.kind}`
}

test('PROTOCOL 3 Watch: catches up in frames of at most 64 blocks, then sends each block, one credit a frame', async () => {
  const chain = history(100)
  const { connect, world } = serverOf(chain)
  const stream = connect()
  await stream.send(watch(1n, 3))
  expect((await next(stream)).length).toBe(64)
  expect((await next(stream)).length).toBe(36)
  chain.commit([])
  expect(await next(stream)).toEqual([101n])
  // Without credit nothing is sent; with it, all that has come meanwhile is.
  chain.commit([])
  chain.commit([])
  await world.advance(5_000)
  expect(stream.down.size).toBe(0)
  await stream.send({ kind: 'credit', value: { n: 1 } })
  expect(await next(stream)).toEqual([102n, 103n])
})

test('PROTOCOL 3 Watch: a block that only a later one seals comes with it, and a handover ends a frame', async () => {
  const chain = history(3)
  chain.commit([], { unsealed: true })
  chain.commit([])
  chain.commit([], { next: seats(1, 1) })
  chain.commit([])
  const { connect } = serverOf(chain)
  const stream = connect()
  await stream.send(watch(4n, 9))
  expect(await next(stream)).toEqual([4n, 5n, 6n])
  expect(await next(stream)).toEqual([7n])
})

test('PROTOCOL 3 Watch: Gap for blocks no longer held and for more than 1,024 behind', async () => {
  const chain = history(1_100)
  const { connect } = serverOf(chain)
  const gapOf = async (from: bigint) => {
    const stream = connect()
    await stream.send(watch(from, 1))
    return stream.reply()
  }
  expect(await gapOf(76n)).toEqual({ kind: 'gap', value: { next: 77n } })
  expect(code(await gapOf(77n))).toBe('commits')
  chain.oldest = 500n
  expect(await gapOf(77n)).toEqual({ kind: 'gap', value: { next: 500n } })
})

test('PROTOCOL 3 Watch: watchers of the tip share one encoding, and a slow one holds up nobody and nothing', async () => {
  const chain = history(1)
  const source = chain.source()
  let made = 0
  const appended = (index: bigint) => {
    made += 1
    return source.appended(index)
  }
  const counted = { ...source, appended }
  const world = new World()
  const handler = serveLight(() => [counted], world.host())
  const open = async (
    peer: number,
  ): Promise<{ readonly client: ByteStream; readonly down: { peak: number }; readonly take: () => Promise<Bytes> }> => {
    const { client, server, down } = streamPair()
    void handler(server, new Uint8Array(32).fill(peer))
    await world.run(client.write(frame(encode(requestCodec, watch(2n, 1_000)))))
    const replies = frames(client.chunks)
    return { client, down, take: async () => (await world.run(replies.next())).value as Bytes }
  }
  const [slow, ...fast] = await Promise.all(Array.from({ length: 6 }, (_, i) => open(i + 1)))
  for (let i = 0; i < 20; i++) {
    chain.commit([note(`${i} ${'y'.repeat(90_000)}`, 1)])
    const taken = await Promise.all(fast.map(({ take }) => take()))
    for (const bytes of taken) expect(equal(bytes, taken[0] as Bytes)).toBe(true)
  }
  expect(made).toBe(20)
  // The slow one was written one frame, and holds no other.
  expect(slow?.down.peak).toBeLessThan(100_000)
})
