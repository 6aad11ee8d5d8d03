// Section 3 against client/: headers, genesis, commands, blocks, votes, certificates, observations.

import {
  blockCodec,
  COMMAND_WINDOW,
  type Command,
  certificateCodec,
  commandCodec,
  commandMessage,
  commitHash,
  type Header,
  headerCodec,
  observationCodec,
  observationMessage,
  VOTE,
  type VoteKind,
  voteMessage,
} from '../../client/groups/block.ts'
import { type Branch, executeBlock, genesisBranch, type Identity } from '../../client/groups/execution.ts'
import { EMPTY_MAP, EMPTY_TREE, genesisOf } from '../../client/groups/genesis.ts'
import type { Machine, SurfaceSpec } from '../../client/groups/machine.ts'
import { checkRoster, type Roster, rosterCodec, rosterId, strength, ZEROS } from '../../client/groups/roster.ts'
import { SPECS } from '../../client/lattice/tally/refund.ts'
import { advance } from '../../client/network/reader/advance.ts'
import { verifyCertificate } from '../../client/network/reader/opened.ts'
import { CheckError, type Committee, type Ground, type Trusted } from '../../client/network/reader/trust.ts'
import { type Bytes, equal, toHex } from '../../client/primitives/bytes.ts'
import { decode, encode, fixed, unit } from '../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { asId } from '../../client/primitives/id.ts'
import { frontier } from '../../client/proofs/index.ts'
import { hashLeaf, hashLeaves } from '../../wasm/core.ts'
import { scopeAt } from './main-keys.ts'
import { accepts, allAt, at, demand, demandHex, demandShown, type Entry, given, hexAt, type Part, refuses, roundTrip } from './main-kit.ts'
import { undecodable } from './main-types.ts'

/** The root of a tree of these items. */
export const rootOf = (items: readonly Bytes[]): Bytes => frontier.rootOf(frontier.append(frontier.emptyFrontier, hashLeaves(items)))

// --- headers

const hashed = (entry: Entry): Header => {
  const header = roundTrip(headerCodec, entry)
  demandHex(commitHash(header), entry.hex('commitHash'), 'commit hash')
  return header
}

const specOf = (surface: Entry): SurfaceSpec<never> => {
  const by = surface.list('by').map((name) => ({ name: String(name), keys: () => [] }))
  return { name: surface.text('name'), kind: 'vec', item: fixed(0) as never, by }
}

/** Of maps, sets, cells, onces and streams client/ has the empty roots and no surface yet: what a vec would be, with kind and root put right. */
const KINDS_WITHOUT_TREE: ReadonlySet<number> = new Set([1, 2, 3, 4])

const expectGenesis = (entry: Entry): void => {
  const header = hashed(entry)
  const declared = entry.entries('surfaces')
  const made = genesisOf(declared.map(specOf), entry.hex('roster'))
  const surfaces = made.surfaces.map((surface, i) => {
    const kind = (declared[i] as Entry).number('kind')
    demand(kind >= 0 && kind <= 5, `no kind ${kind}`)
    return { ...surface, kind, root: KINDS_WITHOUT_TREE.has(kind) ? EMPTY_MAP : EMPTY_TREE }
  })
  demandHex(encode(headerCodec, { ...made, surfaces }), encode(headerCodec, header), 'genesis')
}

// --- commands

const scope = () => scopeAt('commands')

const verifyAuthor = async (command: Command, { network, group } = scope()): Promise<void> => {
  if (command.author === null) return
  const { peer, signature } = command.author
  if (!(await verifyWithNoble(signature, commandMessage(network, group, command), peer)))
    throw new CheckError('commit.consistency', 'an author', 'none')
}

/** A machine whose state counts the commands that took effect. */
const counter: Machine<number, null> = {
  signature: 'counter',
  surfaces: [],
  command: unit,
  state: fixed(0) as never,
  genesis: 0,
  admit: async () => {},
  apply: (state) => ({ state: state + 1, append: [], blobs: [] }),
}
const ALONE: Identity = { network: asId(ZEROS), group: asId(ZEROS), roster: { epoch: 0, members: [] }, rosterId: ZEROS }

/** How many of these commands take effect in a block at `index`. */
const effects = (index: bigint, commands: readonly Command[], seen: (id: string) => boolean): number => {
  const start = genesisBranch(counter, ALONE)
  const parent: Branch<number> = { ...start, header: { ...start.header, index: index - 1n } }
  return executeBlock(counter, ALONE, parent, { view: 1n, timeMs: 0n, commands }, seen, () => null).state
}

const commandUntil = (until: bigint): Command => ({
  id: new Uint8Array(16),
  until,
  author: null,
  body: { kind: 'machine', value: new Uint8Array(0) },
})

const expectRepeat = (entry: Entry): void => {
  const index = entry.big('index')
  const before = entry.list('before').map((each) => BigInt(String(each)))
  const command = commandUntil(index)
  // `seen` is what the group remembers of the blocks before; what stands earlier in the same block the execution sees by itself.
  const seen = () => before.some((each) => each < index && each >= index - COMMAND_WINDOW)
  const earlier = before.filter((each) => each === index).map(() => command)
  const effective = effects(index, [...earlier, command], seen) - earlier.length
  demand(effective === (entry.json('repeats') === true ? 0 : 1), `${effective} took effect`)
}

// --- blocks

/**
 * What can be said of a block alone. A group of one member executes its own blocks and checks nobody's, so client/ has the parts of this
 * and not the whole.
 */
const checkBlock = async (entry: Entry): Promise<void> => {
  const { header, commands } = decode(blockCodec, entry.hex('hex'))
  if (header.version !== 1) throw new CheckError('commit.header', 'version 1', `${header.version}`)
  if (header.surfaces.some(({ kind }) => kind > 5)) throw new CheckError('commit.header', 'kinds 0 to 5', 'another')
  const root = rootOf(commands.map((command) => encode(commandCodec, command)))
  if (!equal(root, header.commands)) throw new CheckError('commit.consistency', toHex(header.commands), toHex(root))
  for (const command of commands) await verifyAuthor(command, scopeAt('blocks'))
}

/** One seat, whose signature is not looked at: what is tried is a header after its parent. */
const seat = { peer: ZEROS, vote: ZEROS, settle: new Uint8Array(20), operator: '' }
const SEAL = { view: 2n ** 64n - 1n, signers: Uint8Array.of(1), signatures: [new Uint8Array(64)] }

const logOf = (...headers: readonly Header[]) =>
  frontier.append(
    frontier.emptyFrontier,
    headers.map((each) => hashLeaf(commitHash(each))),
  )

const follow = async (entry: Entry): Promise<void> => {
  const [genesis, parent] = [at('blocks.next').of(headerCodec, 'genesis'), at('blocks.next').of(headerCodec, 'parent')]
  const roster: Roster = { epoch: 0, members: [seat] }
  const committee: Committee = { roster, id: parent.next, needed: 1 }
  const identified = { ...ALONE, roster, genesis, heartbeatMs: 0, inputs: {} }
  const ground: Ground = { identified, surface: 0, withstand: null, verify: async () => true }
  const trusted: Trusted = {
    header: parent,
    commit: commitHash(parent),
    seal: SEAL,
    committee,
    next: committee,
    steps: [],
    edge: frontier.emptyFrontier,
    log: logOf(genesis),
  }
  await advance(ground, trusted, { headers: [decode(headerCodec, entry.hex('hex'))], seal: SEAL, appended: [[[]]] })
}

/** The member's half: its own execution of nothing on that parent gives the header, byte for byte. */
const expectExecuted = (entry: Entry): void => {
  const machine = { ...counter, surfaces: SPECS }
  const [genesis, parent, header] = [
    at('blocks.next').of(headerCodec, 'genesis'),
    at('blocks.next').of(headerCodec, 'parent'),
    decode(headerCodec, entry.hex('hex')),
  ]
  const identity = { ...ALONE, rosterId: parent.next }
  const branch: Branch<number> = {
    ...genesisBranch(machine, identity),
    header: parent,
    link: { hash: commitHash(parent), view: parent.view, parent: parent.prev, parentView: genesis.view },
    log: logOf(genesis, parent),
  }
  const draft = { view: header.view, timeMs: header.time_ms, commands: [] }
  const made = executeBlock(
    machine,
    identity,
    branch,
    draft,
    () => false,
    () => null,
  )
  demandHex(encode(headerCodec, made.header), entry.hex('hex'), 'executed')
}

// --- certificates

const committeeOf = (entry: Entry): Committee => {
  const row = allAt('certificates.committees').find((each) => each.number('members') === entry.number('members'))
  if (row === undefined) throw new Error('no such committee')
  const withstand = entry.json('withstand')
  const roster = row.of(rosterCodec, 'roster')
  return { roster, id: row.hex('id'), needed: strength(roster.members.length, typeof withstand === 'number' ? withstand : null) }
}

/** The reader's check: the form of the header, then the seal. The machine of these headers has no surface. */
const checkCertificate = async (entry: Entry): Promise<void> => {
  const genesis = genesisOf([], ZEROS)
  const identified = { ...ALONE, ...scopeAt('certificates'), genesis, heartbeatMs: 0, inputs: {} }
  const ground: Ground = { identified, surface: 0, withstand: null, verify: verifyWithNoble }
  const certificate = decode(certificateCodec, entry.hex('hex'))
  await verifyCertificate(ground, committeeOf(entry), certificate)
}

export const BLOCKS: readonly Part[] = [
  accepts('headers', 'encodes and has its commit hash', (entry) => {
    hashed(entry)
  }),
  accepts('genesis', 'is computed from roster and surfaces', expectGenesis),
  given('commands.network'),
  given('commands.group'),
  accepts('commands.accepted', 'encodes, and its author signed what we would verify', async (entry) => {
    const command = roundTrip(commandCodec, entry)
    const { network, group } = scope()
    demandHex(commandMessage(network, group, command), entry.hex('message'), 'message')
    await verifyAuthor(command)
  }),
  accepts('commands.roots', 'is the root of the encoded commands', (entry) => {
    demandHex(rootOf(entry.hexes('commands')), entry.hex('root'), 'root')
  }),
  refuses('commands.badAuthors', 'has no author', (entry) => verifyAuthor(decode(commandCodec, entry.hex('hex')))),
  accepts('commands.terms', 'takes effect within its term only', (entry) => {
    const taken = effects(entry.big('index'), [commandUntil(entry.big('until'))], () => false)
    demand((taken === 1) === entry.json('taken'), `${taken} took effect`)
  }),
  accepts('commands.repeats', 'takes effect once in 1,024 blocks', expectRepeat),
  undecodable('commands.refused'),
  given('blocks.network'),
  given('blocks.group'),
  accepts('blocks.accepted', 'encodes and holds together', async (entry) => {
    roundTrip(blockCodec, entry)
    await checkBlock(entry)
  }),
  refuses('blocks.refused', 'does not hold together', async (entry) => {
    demand(entry.text('type') === 'Block', 'a block')
    await checkBlock(entry)
  }),
  given('blocks.next.genesis'),
  given('blocks.next.parent'),
  accepts('blocks.next.accepted', 'MSK-07 follows its parent, and is what a member executes', async (entry) => {
    await follow(entry)
    expectExecuted(entry)
  }),
  refuses('blocks.next.refused', 'does not follow its parent', follow),
  given('votes.network'),
  given('votes.group'),
  given('votes.roster'),
  accepts('votes.votes', 'GAP-19 signs the bytes that we would verify', async (entry) => {
    const kind = entry.text('kind')
    demand(Object.hasOwn(VOTE, kind) && VOTE[kind as VoteKind] === entry.number('number'), `no kind ${kind}`)
    demand(entry.number('member') >= 0, 'a member')
    const message = voteMessage(hexAt('votes.roster'), entry.big('view'), kind as VoteKind, entry.hex('commitHash'))
    demandHex(message, entry.hex('message'), 'message')
    demand(await verifyWithNoble(entry.hex('signature'), message, entry.hex('public')), 'the signature does not verify')
  }),
  given('certificates.network'),
  given('certificates.group'),
  accepts('certificates.committees', 'has its id and strength', (entry) => {
    const { network, group } = scopeAt('certificates')
    const roster = checkRoster(entry.of(rosterCodec, 'roster'))
    demand(roster.members.length === entry.number('members'), 'members')
    demand(strength(roster.members.length) === entry.number('strength'), 'strength')
    demandHex(rosterId(network, group, ZEROS, roster), entry.hex('id'), 'id')
  }),
  accepts('certificates.value', 'is the accepted one that others are made from', (entry) => {
    const found = allAt('certificates.accepted').find((each) => each.text('name') === 'a quorum of four')
    demandShown(found?.of(certificateCodec, 'hex'), { header: entry.json('header') ?? null, seal: entry.json('seal') ?? null })
  }),
  accepts('certificates.accepted', 'GAP-19 certifies its header', async (entry) => {
    roundTrip(certificateCodec, entry)
    await checkCertificate(entry)
  }),
  refuses('certificates.refused', 'GAP-19 TAL-02 certifies nothing', checkCertificate),
  given('observations.public'),
  accepts('observations.observations', 'encodes, and is signed over what we would verify', async (entry) => {
    const message = observationMessage(roundTrip(observationCodec, entry))
    demandHex(message, entry.hex('message'), 'message')
    demand(await verifyWithNoble(entry.hex('signature'), message, hexAt('observations.public')), 'the signature does not verify')
  }),
]
