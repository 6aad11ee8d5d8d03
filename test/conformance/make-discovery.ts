// Section 10: peer entries and what spoils one, merging, and the catalog's messages and exchanges.

import { bytes, encode, fixed, list, struct, text, u64, writeUleb } from './bcs.ts'
import { commitHash } from './blocks.ts'
import {
  CatalogRequest,
  CatalogResponse,
  checkEntries,
  entryMessage,
  HeadHint,
  merge,
  type PeerEntry,
  Rumour,
  SignedEntry,
} from './discovery.ts'
import { type Key, sign } from './ed25519.ts'
import { at, type Bytes, bytesOf, compare, H, hex, join, zeros } from './hash.ts'
import { UNIVERSE } from './ids.ts'
import { both, hexOf, keyFor, type Row, upTo } from './kit.ts'
import { ruleOf } from './make-keys.ts'
import { builtAt, type World } from './world.ts'

const NOW = 1_700_000_000_000n
const MOST = 2n ** 64n - 1n
/** Ascending, as a catalog tells of them. */
const PEERS: Key[] = upTo(3)
  .map((i) => keyFor(`discovery peer ${i}`))
  .sort((a, b) => compare(a.public, b.public))
const peer = (i: number): Key => at(PEERS, i)
const idsOf = (n: number): Bytes[] => upTo(n).map((i) => Uint8Array.from({ length: 32 }, (_, j) => (j === 31 ? i : 0)))
const GROUP = bytesOf('a group', 32)

const ADDRESS = '/ip4/203.0.113.7/tcp/4001/ws/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'

const entryOf = (i: number, change: Partial<PeerEntry> = {}): PeerEntry => ({
  peer: peer(i).public,
  network: UNIVERSE,
  version: { start_ms: NOW - 5_000n, update_ms: NOW },
  addresses: [ADDRESS],
  tags: [],
  streams: [],
  groups: [GROUP],
  tickets: [],
  ...change,
})
const signed = (entry: PeerEntry, by: Key): SignedEntry => ({ entry, signature: sign(by, entryMessage(entry)) })
const told = (i: number, change: Partial<PeerEntry> = {}): SignedEntry => signed(entryOf(i, change), peer(i))
const goneAt = (update_ms: bigint): Partial<PeerEntry> => ({
  addresses: [],
  tags: ['gone'],
  version: { start_ms: NOW - 5_000n, update_ms },
})

// --- entries

const FULL: Partial<PeerEntry> = {
  version: { start_ms: 0n, update_ms: 0n },
  addresses: [ADDRESS, '', 'ä/😀', 'x'.repeat(512)],
  tags: ['0', 'a', 'a-b', 'ab', 'x'.repeat(32)],
  streams: idsOf(2),
  groups: idsOf(3),
  tickets: [
    { class: zeros(32), data: zeros(0) },
    { class: bytesOf('a class', 32), data: bytesOf('a ticket', 40) },
  ],
}

/** As many bytes as an entry may have: what the rest leaves goes into the last ticket. */
function largest(more: number): PeerEntry {
  const withLast = (n: number): PeerEntry =>
    entryOf(0, { tickets: [2_048, 2_048, 2_048, n].map((size) => ({ class: zeros(32), data: zeros(size) })) })
  const rest = hexOf(WIDE, withLast(1_024)).length / 2 + 64 - 1_024
  return withLast(8_192 + more - rest)
}

// A signed entry without the rules of the page: what is signed here is refused for one of them alone.
const WIDE = struct({
  peer: fixed(32),
  network: fixed(32),
  version: struct({ start_ms: u64, update_ms: u64 }),
  addresses: list(text(65_535), 65_535),
  tags: list(text(65_535), 65_535),
  streams: list(fixed(32), 65_535),
  groups: list(fixed(32), 65_535),
  tickets: list(struct({ class: fixed(32), data: bytes(65_535) }), 65_535),
})
const wide = (entry: PeerEntry): string => {
  const encoded = encode(WIDE, entry)
  return hex(join(encoded, sign(peer(0), join('coalition peer v1|', encoded))))
}

function entries(): Row[] {
  const row = (name: string, entry: SignedEntry): Row => ({ name, message: hex(entryMessage(entry.entry)), ...both(SignedEntry, entry) })
  const large = signed(largest(0), peer(0))
  return [
    row('one address', told(0)),
    row('everything', told(1, FULL)),
    row('the latest stamps', told(2, { version: { start_ms: MOST, update_ms: MOST } })),
    row('a departure', told(0, goneAt(NOW))),
    row('a departure that names no group', told(0, { ...goneAt(NOW), groups: [] })),
    { name: 'of 8,192 bytes', hex: hexOf(SignedEntry, large) },
  ]
}

function unsigned(): Row[] {
  const good = told(0)
  const row = (why: string, entry: SignedEntry): Row => ({ rule: 'signature', why, hex: hexOf(SignedEntry, entry) })
  return [
    row('signed by another peer', signed(entryOf(0), peer(1))),
    row('an address was added', { ...good, entry: entryOf(0, { addresses: [ADDRESS, ADDRESS] }) }),
    row('under another network', { ...good, entry: entryOf(0, { network: zeros(32) }) }),
    row('the signature of its encoding without the tag', { ...good, signature: sign(peer(0), encode(WIDE, good.entry)) }),
    row('no signature', { ...good, signature: zeros(64) }),
  ]
}

// --- refused by the decoder

function refusedEntries(): Row[] {
  const of = (rule: string, why: string, change: Partial<PeerEntry>): Row => ({
    type: 'SignedEntry',
    rule,
    why,
    hex: wide(entryOf(0, change)),
  })
  const tickets = (n: number, size: number) => upTo(n).map(() => ({ class: zeros(32), data: zeros(size) }))
  const good = hexOf(SignedEntry, told(0))
  return [
    { type: 'SignedEntry', rule: 'truncated', why: 'cut by a byte', hex: good.slice(0, -2) },
    { type: 'SignedEntry', rule: 'trailing', why: 'a byte more', hex: `${good}00` },
    { type: 'SignedEntry', rule: 'length', why: '8,193 bytes', hex: wide(largest(1)) },
    of('length', '17 addresses', { addresses: upTo(17).map(() => 'x') }),
    of('length', 'an address of 513 bytes', { addresses: ['x'.repeat(513)] }),
    of('length', 'an address of 257 characters and 514 bytes', { addresses: ['ä'.repeat(257)] }),
    of('length', '17 tags', { tags: upTo(17).map((i) => String.fromCharCode(97 + i)) }),
    of('length', 'a tag of 33 bytes', { tags: ['x'.repeat(33)] }),
    ...['', 'A', 'a b', 'a_b', '-a', 'ä', 'a\n'].map((word) => of('tag-word', `the tag ${JSON.stringify(word)}`, { tags: [word] })),
    of('order', 'tags that descend', { tags: ['b', 'a'] }),
    of('order', 'a tag twice', { tags: ['a', 'a'] }),
    of('length', '65 streams', { streams: idsOf(65) }),
    of('order', 'streams that descend', { streams: idsOf(2).reverse() }),
    of('length', '65 groups', { groups: idsOf(65) }),
    of('order', 'a group twice', { groups: [GROUP, GROUP] }),
    of('length', 'five tickets', { tickets: tickets(5, 0) }),
    of('length', 'a ticket of 2,049 bytes', { tickets: tickets(1, 2_049) }),
    of('version', 'an update before the start', { version: { start_ms: NOW, update_ms: NOW - 1n } }),
    of('departure', 'neither an address nor gone', { addresses: [] }),
    of('departure', 'another tag than gone', { addresses: [], tags: ['left'] }),
    of('departure', 'gone and another tag', { addresses: [], tags: ['gone', 'member'] }),
    of('departure', 'gone with an address', { tags: ['gone'] }),
    of('departure', 'gone with a stream', { ...goneAt(NOW), streams: idsOf(1) }),
    of('departure', 'gone with a ticket', { ...goneAt(NOW), tickets: tickets(1, 0) }),
  ]
}

function refusedMessages(world: World): Row[] {
  const row = (type: string, rule: string, why: string, ...parts: string[]): Row => ({ type, rule, why, hex: parts.join('') })
  const count = (n: number): string => hex(writeUleb(n))
  const [network, from] = [hex(UNIVERSE), hex(zeros(32))]
  const have = (id: Bytes): string => `${hex(id)}${'00'.repeat(16)}`
  const [one = zeros(32), two = zeros(32)] = idsOf(2)
  const { certificate } = builtAt(world, 9)
  const hint = (index: bigint, commit: Bytes): string => {
    const bare = hexOf(HeadHint, { group: GROUP, index, commit, certificate: null })
    const whole = hexOf(HeadHint, { group: GROUP, index: 9n, commit: commitHash(certificate.header), certificate })
    return `${bare.slice(0, -2)}${whole.slice(bare.length - 2)}`
  }
  return [
    row('CatalogRequest', 'variant', 'no such request', `01${network}00${from}00`),
    row('CatalogRequest', 'length', '65 groups', `00${network}${count(65)}`, idsOf(65).map(hex).join(''), `${from}00`),
    row('CatalogRequest', 'length', 'what 1,025 peers have', `00${network}00${from}${count(1_025)}`, '00'.repeat(48 * 3)),
    row('CatalogRequest', 'order', 'have that descends', `00${network}00${from}02${have(two)}${have(one)}`),
    row('CatalogRequest', 'order', 'a peer twice', `00${network}00${from}02${have(one)}${have(one)}`),
    row('CatalogRequest', 'truncated', 'have cut by a byte', `00${network}00${from}01${have(one).slice(2)}`),
    row('CatalogRequest', 'trailing', 'a byte more', `00${network}00${from}0000`),
    row('CatalogResponse', 'variant', 'no such answer', '010000'),
    row('CatalogResponse', 'length', '257 entries', `00${count(257)}`, '00'.repeat(300)),
    row('CatalogResponse', 'tag', 'next with tag 2', '00000200'),
    row('CatalogResponse', 'length', '65 heads', `000000${count(65)}`, hint(9n, commitHash(certificate.header)).slice(0, 200)),
    row('CatalogResponse', 'length', 'an error text of 257 bytes', `ff010600000000${count(257)}`, '78'.repeat(257)),
    row('CatalogResponse', 'truncated', 'an error without its text', 'ff010600000000'),
    row('HeadHint', 'head', 'a certificate of another index', hint(8n, commitHash(certificate.header))),
    row('HeadHint', 'head', 'a certificate of another commit', hint(9n, zeros(32))),
    row('Rumour', 'variant', 'no such rumour', `02${hexOf(SignedEntry, told(0))}`),
    row('Rumour', 'truncated', 'nothing', ''),
  ]
}

// --- messages

function messages(world: World): Row {
  const { certificate } = builtAt(world, 9)
  const head = { group: world.scope.group, index: 9n, commit: commitHash(certificate.header), certificate }
  const bare = { group: GROUP, index: MOST, commit: H('a block'), certificate: null }
  const requests: CatalogRequest[] = [
    { is: 'sync', value: { network: UNIVERSE, groups: [], from: zeros(32), have: [] } },
    {
      is: 'sync',
      value: {
        network: UNIVERSE,
        groups: [GROUP, zeros(32)],
        from: peer(1).public,
        have: PEERS.slice(1).map((key) => ({ peer: key.public, start_ms: 0n, update_ms: MOST })),
      },
    },
  ]
  const responses: CatalogResponse[] = [
    { is: 'entries', value: { entries: [], next: null, heads: [] } },
    { is: 'entries', value: { entries: [told(0), told(1, goneAt(NOW))], next: peer(2).public, heads: [] } },
    { is: 'entries', value: { entries: [], next: null, heads: [bare, head] } },
    { is: 'error', value: { code: 6, retryMs: 60_000, text: 'busy' } },
    { is: 'error', value: { code: 9, retryMs: 0, text: '' } },
  ]
  return {
    requests: requests.map((value) => both(CatalogRequest, value)),
    responses: responses.map((value) => both(CatalogResponse, value)),
    rumours: [
      both(Rumour, { is: 'entry', value: told(2) }),
      both(Rumour, { is: 'head', value: bare }),
      { hex: hexOf(Rumour, { is: 'head', value: head }) },
    ],
  }
}

// --- merging

function merging(): Row[] {
  const versioned = (start: bigint, update: bigint): Partial<PeerEntry> => ({ version: { start_ms: start, update_ms: update } })
  const row = (name: string, held: SignedEntry | null, offered: SignedEntry): Row => ({
    name,
    held: held === null ? null : hexOf(SignedEntry, held),
    offered: hexOf(SignedEntry, offered),
    outcome: merge(UNIVERSE, NOW, held, offered),
  })
  const known = told(0, versioned(NOW - 9n, NOW - 5n))
  return [
    row('the first of its peer', null, told(0)),
    row('a later update', known, told(0, versioned(NOW - 9n, NOW - 4n))),
    row('an earlier update', known, told(0, versioned(NOW - 9n, NOW - 6n))),
    row('a later run, updated before', known, told(0, versioned(NOW - 8n, NOW - 8n))),
    row('an earlier run, updated after', known, told(0, versioned(NOW - 10n, NOW))),
    row('the same again', known, known),
    row('other words of one version', known, told(0, { ...versioned(NOW - 9n, NOW - 5n), tags: ['a'] })),
    row('a departure', known, told(0, goneAt(NOW))),
    row('what was said before the departure', told(0, goneAt(NOW)), told(0, versioned(NOW - 5_000n, NOW - 1n))),
    row('one minute ahead', null, told(0, versioned(NOW, NOW + 60_000n))),
    row('a millisecond further ahead', null, told(0, versioned(NOW, NOW + 60_001n))),
    row('fifteen minutes back', null, told(0, versioned(0n, NOW - 900_000n))),
    row('a millisecond further back', null, told(0, versioned(0n, NOW - 900_001n))),
    row('of another network', null, told(0, { network: zeros(32) })),
    row('signed by another', null, signed(entryOf(0), peer(1))),
  ]
}

// --- exchanges

function exchanges(world: World): Row {
  const asked: CatalogRequest = { is: 'sync', value: { network: UNIVERSE, groups: [GROUP], from: zeros(32), have: [] } }
  const [held, other] = [told(0, { version: { start_ms: 1n, update_ms: NOW - 1_000n } }), idsOf(1)]
  const having: CatalogRequest = {
    is: 'sync',
    value: { ...asked.value, have: [{ peer: held.entry.peer, ...held.entry.version }] },
  }
  const { certificate } = builtAt(world, 9)
  const head = (group: Bytes) => ({ group, index: 9n, commit: commitHash(certificate.header), certificate: null })
  const answer = (value: Partial<Extract<CatalogResponse, { is: 'entries' }>['value']>): CatalogResponse => ({
    is: 'entries',
    value: { entries: [], next: null, heads: [], ...value },
  })
  const accepted: Row[] = []
  const refused: Row[] = []
  const row = (request: CatalogRequest, response: CatalogResponse): Row => ({
    held: request === having ? hexOf(SignedEntry, held) : null,
    request: hexOf(CatalogRequest, request),
    response: hexOf(CatalogResponse, response),
  })
  const accept = (name: string, request: CatalogRequest, response: CatalogResponse) => {
    checkEntries(request, response)
    accepted.push({ name, ...row(request, response) })
  }
  const refuse = (why: string, request: CatalogRequest, response: CatalogResponse) =>
    refused.push({ rule: ruleOf(() => checkEntries(request, response)), why, ...row(request, response) })

  accept('nothing', asked, answer({}))
  accept('two entries, and the group’s head', asked, answer({ entries: [told(0), told(1)], heads: [head(GROUP)] }))
  accept('a departure', asked, answer({ entries: [told(0, goneAt(NOW))] }))
  accept('a newer one of a peer that was named', having, answer({ entries: [told(0), told(2)] }))
  refuse('entries that descend', asked, answer({ entries: [told(1), told(0)] }))
  refuse('a peer twice', asked, answer({ entries: [told(0), told(0)] }))
  refuse('an entry of another group', asked, answer({ entries: [told(0), told(1, { groups: other })] }))
  refuse('an entry of no group', asked, answer({ entries: [told(0, { groups: [] })] }))
  refuse('what was named as held', having, answer({ entries: [held] }))
  refuse('an older one of a peer that was named', having, answer({ entries: [told(0, { version: { start_ms: 0n, update_ms: NOW } })] }))
  refuse('an entry of another network', asked, answer({ entries: [told(0, { network: zeros(32) })] }))
  refuse('an entry that another peer signed', asked, answer({ entries: [signed(entryOf(0), peer(1))] }))
  refuse('a next that is the last entry’s peer', asked, answer({ entries: [told(1)], next: peer(1).public }))
  refuse('a next that is the first that was asked for', asked, answer({ next: zeros(32) }))
  refuse('the head of another group', asked, answer({ heads: [head(at(other, 0))] }))
  refuse('heads before the last answer', asked, answer({ entries: [told(0)], next: peer(1).public, heads: [head(GROUP)] }))
  refuse('an error', asked, { is: 'error', value: { code: 6, retryMs: 0, text: 'busy' } })
  return { accepted, refused }
}

export const makeDiscovery = (world: World): Row => ({
  network: hex(UNIVERSE),
  now: NOW.toString(),
  entries: entries(),
  unsigned: unsigned(),
  ...messages(world),
  refused: [...refusedEntries(), ...refusedMessages(world)],
  merging: merging(),
  exchanges: exchanges(world),
})
