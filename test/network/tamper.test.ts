import { createPublicKey, verify as edVerify } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { commitHash, type Header, type Seal } from '../../client/groups/block.ts'
import type { Link } from '../../client/network/host.ts'
import { watch } from '../../client/network/light/client.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { advance } from '../../client/network/reader/advance.ts'
import { fetchBlob, fetchItem, fetchPage, fetchRun } from '../../client/network/reader/questions.ts'
import { StallError } from '../../client/network/reader/state.ts'
import { fetchLogEdge, type Session, sync } from '../../client/network/reader/sync.ts'
import { type Ground, type Trusted, trustGenesis } from '../../client/network/reader/trust.ts'
import { scope } from '../../client/network/scope.ts'
import { type Bytes, utf8 } from '../../client/primitives/bytes.ts'
import { decode } from '../../client/primitives/codec.ts'
import type { Verify } from '../../client/primitives/ed25519.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { frontier } from '../../client/proofs/index.ts'
import { hash, hashLeaves } from '../../wasm/core.ts'
import { Chain, seats } from './chain.ts'
import { blobOf, identify, note, noteCodec, person, SPECS } from './notes.ts'
import { streamPair, World } from './world.ts'

// ISSUE "Must show": a changed byte in each message of light/1 fails a named check or a bounded decode. Here it is every byte of every
// message, its length included, one bit at a time, against the functions that a reader's trust is made of.

/** What a refusal may be called. An error of any other name would be an accident. */
const NAMED = new Set([
  'Network.CheckError',
  'Codec.DecodeError',
  'Light.FrameError',
  'Light.AnswerError',
  'Light.ServerError',
  'Light.TimeoutError',
  'Network.StallError',
])

// OpenSSL instead of @noble/curves: a flipped bit is refused by either, and here it is refused ten thousand times.
const verify: Verify = async (signature, message, key) =>
  edVerify(
    null,
    message,
    createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]), format: 'der', type: 'spki' }),
    signature,
  )

const world = new World()
const host = world.host()
const chain = new Chain(seats(1))
const four = new Chain(seats(4))
const keysOf = (item: Bytes) => SPECS[0]?.by[0]?.keys(decode(noteCodec, item) as never) ?? []

interface Case {
  readonly ground: Ground
  readonly genesis: Trusted
  readonly chain: Chain
  /** A head further down, and the newest. */
  readonly earlier: Trusted
  readonly trusted: Trusted
}
const cases: Record<'one' | 'many', Case> = {} as never

beforeAll(async () => {
  for (let i = 0; i < 9; i++) chain.commit([note(`n${i}`, i % 2, 9)])
  for (let i = 0; i < 3; i++) four.commit([note(`n${i}`, 1)])
  four.commit([], { next: seats(4, 1) })
  for (let i = 0; i < 3; i++) four.commit([note(`m${i}`, 1)])
  for (const [name, history] of [
    ['one', chain],
    ['many', four],
  ] as const) {
    const ground: Ground = { identified: identify(UNIVERSE, { roster: history.roster }), surface: 0, withstand: null, verify }
    const genesis = trustGenesis(ground)
    const session = { host, link: linkTo(history, (chunk) => chunk), signal: new AbortController().signal }
    const { trusted } = await sync(ground, session, genesis)
    // As the reader stood four blocks ago.
    const index = history.headers.length - 5
    const [header, seal] = [history.headers[index] as Header, history.seals[index] as Seal]
    const items = history.items.slice(0, Number(history.sizes[index]))
    const { committee } = trusted
    const earlier = {
      header,
      seal,
      commit: commitHash(header),
      committee,
      next: committee,
      steps: [],
      edge: frontier.append(frontier.emptyFrontier, hashLeaves(items)),
      log: null,
    }
    cases[name] = { ground, genesis, chain: history, trusted, earlier }
  }
})

/** A link whose server is honest and whose bytes pass through `change`: the n-th frame of the link is frame n. */
const linkTo = (history: Chain, change: (chunk: Bytes, frame: number) => Bytes): Link => {
  const handler = serveLight(() => [history.source()], host)
  let frame = 0
  return {
    peer: new Uint8Array(32),
    address: 'test',
    bytes: { received: 0, sent: 0 },
    closed: new AbortController().signal,
    close: async () => {},
    stream: async () => {
      const { client, server } = streamPair((chunk) => change(chunk, frame++))
      void handler(server, new Uint8Array(32))
      return client
    },
  }
}

type Ask = (session: Session, at: Case) => Promise<unknown>

const run = (ask: Ask, at: Case, change: (chunk: Bytes, frame: number) => Bytes): Promise<unknown> => {
  const controller = new AbortController()
  return world.run(ask({ host, link: linkTo(at.chain, change), signal: controller.signal }, at)).finally(() => controller.abort())
}

/** Flips one bit of byte `at` in frame `which`; the place of the bit walks with the byte, so all eight are met. */
const flip =
  (which: number, at: number, bit = (at * 3) % 8) =>
  (chunk: Bytes, frame: number) =>
    frame === which ? chunk.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte)) : chunk

const open: Ask = (session, { ground, genesis }) => sync(ground, session, genesis)
const reopen: Ask = async (session, { ground, earlier }) => {
  const { shown } = await sync(ground, session, earlier)
  if (shown < earlier.header.index) throw new StallError('behind')
}
const block: Ask = (session, at) => firstCommits(session, at, at.genesis)
const blockWithoutLog: Ask = (session, at) => firstCommits(session, at, { ...at.genesis, log: null })
const firstCommits = async (session: Session, { ground }: Case, from: Trusted): Promise<unknown> => {
  // A frame that never becomes whole is waited for no longer than a reader does (follow.ts).
  const own = scope(session.signal)
  const cancel = host.after(6_000, () => own.abort(new StallError('it shows no new block')))
  // From genesis: the watch shows the whole history, and the last seal vouches for all of it.
  const request = { group: ground.identified.group, surfaces: [0], from: 1n, withstand: null }
  try {
    for await (const message of watch(session.link, request, own))
      if (message.kind === 'commits') return await advance(ground, from, message.value)
    throw new Error('no commits')
  } finally {
    cancel()
  }
}

/** Message, committee, its number among the frames, every how many bytes (more than one where it is long), and the question. */
const MESSAGES: readonly (readonly [string, 'one' | 'many', number, number, Ask])[] = [
  ['opened: header, seal and links', 'one', 0, 1, open],
  ['opened: four members, an epoch step', 'many', 0, 5, open],
  ['proven: the newest item and the right edge', 'one', 1, 1, open],
  ['opened: a link to the head known before', 'one', 0, 1, reopen],
  ['proven: the newest item and what the surface grew from', 'one', 1, 1, reopen],
  ['proven: header with its log proof', 'one', 0, 1, (session, { ground, trusted }) => fetchLogEdge(ground, session, trusted)],
  ['proven: item', 'one', 0, 1, (session, { ground, trusted }) => fetchItem(ground, session, trusted, 4n)],
  ['proven: range', 'one', 0, 1, (session, { ground, trusted }) => fetchPage(ground, session, trusted, 2n, 5n)],
  [
    'proven: tail of a bucket, index runs',
    'one',
    0,
    1,
    (session, { ground, trusted }) => fetchRun(ground, session, trusted, { by: 0, key: person(1), bits: 0, keysOf }),
  ],
  [
    'proven: tail of one key',
    'one',
    0,
    1,
    (session, { ground, trusted }) => fetchRun(ground, session, trusted, { by: 0, key: person(9), bits: 256, keysOf }),
  ],
  [
    'proven: absence of a key',
    'one',
    0,
    1,
    (session, { ground, trusted }) => fetchRun(ground, session, trusted, { by: 0, key: person(77), bits: 256, keysOf }),
  ],
  ['commits: nine headers, seal and items', 'one', 0, 3, block],
  ['commits, before the log’s right edge is known', 'one', 0, 7, blockWithoutLog],
  ['blob', 'one', 0, 1, (session) => fetchBlob(session, hash(blobOf('n3')))],
]

test.each(MESSAGES)(
  'a flipped bit in any byte of %s is refused by name',
  async (_, which, frame, stride, ask) => {
    const at = cases[which]
    let length = 0
    await run(ask, at, (chunk, n) => {
      if (n === frame) length = chunk.length
      return chunk
    })
    expect(length).toBeGreaterThan(10)
    const passed: number[] = []
    const unnamed: string[] = []
    for (let byte = 0; byte < length; byte += stride) {
      const outcome = await run(ask, at, flip(frame, byte)).then(
        () => 'passed',
        (error: Error) => (NAMED.has(error.name) ? error.name : `${error.name}: ${error.message}`),
      )
      if (outcome === 'passed') passed.push(byte)
      else if (!NAMED.has(outcome)) unnamed.push(`${outcome} at ${byte}`)
    }
    expect({ passed, unnamed }).toEqual({ passed: [], unnamed: [] })
  },
  60_000,
)

test.each(MESSAGES)('a cut, and a byte too many, in %s are refused by name', async (_, which, frame, _stride, ask) => {
  const at = cases[which]
  for (const change of [
    (chunk: Bytes) => chunk.slice(0, -1),
    (chunk: Bytes) => chunk.slice(0, 2),
    (chunk: Bytes) => new Uint8Array([...chunk, 0]),
  ]) {
    const outcome = await run(ask, at, (chunk, n) => (n === frame ? change(chunk) : chunk)).then(
      () => 'passed',
      (error: Error) => error.name,
    )
    // What comes after a whole answer was not asked for and is not read.
    if (change(utf8('1234')).length < 4) expect(NAMED).toContain(outcome)
  }
})

test('the light protocol has one name', () => {
  expect(LIGHT_PROTOCOL).toBe('/coalition/light/1')
})
