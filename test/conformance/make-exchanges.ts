// Section 5: what a reader does with an answer. Exchanges against the headers of a small world, an `open` across a change of members,
// a watch; and answers that an honest server never gives.

import { decode } from './bcs.ts'
import { Block, Certificate, commitHash, Header } from './blocks.ts'
import { Roster } from './committee.ts'
import { at, type Bytes, bytesOf, hex, join, zeros } from './hash.ts'
import { hexOf, type Row, type Signers, sealOf, upTo } from './kit.ts'
import { type Answer, type Commits, type Opened, type Query, Request, Response } from './light.ts'
import { ruleOf } from './make-keys.ts'
import { queries } from './make-light.ts'
import { checkAnswer, checkCommits, checkOpened, type Reader, type Watcher } from './reading.ts'
import { answerTo, appendedOf, hashAt, openedAt } from './serve.ts'
import { proveRange, RangeProof } from './tree.ts'
import { BENCH_SURFACES, builtAt, keyedNotes, Note, noteItems, topicKey, type World } from './world.ts'

const HEAD = 10

export const noteKeysOf = (by: number, item: Bytes): Bytes[] => {
  const note = decode(Note, item)
  return by === 0 ? note.topics.map(topicKey) : [note.author]
}

const readerAt = (world: World, index: number): Reader => ({
  header: builtAt(world, index).header,
  keysOf: (_, by, item) => noteKeysOf(by, item),
  continued: () => null,
})

function worldRow(world: World): Row {
  const first = builtAt(world, 1).group
  const last = at(world.built, world.built.length - 1)
  return {
    network: hex(world.scope.network),
    group: hex(world.scope.group),
    roster: hexOf(Roster, first.roster),
    rosterId: hex(first.id),
    surfaces: BENCH_SURFACES.map((surface) => ({ ...surface, by: [...surface.by] })),
    genesis: hexOf(Header, world.genesis),
    notes: noteItems(last.state).map((item, i) => ({
      item: hex(item),
      keys: [0, 1].map((by) => at(keyedNotes(last.state, by), i).keys.map(hex)),
    })),
    blocks: world.built.map((built) => ({
      index: built.header.index.toString(),
      commitHash: hex(built.hash),
      block: hexOf(Block, built.block),
      certificate: hexOf(Certificate, built.certificate),
      notes: built.added.notes.map((note) => hexOf(Note, note)),
      feed: built.added.feed.map(hex),
    })),
  }
}

// --- prove

const request = (world: World, index: number, asked: Query[]): string =>
  hexOf(Request, { is: 'prove', value: { group: world.scope.group, at: BigInt(index), queries: asked } })

function exchanges(world: World): Row[] {
  return [HEAD, 6].flatMap((index) =>
    queries().flatMap((query, i) => {
      if (index !== HEAD && (i % 3 !== 0 || query.is === 'commands' || query.is === 'header' || query.is === 'range')) return []
      const answer = answerTo(world, index, query)
      checkAnswer(query, answer, readerAt(world, index))
      return [{ at: index, query: query.is, request: request(world, index, [query]), response: hexOf(Response, proven(answer)) }]
    }),
  )
}

const proven = (...answers: Answer[]): Response => ({ is: 'proven', value: { answers } })

function refusedExchanges(world: World): Row[] {
  const rows: Row[] = []
  const add = (why: string, query: Query, answer: Answer) => {
    const rule = ruleOf(() => checkAnswer(query, answer, readerAt(world, HEAD)))
    rows.push({ rule, why, at: HEAD, request: request(world, HEAD, [query]), response: hexOf(Response, proven(answer)) })
  }
  const honest = (query: Query, index = HEAD): Answer => answerTo(world, index, query)
  const item: Query = { is: 'item', value: { surface: 0, position: 4n } }
  const range: Query = { is: 'range', value: { surface: 0, from: 2n, to: 5n } }
  const key: Query = { is: 'key', value: { surface: 1, key: topicNameOf(3) } }
  const nobody: Query = { is: 'key', value: { surface: 1, key: join(Uint8Array.of(6), 'nobody') } }
  const prefix: Query = { is: 'prefix', value: { surface: 1, bits: 0, path: zeros(32) } }
  const header: Query = { is: 'header', value: { index: 7n } }
  const commands: Query = { is: 'commands', value: { index: 8n } }

  add('the item of another position, with its own proof', item, honest({ is: 'item', value: { surface: 0, position: 5n } }))
  add('the item of another surface', item, honest({ is: 'item', value: { surface: 3, position: 4n } }))
  add('an item proven against an older header', item, honest(item, 6))
  add('an item of a map', { is: 'item', value: { surface: 1, position: 4n } }, honest(item))
  add('an item of a surface that the header does not have', { is: 'item', value: { surface: 4, position: 4n } }, honest(item))
  add('an answer of another variant', item, honest(range))
  add('a range that starts later', range, honest({ is: 'range', value: { surface: 0, from: 3n, to: 5n } }))
  add('a range that goes on past what was asked', range, honest({ is: 'range', value: { surface: 0, from: 2n, to: 6n } }))
  const ranged = honest(range)
  if (ranged.is === 'range') {
    add('a range without its last item', range, { ...ranged, value: { ...ranged.value, items: ranged.value.items.slice(0, -1) } })
  }
  const keyed = honest(key)
  const absent = honest(nobody)
  if (keyed.is !== 'key' || absent.is !== 'key') throw new Error('key answers')
  add('a value is withheld, its proof shows presence', key, { is: 'key', value: { ...keyed.value, value: null } })
  add('another value', key, { is: 'key', value: { ...keyed.value, value: zeros(8) } })
  add('the value of a key that is not there', nobody, { is: 'key', value: { ...absent.value, value: zeros(8) } })
  add('the answer for another key', key, absent)
  add('a key as of an older header', key, honest(key, 1))
  add('a key of a vec', { is: 'key', value: { surface: 0, key: zeros(20) } }, keyed)
  const all = honest(prefix)
  if (all.is !== 'prefix') throw new Error('a prefix answer')
  const entries = all.value.entries
  const withEntries = (changed: typeof entries): Answer => ({ is: 'prefix', value: { ...all.value, entries: changed } })
  add('an entry of the prefix is missing', prefix, withEntries(entries.slice(1)))
  add('two entries are swapped', prefix, withEntries([at(entries, 1), at(entries, 0), ...entries.slice(2)]))
  add('an entry with another value', prefix, withEntries(entries.map((entry, i) => (i === 2 ? { ...entry, value: zeros(8) } : entry))))
  add('an entry with another key', prefix, withEntries(entries.map((entry, i) => (i === 2 ? { ...entry, key: zeros(2) } : entry))))
  add('a prefix of 33 bits', { is: 'prefix', value: { surface: 1, bits: 33, path: zeros(32) } }, all)
  add('a prefix path with a bit past its bits', { is: 'prefix', value: { surface: 1, bits: 0, path: bytesOf('path', 32) } }, all)
  const tail = queries().find((query) => query.is === 'tail')
  if (tail === undefined || tail.is !== 'tail') throw new Error('a tail query')
  add('a tail proven under the other index', { is: 'tail', value: { ...tail.value, by: 1 } }, honest(tail))
  add('an index that the surface does not have', { is: 'tail', value: { ...tail.value, by: 2 } }, honest(tail))
  add('a tail as of an older header', tail, honest(tail, 6))
  add('another header', header, honest({ is: 'header', value: { index: 6n } }))
  const logged = honest(header)
  if (logged.is !== 'header') throw new Error('a header answer')
  add('a header with one field changed', header, {
    is: 'header',
    value: { ...logged.value, header: { ...logged.value.header, time_ms: 1n } },
  })
  add('the log of an older header', header, honest(header, 9))
  const held = honest(commands)
  if (held.is !== 'commands') throw new Error('a commands answer')
  const list = held.value.commands
  add('a command is missing', commands, { is: 'commands', value: { ...held.value, commands: list.slice(1) } })
  add('two commands are swapped', commands, { is: 'commands', value: { ...held.value, commands: [...list].reverse() } })
  return rows
}

/** canonical("name i"), a key of the world's map. */
const topicNameOf = (i: number): Bytes => join(Uint8Array.of(6), `name ${i}`)

// --- open

function opens(world: World): Row {
  const first = builtAt(world, 1).group
  const second = builtAt(world, 7).group
  const accepted: Row[] = []
  const refused: Row[] = []
  const committees = [first, second]
  const ask = (epoch: number, known: [index: number, hash: Bytes][], withstand: number | null) => ({
    group: world.scope.group,
    fromEpoch: epoch,
    known: known.map(([index, hash]) => ({ index: BigInt(index), hash })),
    withstand,
  })
  type Asked = ReturnType<typeof ask>
  const row = (asked: Asked, opened: Opened): Row => ({
    roster: hexOf(Roster, at(committees, asked.fromEpoch).roster),
    rosterId: hex(at(committees, asked.fromEpoch).id),
    request: hexOf(Request, { is: 'open', value: asked }),
    response: hexOf(Response, { is: 'opened', value: opened }),
  })
  const run = (asked: Asked, opened: Opened) => checkOpened(world.scope, at(committees, asked.fromEpoch), asked, opened)
  const accept = (name: string, asked: Asked, opened: Opened) =>
    accepted.push({ name, head: hex(run(asked, opened).id), ...row(asked, opened) })
  const refuse = (why: string, asked: Asked, opened: Opened) =>
    refused.push({ rule: ruleOf(() => run(asked, opened)), why, ...row(asked, opened) })

  const plain = ask(0, [], null)
  const good = openedAt(world, 7, [])
  const step = at(good.steps, 0)
  accept('across a change of members', plain, good)
  accept('the head is the last block of its epoch', plain, openedAt(world, 4, []))
  accept('from the later epoch', ask(1, [], null), { ...good, steps: [] })
  accept(
    'two known, one of them the head',
    ask(
      0,
      [
        [3, hashAt(world, 3)],
        [7, hashAt(world, 7)],
      ],
      null,
    ),
    openedAt(world, 7, [3, 7]),
  )
  accept('the genesis is known', ask(0, [[0, hashAt(world, 0)]], null), openedAt(world, 7, [0]))
  accept('a known block that the server does not hold', ask(0, [[3, hashAt(world, 3)]], null), { ...openedAt(world, 7, []), links: [null] })

  refuse('the step is left out', plain, { ...good, steps: [] })
  refuse('the step stands twice', plain, { ...good, steps: [step, step] })
  refuse('a step whose block is not the last of its epoch', plain, {
    ...good,
    steps: [{ ...step, certificate: builtAt(world, 3).certificate }],
  })
  refuse('a step with the roster before', plain, { ...good, steps: [{ ...step, roster: first.roster }] })
  const swapped = { ...step.roster, members: [...step.roster.members].reverse() }
  refuse('a step with the members in another order', plain, { ...good, steps: [{ ...step, roster: swapped }] })
  refuse('a step below the strength', plain, { ...good, steps: [{ ...step, certificate: weakened(step.certificate, first) }] })
  refuse('a head below the strength', plain, { ...good, head: weakened(good.head, second) })
  refuse('a head that the older roster signed', plain, {
    ...good,
    head: { header: good.head.header, seal: sealOf(first, good.head.header, good.head.seal.view, [0, 1, 2, 3]) },
  })
  refuse('not strong enough for w = 2', ask(0, [], 2), good)
  refuse('a link to another block', ask(0, [[3, hashAt(world, 2)]], null), openedAt(world, 7, [3]))
  refuse('the link of another index', ask(0, [[3, hashAt(world, 3)]], null), openedAt(world, 7, [2]))
  refuse(
    'a link is missing',
    ask(
      0,
      [
        [3, hashAt(world, 3)],
        [2, hashAt(world, 2)],
      ],
      null,
    ),
    openedAt(world, 7, [3]),
  )
  refuse(
    'the links in another order',
    ask(
      0,
      [
        [3, hashAt(world, 3)],
        [2, hashAt(world, 2)],
      ],
      null,
    ),
    openedAt(world, 7, [2, 3]),
  )
  return { network: hex(world.scope.network), group: hex(world.scope.group), accepted, refused }
}

function weakened(certificate: Certificate, group: Parameters<typeof sealOf>[0]): Certificate {
  return { header: certificate.header, seal: sealOf(group, certificate.header, certificate.seal.view, [0, 1]) }
}

// --- watch

/** Three headers that follow from one another, and the seal of the last, but the one in the middle names another roster. */
function epochBetween(group: Signers, [a, b, c]: Header[]): Partial<Commits> {
  if (a === undefined || b === undefined || c === undefined) throw new Error('three headers')
  const other = bytesOf('another roster', 32)
  const first = { ...a, next: other }
  const second = { ...b, roster: other, prev: commitHash(first) }
  const third = { ...c, prev: commitHash(second) }
  return { headers: [first, second, third], seal: sealOf(group, third, third.view, [0, 1, 2]) }
}

function watches(world: World): Row {
  const surfaces = [0, 3]
  const start = builtAt(world, 3)
  const edge = (items: Bytes[]) => proveRange(items, items.length, items.length)
  const watcher: Watcher = {
    header: start.header,
    edges: new Map([
      [0, edge(noteItems(start.state))],
      [3, edge(start.state.feed)],
    ]),
  }
  const parts = [appendedOf(world, surfaces, 4, 6), appendedOf(world, surfaces, 7, 7), appendedOf(world, surfaces, 8, HEAD)]
  let now = watcher
  for (const part of parts) now = checkCommits(now, surfaces, part, start.group, null)

  const refused: Row[] = []
  const show = (commits: Commits): string => hexOf(Response, { is: 'commits', value: commits })
  const refuse = (why: string, change: Partial<Commits>) => {
    const commits = { ...at(parts, 0), ...change }
    refused.push({ rule: ruleOf(() => checkCommits(watcher, surfaces, commits, start.group, null)), why, response: show(commits) })
  }
  const good = at(parts, 0)
  const lists = good.appended
  const [four, five, six] = upTo(3).map((i) => at(lists, i)) as [Bytes[][], Bytes[][], Bytes[][]]
  refuse('an item is left out', { appended: [four, five, [at(six, 0).slice(1), at(six, 1)]] })
  refuse('an item is added', { appended: [[[bytesOf('added', 9)], at(four, 1)], five, six] })
  refuse('an item is changed', { appended: [four, [[bytesOf('changed', 9), ...at(five, 0).slice(1)], at(five, 1)], six] })
  refuse('two items change places', { appended: [four, [[...at(five, 0)].reverse(), at(five, 1)], six] })
  refuse('what two blocks appended is exchanged', { appended: [four, six, five] })
  refuse('what two surfaces appended is exchanged', { appended: [four, five, [...six].reverse()] })
  refuse('a list is missing', { appended: [four, five, six.slice(0, 1)] })
  refuse('the lists of a block are missing', { appended: [four, five] })
  refuse('a header is left out', { headers: [at(good.headers, 0), at(good.headers, 2)], appended: [four, six] })
  refuse('the first header is not the next one', { headers: good.headers.slice(1), appended: [five, six] })
  refuse('headers in another order', { headers: [at(good.headers, 1), at(good.headers, 0), at(good.headers, 2)] })
  refuse('a header that is not certified follows', {
    headers: [...good.headers.slice(0, 2), { ...at(good.headers, 2), time_ms: at(good.headers, 2).time_ms + 1n }],
  })
  refuse('a header in the middle is changed', {
    headers: good.headers.map((header, i) => (i === 1 ? { ...header, time_ms: header.time_ms + 1n } : header)),
  })
  refuse('blocks of another epoch between two of this one', epochBetween(start.group, good.headers))
  refuse('the seal of another block', { seal: builtAt(world, 5).certificate.seal })
  refuse('a seal below the strength', { seal: sealOf(start.group, at(good.headers, 2), at(good.headers, 2).view, [0, 1]) })
  const edges = (of: Watcher): Row[] =>
    [...of.edges].map(([surface, proof]) => ({ surface, size: proof.size.toString(), proof: hexOf(RangeProof, proof) }))
  return {
    request: hexOf(Request, { is: 'watch', value: { group: world.scope.group, surfaces, from: 4n, withstand: null, credit: 8 } }),
    from: 3,
    edges: edges(watcher),
    responses: parts.map(show),
    edgesAfter: edges(now),
    refused,
  }
}

export const makeExchanges = (world: World, epochs: World): Row => ({
  world: worldRow(world),
  prove: { accepted: exchanges(world), refused: refusedExchanges(world) },
  open: opens(epochs),
  watch: watches(world),
})
