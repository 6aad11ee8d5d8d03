import { expect, test } from 'vitest'
import type { Certificate, Header, Seal } from '../../client/groups/block.ts'
import type { View } from '../../client/groups/source.ts'
import type { Response } from '../../client/network/light/messages.ts'
import type { Answer } from '../../client/network/light/queries.ts'
import { encode } from '../../client/primitives/codec.ts'
import { flipped } from '../liar.ts'
import type { Chain } from './chain.ts'
import { note, noteCodec } from './notes.ts'
import { addresses, errorOf, lying, refusal, type Setup, setup } from './setup.ts'

// One server, one lie each, beside those of test/lies: other ways to break the same rules. With nobody else to turn to the reader has to say
// which check failed, and to have shown nothing before it.

const HISTORY = 30
const fill = (chain: Chain): void => {
  for (let i = 0; i < HISTORY; i++) chain.commit([note(`note ${i}`, i % 3, 50 + i), note(`more ${i}`, 4)])
  chain.commit([], { timeMs: 1_700_000_000_000 })
}

type Opened = Extract<Response, { kind: 'opened' }>['value']
const opened =
  (change: (value: Opened) => Opened) =>
  (response: Response): Response =>
    response.kind === 'opened' ? { kind: 'opened', value: change(response.value) } : response
const head = (change: (head: Certificate) => Certificate) => opened((value) => ({ ...value, head: change(value.head) }))
const header = (change: Partial<Header>) => head((value) => ({ ...value, header: { ...value.header, ...change } }))

const answers =
  <K extends Answer['kind']>(kind: K, change: (value: Extract<Answer, { kind: K }>['value'], i: number) => object) =>
  (response: Response): Response =>
    response.kind === 'proven'
      ? {
          kind: 'proven',
          value: {
            answers: response.value.answers.map((answer, i) =>
              answer.kind === kind ? ({ kind, value: change(answer.value as never, i) } as Answer) : answer,
            ),
          },
        }
      : response

const zeros = new Uint8Array(32)

test.each([
  ['commit.signatures', 'a vote of an earlier view', head(({ header, seal }) => ({ header, seal: { ...seal, view: header.view - 1n } }))],
  [
    'commit.signatures',
    'a bit past the roster',
    head(({ header, seal }) => ({ header, seal: { ...seal, signers: Uint8Array.of(0b10000111) } })),
  ],
  [
    'commit.signatures',
    'fewer signatures than bits',
    head(({ header, seal }) => ({ header, seal: { ...seal, signatures: seal.signatures.slice(1) } })),
  ],
  [
    'commit.signatures',
    'one signature three times',
    head(({ header, seal }) => ({ header, seal: { ...seal, signatures: seal.signatures.map(() => seal.signatures[0] as never) } })),
  ],
  ['commit.header', 'another version', header({ version: 2 })],
  ['commit.header', 'other surfaces', header({ surfaces: [] })],
  ['Light.AnswerError', 'more links than asked for', opened((value) => ({ ...value, links: [null] }))],
  [
    'item.inclusion',
    'another right edge',
    answers('item', ({ item, proof }) => ({ item, proof: { ...proof, path: proof.path.map(flipped) } })),
  ],
  [
    'item.inclusion',
    'the edge of a smaller surface',
    answers('item', ({ item }) => ({ item, proof: { size: 1n, position: 0n, path: [] } })),
  ],
  [
    'Light.AnswerError',
    'more answers than questions',
    (response: Response): Response =>
      response.kind === 'proven'
        ? { kind: 'proven', value: { answers: [...response.value.answers, ...response.value.answers] } }
        : response,
  ],
  [
    'Light.AnswerError',
    'an answer to something else',
    (response: Response): Response => (response.kind === 'opened' ? { kind: 'gap', value: { next: 1n } } : response),
  ],
] as const)('PROTOCOL 3, API Verdict: %s fails when a server shows %s, before anything is shown', async (check, _, lie) => {
  const { open, places, network, world } = setup(4, fill, { served: 1, bootstrap: addresses(1) })
  if (places[0]) places[0].tamper = lying(lie)
  expect(refusal(await errorOf(open()))).toBe(check)
  await network[Symbol.asyncDispose]()
  await world.settle()
  expect([world.openStreams, world.openLinks, world.pendingTimers]).toEqual([0, 0, 0])
})

const ask = async (
  { world, open, places }: Setup,
  lie: (response: Response) => Response,
  question: (handle: Awaited<ReturnType<Setup['open']>>) => Promise<unknown>,
): Promise<string> => {
  const handle = await open()
  if (places[0]) places[0].tamper = lying(lie)
  const error = await errorOf(world.run(question(handle)))
  expect(handle.state.peers[0]?.problem).toMatch(/./)
  return refusal(error)
}

test.each([
  [
    'commit.consistency',
    'a link of another block',
    opened((value) => ({ ...value, links: value.links.map((link) => link && { ...link, position: 1n }) })),
  ],
  [
    'commit.consistency',
    'a surface that grew from another',
    answers('range', ({ items, proof }) => ({ items, proof: { ...proof, left: proof.left.map(flipped) } })),
  ],
  [
    'commit.consistency',
    'what the surface grew from elsewhere',
    answers('range', ({ items, proof }) => ({ items, proof: { ...proof, from: proof.from - 1n, to: proof.to - 1n } })),
  ],
  [
    'commit.consistency',
    'another block before the head',
    answers('header', ({ header, proof }) => ({ header: { ...header, time_ms: 1n }, proof })),
  ],
  [
    'commit.consistency',
    'a log proof that does not fold',
    answers('header', ({ header, proof }) => ({ header, proof: { ...proof, path: proof.path.map(flipped) } })),
  ],
  ['commit.signatures', 'an older head that nobody signed', header({ index: 3n })],
] as const)('PROTOCOL 3 step 3: %s fails when a server is opened again and shows %s', async (check, _, lie) => {
  const { world, open, places, chain } = setup(1, fill)
  const handle = await open()
  await world.settle()
  const next = handle[Symbol.asyncIterator]().next()
  if (places[0]) places[0].tamper = lying(lie)
  world.cut(handle.state.peers[0]?.address ?? '')
  for (let i = 0; i < 3; i++) chain.commit([note(`new ${i}`, 1)], { timeMs: world.now })
  // The log's edge is fetched behind the first answers: what was verified before it may have been shown, and is true.
  const outcome = await world.run(next).then(({ value }) => value.value.words, refusal)
  expect(['new 0', check]).toContain(outcome)
  await world.advance(50)
  expect(handle.state.peers[0]?.problem).toContain(check)
})

test.each([
  ['another item', answers('item', ({ proof }) => ({ item: encode(noteCodec, note('forged', 1)), proof }))],
  ['the item of another place', answers('item', ({ item, proof }) => ({ item, proof: { ...proof, position: 0n } }))],
  ['a proof of another size', answers('item', ({ item, proof }) => ({ item, proof: { ...proof, size: proof.size + 1n } }))],
])('PROTOCOL 2 Tree: item.inclusion fails for %s', async (_, lie) => {
  const old = async (handle: Awaited<ReturnType<Setup['open']>>) =>
    handle.ask('evidence', { ...(await handle.latest()).ref, position: '7' })
  expect(await ask(setup(1, fill), lie, old)).toBe('item.inclusion')
})

test('PROTOCOL 2 Tree: item.inclusion fails for a genuine item, or range, of another place with its own proof', async () => {
  for (const question of [
    async (handle: Awaited<ReturnType<Setup['open']>>) => handle.ask('evidence', { ...(await handle.latest()).ref, position: '7' }),
    (handle: Awaited<ReturnType<Setup['open']>>) => handle.since(3n)[Symbol.asyncIterator]().next(),
  ]) {
    const setting = setup(1, fill)
    const view = setting.chain.source().at(setting.chain.head.index) as View
    const [other, range] = [await view.item(0, 9n), await view.range(0, 5n, 7n)]
    const both = (response: Response): Response =>
      answers('range', () => ({ items: setting.chain.items.slice(5, 7), proof: range }))(answers('item', () => other)(response))
    expect(await ask(setting, both, question)).toBe('item.inclusion')
  }
  // The newest item is where a reader begins: an older one in its place would be a surface that is shorter than it is.
  const setting = setup(1, fill)
  const older = await (setting.chain.source().at(setting.chain.head.index) as View).item(0, 9n)
  if (setting.places[0]) setting.places[0].tamper = lying(answers('item', () => older))
  expect(refusal(await errorOf(setting.open()))).toBe('item.inclusion')
})

test.each([
  ['an item left out at the end', answers('range', ({ items, proof }) => ({ items: items.slice(0, -1), proof }))],
  ['two items exchanged', answers('range', ({ items, proof }) => ({ items: [items[1], items[0], ...items.slice(2)], proof }))],
  ['no items at all', answers('range', ({ proof }) => ({ items: [], proof: { ...proof, to: proof.from } }))],
  [
    'a range that begins later',
    answers('range', ({ items, proof }) => ({ items: items.slice(1), proof: { ...proof, from: proof.from + 1n } })),
  ],
])('PROTOCOL 2 Tree: item.inclusion fails for a range with %s', async (_, lie) => {
  expect(await ask(setup(1, fill), lie, (handle) => handle.since(0n)[Symbol.asyncIterator]().next())).toBe('item.inclusion')
})

const ofOne = answers.bind(null, 'tail') as (
  change: (value: Extract<Answer, { kind: 'tail' }>['value']) => object,
) => (response: Response) => Response
const busy = (count: bigint): boolean => count === 10n

test.each([
  [
    'the oldest left out',
    ofOne(({ proof, items, runs }) => ({
      proof,
      items,
      runs: runs.map((run) => (busy(run.count) ? { ...run, start: 1n, positions: run.positions.slice(1) } : run)),
    })),
  ],
  ['a key left out', ofOne(({ proof, items, runs }) => ({ proof, items, runs: runs.filter(({ count }) => !busy(count)) }))],
  [
    'an item that no key has',
    ofOne(({ proof, items, runs }) => ({ proof, items: [...items, { position: 59n, item: items[0]?.item }], runs })),
  ],
  [
    'an item that is none',
    ofOne(({ proof, items, runs }) => ({ proof, items: items.map(({ position }) => ({ position, item: Uint8Array.of(255, 255) })), runs })),
  ],
  [
    'two positions exchanged',
    ofOne(({ proof, items, runs }) => ({ proof, items, runs: runs.map((run) => ({ ...run, positions: run.positions.toReversed() })) })),
  ],
  ['runs in another order', ofOne(({ proof, items, runs }) => ({ proof, items, runs: runs.toReversed() }))],
])('PROTOCOL 2 Complete answers: answer.complete fails for %s', async (_, lie) => {
  expect(await ask(setup(1, fill), lie, (handle) => handle.ask('of', 1))).toBe('answer.complete')
})

test.each([
  ['Light.AnswerError', 'more bytes than it said', ({ bytes }: { bytes: Uint8Array }) => ({ total: 1n, bytes })],
  ['Light.AnswerError', 'no bytes of many', () => ({ total: 60_000_000n, bytes: new Uint8Array(0) })],
])('PROTOCOL 3 Blob: %s when the evidence comes as %s', async (check, _, change) => {
  const lie = (response: Response): Response =>
    response.kind === 'blob' ? { kind: 'blob', value: change(response.value) as never } : response
  const { world, open, places } = setup(1, fill)
  const handle = await open()
  const { ref } = await world.run(handle.latest())
  const good = await world.run(handle.ask<{ words: string }>('evidence', ref))
  expect([good.value.words, good.verdict.integrity.checks.at(-1)?.name]).toEqual(['more 29', 'evidence.inclusion'])
  if (places[0]) places[0].tamper = lying(lie)
  expect(refusal(await errorOf(world.run(handle.ask('evidence', ref))))).toBe(check)
})

type Commits = Extract<Response, { kind: 'commits' }>['value']
const commits =
  (change: (value: Commits) => Commits) =>
  (response: Response): Response =>
    response.kind === 'commits' ? { kind: 'commits', value: change(response.value) } : response

test.each([
  [
    'item.inclusion',
    'an item added',
    commits((value) => ({ ...value, appended: value.appended.map((lists) => lists.map((items) => [...items, Uint8Array.of(1)])) })),
  ],
  [
    'item.inclusion',
    'items exchanged',
    commits((value) => ({ ...value, appended: value.appended.map((lists) => lists.map((items) => items.toReversed())) })),
  ],
  [
    'commit.signatures',
    'a header changed',
    commits((value) => ({ ...value, headers: value.headers.map((header) => ({ ...header, time_ms: header.time_ms + 1n })) })),
  ],
  [
    'commit.signatures',
    'another parent',
    commits((value) => ({ ...value, headers: value.headers.map((header) => ({ ...header, prev: zeros })) })),
  ],
  [
    'commit.signatures',
    'a signature changed',
    commits((value) => ({ ...value, seal: { ...value.seal, signatures: value.seal.signatures.map(flipped) } })),
  ],
  [
    'roster.chain',
    'another committee',
    commits((value) => ({ ...value, headers: value.headers.map((header) => ({ ...header, roster: zeros })) })),
  ],
  ['Light.AnswerError', 'no items for a header', commits((value) => ({ ...value, headers: [...value.headers, ...value.headers] }))],
  [
    'Light.AnswerError',
    'items of a surface that was not asked for',
    commits((value) => ({ ...value, appended: value.appended.map((lists) => [...lists, []]) })),
  ],
])('PROTOCOL 3 Watch: %s for a block with %s, and the live tail shows nothing of it', async (check, _, lie) => {
  const { world, open, places, chain } = setup(1, fill)
  const handle = await open()
  if (places[0]) places[0].tamper = lying(lie)
  const shown: unknown[] = []
  const reading = (async () => {
    for await (const item of handle) shown.push(item)
  })()
  await world.settle()
  chain.commit([note('a', 1), note('b', 2)], { timeMs: world.now })
  expect(refusal(await errorOf(world.run(reading)))).toBe(check)
  expect(shown).toEqual([])
  expect(handle.state.state).not.toBe('live')
})

test.each([
  ['a second time', 0],
  ['without the one before it', 1],
])('PROTOCOL 3 Watch: commit.consistency for a sealed block that is shown %s', async (_, skipped) => {
  const { world, open, chain, places } = setup(1, fill)
  const handle = await open()
  const shown = (index: number): Commits => ({
    headers: [chain.headers[index] as Header],
    seal: chain.seals[index] as Seal,
    appended: [[[]]],
  })
  const next = handle[Symbol.asyncIterator]().next()
  chain.commit([], { timeMs: world.now })
  if (skipped === 0) await world.settle()
  if (places[0]) places[0].tamper = lying(commits(() => shown(HISTORY + 2 + skipped)))
  chain.commit([], { timeMs: world.now })
  expect(refusal(await errorOf(world.run(next)))).toBe('commit.consistency')
})
