// Section 5 against client/: messages, a small world, and what the reader makes of answers about it.

import { blockCodec, certificateCodec, commandCodec, commitHash, type Header, headerCodec } from '../../client/groups/block.ts'
import type { SurfaceSpec } from '../../client/groups/machine.ts'
import { checkRoster, rosterCodec, rosterId, strength, ZEROS } from '../../client/groups/roster.ts'
import type { SurfaceState } from '../../client/groups/surface-state.ts'
import { AnswerError } from '../../client/network/light/client.ts'
import { frames } from '../../client/network/light/frame.ts'
import { type Commits, type RequestOf, type ResponseOf, requestCodec, responseCodec } from '../../client/network/light/messages.ts'
import { advance, EpochEnd } from '../../client/network/reader/advance.ts'
import { type Climb, climb, verifyCertificate, verifyHead, verifyLink } from '../../client/network/reader/opened.ts'
import type { Committee, Ground, Trusted } from '../../client/network/reader/trust.ts'
import { type Bytes, equal, toHex } from '../../client/primitives/bytes.ts'
import { bytes, type Codec, decode, encode, fixed, type Of, struct, text, vector } from '../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { frontier, frontierOf, map, RangeProof } from '../../client/proofs/index.ts'
import { hashLeaf } from '../../wasm/core.ts'
import { rootOf } from './main-blocks.ts'
import { scopeAt } from './main-keys.ts'
import {
  accepts,
  allAt,
  at,
  demand,
  demandHex,
  demandShown,
  Entry,
  expectRefusal,
  given,
  hexAt,
  type Part,
  refuses,
  roundTripHex,
} from './main-kit.ts'
import { distinct, surfaceOf } from './main-proofs.ts'
import { checkAnswer } from './main-reading.ts'
import { encodes, undecodable } from './main-types.ts'

// --- frames

async function* chunksOf(stream: Bytes, size: number): AsyncGenerator<Bytes, void, undefined> {
  for (let i = 0; i < stream.length; i += size) yield stream.slice(i, i + size)
}

const unframe = async (stream: Bytes, size: number): Promise<Bytes[]> => {
  const messages: Bytes[] = []
  for await (const message of frames(chunksOf(stream, size))) messages.push(message)
  return messages
}

const FRAMES: readonly Part[] = [
  accepts('encoding.frames.accepted', 'is a stream of its messages, in one chunk and byte by byte', async (entry) => {
    const stream = entry.hex('stream')
    for (const size of [stream.length, 1]) demandShown(await unframe(stream, size), entry.json('messages'))
  }),
  refuses('encoding.frames.refused', 'is no stream of frames', async (entry) => {
    const stream = entry.hex('stream')
    await expectRefusal(() => unframe(stream, 1))
    await unframe(stream, stream.length)
  }),
]

// --- the world

const NOTE = struct('Note', { author: fixed(20), topics: vector(text(16), 4), body: text(64) })
const topics = ({ topics: each }: Of<typeof NOTE>): Bytes[] => distinct(each.map((topic) => encode(text(16), topic)))
const NOTES: SurfaceSpec<Of<typeof NOTE>> = {
  name: 'notes',
  kind: 'vec',
  item: NOTE,
  by: [
    { name: 'topic', keys: topics },
    { name: 'author', keys: ({ author }) => [author] },
  ],
}
const FEED: SurfaceSpec<Bytes> = { name: 'feed', kind: 'vec', item: bytes(64) as Codec<Bytes>, by: [] }

const blocks = (): Entry[] => allAt('light.world.blocks')
const headerAt = (index: number): Header => (blocks()[index - 1] as Entry).of(blockCodec, 'block').header
const headersBefore = (index: number): Header[] => [
  decode(headerCodec, hexAt('light.world.genesis')),
  ...blocks()
    .slice(0, index - 1)
    .map((entry) => entry.of(blockCodec, 'block').header),
]

const groundOf = (path: string, withstand: number | null): Ground => {
  const genesis = decode(headerCodec, hexAt('light.world.genesis'))
  const roster = decode(rosterCodec, hexAt('light.world.roster'))
  const identified = { ...scopeAt(path), roster, genesis, heartbeatMs: 10_000, inputs: {} }
  return { identified, surface: 0, withstand, verify: verifyWithNoble }
}

const committeeOf = (entry: Entry, withstand: number | null = null): Committee => {
  const roster = entry.of(rosterCodec, 'roster')
  return { roster, id: entry.hex('rosterId'), needed: strength(roster.members.length, withstand) }
}

/** Surface `place` of a header is what these items make. */
const expectSurface = (header: Header, place: number, state: SurfaceState): void => {
  const surface = header.surfaces[place]
  demand(surface !== undefined && surface.size === state.frontier.size, `size of surface ${place}`)
  demandHex(frontier.rootOf(state.frontier), surface.root, `root of surface ${place}`)
  demand(surface.by.length === state.by.length, `indexes of surface ${place}`)
  for (const [i, { keys, root }] of surface.by.entries()) {
    const tree = state.by[i]
    demand(tree !== undefined && keys === BigInt(map.size(tree)), `keys of index ${i}`)
    demandHex(map.rootOf(tree), root, `root of index ${i}`)
  }
}

const expectBlock = async (entry: Entry, place: number): Promise<void> => {
  const index = place + 1
  const { header, commands } = roundTripHex(blockCodec, entry.hex('block'))
  const certificate = roundTripHex(certificateCodec, entry.hex('certificate'))
  demand(entry.big('index') === BigInt(index) && header.index === BigInt(index), 'another index')
  demandHex(commitHash(header), entry.hex('commitHash'), 'commit hash')
  demandHex(commitHash(certificate.header), entry.hex('commitHash'), 'certified')
  await verifyCertificate(groundOf('light.world', null), committeeOf(at('light.world')), certificate)
  demandHex(rootOf(commands.map((command) => encode(commandCodec, command))), header.commands, 'commands')
  const before = headersBefore(index).map(commitHash)
  demandHex(rootOf(before), header.log, 'log')
  demandHex(before.at(-1) as Bytes, header.prev, 'prev')
  demand(entry.list('notes').length + entry.list('feed').length >= 0, 'items')
  const sofar = blocks().slice(0, index)
  expectSurface(
    header,
    0,
    surfaceOf(
      NOTES,
      sofar.flatMap((each) => each.hexes('notes')),
    ),
  )
  expectSurface(
    header,
    3,
    surfaceOf(
      FEED,
      sofar.flatMap((each) => each.hexes('feed')),
    ),
  )
}

const WORLD: readonly Part[] = [
  given('light.world.network'),
  given('light.world.group'),
  given('light.world.surfaces'),
  accepts('light.world.roster', 'is admitted', (entry) => {
    checkRoster(entry.of(rosterCodec, 'value'))
  }),
  accepts('light.world.rosterId', 'is the id of the roster', (entry) => {
    const { network, group } = scopeAt('light.world')
    demandHex(rosterId(network, group, ZEROS, decode(rosterCodec, hexAt('light.world.roster'))), entry.hex('value'), 'id')
  }),
  accepts('light.world.genesis', 'is of that roster and those surfaces', (entry) => {
    const header = roundTripHex(headerCodec, entry.hex('value'))
    demandHex(header.roster, hexAt('light.world.rosterId'), 'roster')
    const declared = allAt('light.world.surfaces').map((each) => [each.text('name'), each.number('kind'), each.json('by') ?? null])
    demandShown(
      header.surfaces.map(({ name, kind, by }) => [name, kind, by.map((index) => index.name)]),
      declared,
    )
  }),
  accepts('light.world.notes', 'carries its keys', (entry) => {
    const note = entry.of(NOTE, 'item')
    for (const [i, { keys }] of NOTES.by.entries()) {
      const listed = entry.list('keys')[i]
      const expected = distinct(new Entry({ keys: listed ?? null }).hexes('keys'))
      demandShown(distinct(keys(note)), expected.map(toHex))
    }
  }),
  accepts('light.world.blocks', 'is certified, stands on those before, and appends what it says', expectBlock),
]

// --- prove, open, watch

const requestOf = <K extends 'prove' | 'open' | 'watch'>(entry: Entry, kind: K): RequestOf<K> => {
  const request = entry.of(requestCodec, 'request')
  if (request.kind !== kind) throw new Error(`a ${request.kind}, not a ${kind}`)
  return request.value as RequestOf<K>
}

const responseOf = <K extends 'proven' | 'opened' | 'commits'>(entry: Entry, kind: K, name = 'response'): ResponseOf<K> => {
  const response = entry.of(responseCodec, name)
  if (response.kind !== kind) throw new Error(`a ${response.kind}, not a ${kind}`)
  return response.value as ResponseOf<K>
}

const prove = (entry: Entry): void => {
  const { queries, at: index } = requestOf(entry, 'prove')
  demand(index === BigInt(entry.number('at')), 'asked at another block')
  const { answers } = responseOf(entry, 'proven')
  if (answers.length !== queries.length) throw new AnswerError(`${answers.length} answers to ${queries.length} queries`)
  const keysOf = (by: number, item: Bytes): readonly Bytes[] => NOTES.by[by]?.keys(decode(NOTE, item)) ?? []
  for (const [i, query] of queries.entries()) {
    if (entry.has('query')) demand(query.kind === entry.text('query'), 'another query')
    checkAnswer(headerAt(Number(index)), query, answers[i] as (typeof answers)[number], keysOf)
  }
}

/** As `open` in client/network/reader/sync.ts does it, for one answer. */
const open = async (entry: Entry): Promise<Climb> => {
  const { known, withstand } = requestOf(entry, 'open')
  const { steps, more, head, links } = responseOf(entry, 'opened')
  const ground = groundOf('light.open', withstand)
  let climbed: Climb = { committee: committeeOf(entry, withstand), last: null }
  for (const step of steps) climbed = await climb(ground, climbed, step)
  demand(!more, 'no exchange of these asks again')
  if (links.length !== known.length) throw new AnswerError(`${links.length} links for ${known.length} known heads`)
  const sealed = await verifyHead(ground, climbed, head)
  for (const [i, { index, hash }] of known.entries()) {
    // The protocol lets a server hold no proof; our reader leaves one that cannot link its head to what is known already.
    if (links[i] === null && index < sealed.header.index) continue
    verifyLink({ header: { ...sealed.header, index }, commit: hash, seal: null } as unknown as Trusted, sealed, links[i])
  }
  return climbed
}

const edgesAt = (path: string): Map<number, Entry> => new Map(allAt(path).map((row) => [row.number('surface'), row]))

/** The reader follows one surface at a time: an answer about two is two answers about one. */
const only = (commits: Commits, place: number): Commits => ({
  ...commits,
  appended: commits.appended.map((lists) => lists.slice(place, place + 1)),
})

const startOf = (surface: number): Trusted => {
  const from = at('light.watch').number('from')
  const header = headerAt(from)
  const committee = committeeOf(at('light.world'))
  const edge = frontierOf((edgesAt('light.watch.edges').get(surface) as Entry).of(RangeProof, 'proof'))
  const leaves = headersBefore(from).map((each) => hashLeaf(commitHash(each)))
  return {
    header,
    commit: commitHash(header),
    seal: null,
    committee,
    next: committee,
    steps: [],
    edge,
    log: frontier.append(frontier.emptyFrontier, leaves),
  }
}

const watched = () => requestOf(at('light.watch'), 'watch').surfaces

const take = async (trusted: Trusted, surface: number, place: number, commits: Commits): Promise<Trusted> => {
  const ground = { ...groundOf('light.world', requestOf(at('light.watch'), 'watch').withstand), surface }
  return (await advance(ground, trusted, only(commits, place))).trusted
}

/** The edge of one surface after the first `count` responses. */
const follow = async (surface: number, place: number, count: number): Promise<Trusted> => {
  let trusted = startOf(surface)
  for (const response of allAt('light.watch.responses').slice(0, count)) {
    trusted = await take(trusted, surface, place, responseOf(response, 'commits', 'value'))
  }
  return trusted
}

const refusedCommits = async (entry: Entry): Promise<void> => {
  const commits = responseOf(entry, 'commits')
  for (const [place, surface] of watched().entries()) {
    try {
      await take(startOf(surface), surface, place, commits)
    } catch (error) {
      // Blocks of another committee are taken by nobody who has not been led to it: the reader opens again.
      if (error instanceof EpochEnd) throw new AnswerError('the end of an epoch')
      throw error
    }
  }
}

const EXCHANGES: readonly Part[] = [
  accepts('light.prove.accepted', 'GAP-18 is proven by its answer', prove),
  refuses('light.prove.refused', 'GAP-18 TAL-07 proves nothing', prove),
  given('light.open.network'),
  given('light.open.group'),
  accepts('light.open.accepted', 'GAP-18 leads to the committee of the head', async (entry) => {
    demandHex((await open(entry)).committee.id, entry.hex('head'), 'head')
  }),
  refuses('light.open.refused', 'GAP-18 leads nowhere', open),
  accepts('light.watch.request', 'asks for the block after the first edge', (entry) => {
    roundTripHex(requestCodec, entry.hex('value'))
    const { from, surfaces } = requestOf(at('light.watch'), 'watch')
    demand(from === BigInt(at('light.watch').number('from')) + 1n, 'another block')
    demand(
      surfaces.every((surface) => edgesAt('light.watch.edges').has(surface)),
      'an edge for each surface',
    )
  }),
  given('light.watch.from'),
  accepts('light.watch.edges', 'is the right edge of its surface', (entry) => {
    const edge = frontierOf(entry.of(RangeProof, 'proof'))
    demand(edge.size === entry.big('size'), 'another size')
    const surface = headerAt(at('light.watch').number('from')).surfaces[entry.number('surface')]
    demand(surface !== undefined && equal(frontier.rootOf(edge), surface.root), 'another root')
  }),
  accepts('light.watch.responses', 'GAP-18 is taken for each surface', async (entry, count) => {
    demand(entry.text('value').length > 0, 'commits')
    for (const [place, surface] of watched().entries()) await follow(surface, place, count + 1)
  }),
  accepts('light.watch.edgesAfter', 'is where the responses lead', async (entry) => {
    const surface = entry.number('surface')
    const { edge } = await follow(surface, watched().indexOf(surface), allAt('light.watch.responses').length)
    const proof = { size: edge.size, from: edge.size, to: edge.size, left: edge.edge, right: [] }
    demand(edge.size === entry.big('size'), 'another size')
    demandHex(encode(RangeProof, proof), entry.hex('proof'), 'edge')
  }),
  refuses('light.watch.refused', 'GAP-18 is taken for no surface', refusedCommits),
]

export const LIGHT: readonly Part[] = [
  ...FRAMES,
  encodes('light.requests', requestCodec),
  encodes('light.responses', responseCodec),
  undecodable('light.refused'),
  ...WORLD,
  ...EXCHANGES,
]
