// Section 3: headers, genesis, commands, blocks, votes, observations.

import { encode, u64 } from './bcs.ts'
import {
  Block,
  type Body,
  Command,
  checkBlock,
  checkLog,
  checkNext,
  commandMessage,
  commandsRoot,
  commitHash,
  type Declared,
  genesis,
  Header,
  KINDS,
  Observation,
  observationMessage,
  repeats,
  takes,
  VOTES,
  type VoteKind,
  voteMessage,
} from './blocks.ts'
import { sign } from './ed25519.ts'
import { at, type Bytes, bytesOf, H, hex, unhex, ZERO32 } from './hash.ts'
import { both, hexOf, keyFor, type Row, type Signers, signers, voteOf } from './kit.ts'
import { ruleOf } from './make-keys.ts'
import { TALLY_SURFACES } from './tally.ts'
import { EMPTY_TREE, treeRoot } from './tree.ts'
import { BENCH_SURFACES, builtAt, type World } from './world.ts'

const headerRow = (name: string, header: Header): Row => ({ name, ...both(Header, header), commitHash: hex(commitHash(header)) })

const MOST = 2n ** 64n - 1n

export function makeHeaders(world: World): Row[] {
  const real = builtAt(world, 3).header
  const full: Header = {
    ...real,
    next: H('another roster'),
    view: MOST,
    index: MOST,
    time_ms: MOST,
    surfaces: [KINDS.vec, KINDS.cell, KINDS.once, KINDS.stream].map((kind, i) => ({
      name: `kind ${kind} ${'ß'.repeat(12)}`,
      kind,
      size: MOST - BigInt(i),
      root: bytesOf(`surface ${i}`, 32),
      by: i > 0 ? [] : ['a', 'b'].map((each) => ({ name: each, keys: 1n << 33n, root: bytesOf(`${each} ${i}`, 32) })),
    })),
  }
  return [
    headerRow('a block of the world', real),
    headerRow('an empty block of the world', builtAt(world, 4).header),
    headerRow('no surfaces', { ...real, surfaces: [] }),
    headerRow('four surfaces, numbers at their most', full),
    headerRow('one field differs: view', { ...real, view: real.view + 1n }),
    headerRow('one field differs: time_ms', { ...real, time_ms: real.time_ms + 1n }),
  ]
}

const MACHINES = machines()

function machines(): [name: string, surfaces: Declared[]][] {
  const kinds: Declared[] = [
    { name: 'a', kind: KINDS.map, by: [] },
    { name: 'b', kind: KINDS.cell, by: [] },
    { name: 'c', kind: KINDS.once, by: [] },
    { name: 'd', kind: KINDS.stream, by: [] },
  ]
  return [
    ['no surface', []],
    ['bench', BENCH_SURFACES],
    ['tally', TALLY_SURFACES],
    ['map, cell, once, stream', kinds],
  ]
}

/** The genesis of one of these machines. */
export function genesisOf(name: string): Header {
  const machine = MACHINES.find(([each]) => each === name)
  if (machine === undefined) throw new Error(`no machine ${name}`)
  return genesis(H(`roster of ${name}`), machine[1])
}

export const makeGenesis = (): Row[] =>
  MACHINES.map(([name, surfaces]) => {
    const roster = H(`roster of ${name}`)
    const declared = surfaces.map((surface) => ({ ...surface, by: [...surface.by] }))
    return { roster: hex(roster), surfaces: declared, ...headerRow(name, genesisOf(name)) }
  })

// --- commands

const key = () => keyFor('author of commands')

function signed(world: World, id: Bytes, until: bigint, body: Body): Command {
  const signature = sign(key(), commandMessage(world.scope, { id, until, body }))
  return { id, until, author: { peer: key().public, signature }, body }
}

export function makeCommands(world: World): Row {
  const id = bytesOf('command', 16)
  const body: Body = { is: 'machine', value: unhex('00ff10') }
  const anonymous: Command = { id, until: 7n, author: null, body }
  const authored = signed(world, id, MOST, body)
  const empty: Command = { id: new Uint8Array(16), until: 0n, author: null, body: { is: 'machine', value: new Uint8Array(0) } }
  const long = signed(world, bytesOf('long', 16), 1_024n, { is: 'machine', value: bytesOf('long body', 300) })
  const commands = [anonymous, authored, empty, long]
  const refusedBodies = [1, 2, 3].map((kept) => ({
    type: 'Command',
    rule: 'kept',
    why: `body ${kept} is kept for a later version`,
    hex: hexOf(Command, empty).replace(/0000$/, `0${kept}00`),
  }))
  return {
    network: hex(world.scope.network),
    group: hex(world.scope.group),
    accepted: commands.map((command) => ({ ...both(Command, command), message: hex(commandMessage(world.scope, command)) })),
    roots: [0, 1, 2, 3, 4].map((n) => ({
      commands: commands.slice(0, n).map((command) => hexOf(Command, command)),
      root: hex(commandsRoot(commands.slice(0, n))),
    })),
    badAuthors: [
      { why: 'another until', hex: hexOf(Command, { ...authored, until: 8n }) },
      { why: 'another id', hex: hexOf(Command, { ...authored, id: bytesOf('other', 16) }) },
      { why: 'another body', hex: hexOf(Command, { ...authored, body: { is: 'machine', value: unhex('00ff11') } }) },
      { why: 'another peer', hex: hexOf(Command, { ...authored, author: { ...signerOf(authored), peer: keyFor('someone').public } }) },
    ],
    terms: termRows(),
    repeats: repeatRows(),
    refused: [
      ...refusedBodies,
      { type: 'Command', rule: 'variant', why: 'no such body', hex: hexOf(Command, empty).replace(/0000$/, '0400') },
      { type: 'Command', rule: 'trailing', why: 'a byte after the body', hex: `${hexOf(Command, empty)}00` },
      { type: 'Command', rule: 'truncated', why: 'cut by a byte', hex: hexOf(Command, authored).slice(0, -2) },
    ],
  }
}

function signerOf(command: Command) {
  if (command.author === null) throw new Error('anonymous')
  return command.author
}

/** "a block at index i takes a command when i ≤ until ≤ i + 1,024" */
function termRows(): Row[] {
  const rows: [index: bigint, until: bigint][] = [
    [5n, 4n],
    [5n, 5n],
    [5n, 1_028n],
    [5n, 1_029n],
    [5n, 1_030n],
    [1n, 0n],
    [MOST, MOST],
  ]
  return rows.map(([index, until]) => ({ index: index.toString(), until: until.toString(), taken: takes(index, until) }))
}

/** "an id that took effect in blocks i − 1,024 … i − 1, or earlier in this block, makes it a no-op" */
function repeatRows(): Row[] {
  const rows: [index: bigint, before: bigint[]][] = [
    [5n, []],
    [5n, [5n]],
    [5n, [4n]],
    [5n, [1n]],
    [1_029n, [5n]],
    [1_029n, [4n]],
  ]
  return rows.map(([index, before]) => ({ index: index.toString(), before: before.map(String), repeats: repeats(index, before) }))
}

// --- blocks

/** A block after its parent, both of a tally to which nothing was appended, so that nothing but the two headers decides. */
function nextBlocks(): Row {
  const first = genesisOf('tally')
  const after = (parent: Header, log: Header[], change: Partial<Header>): Header => ({
    ...parent,
    view: parent.view + 1n,
    index: parent.index + 1n,
    prev: commitHash(parent),
    log: treeRoot(log.map(commitHash)),
    time_ms: parent.time_ms + 1_000n,
    ...change,
  })
  const parent = after(first, [first], { view: 7n })
  const good = after(parent, [first, parent], {})
  const check = (header: Header) => {
    checkNext(parent, header)
    checkLog([first, parent], header)
  }
  const accepted: Row[] = []
  const refused: Row[] = []
  const accept = (name: string, change: Partial<Header>) => {
    check({ ...good, ...change })
    accepted.push({ name, hex: hexOf(Header, { ...good, ...change }) })
  }
  const refuse = (why: string, change: Partial<Header>) => {
    const header = { ...good, ...change }
    refused.push({ rule: ruleOf(() => check(header)), why, hex: hexOf(Header, header) })
  }
  accept('plain', {})
  accept('a view far ahead, the time of the parent', { view: MOST, time_ms: parent.time_ms })
  refuse('the view of the parent', { view: parent.view })
  refuse('a view below the parent', { view: parent.view - 1n })
  refuse('a time below the parent', { time_ms: parent.time_ms - 1n })
  refuse('the index of the parent', { index: parent.index })
  refuse('an index left out', { index: good.index + 1n })
  refuse('another parent', { prev: commitHash(first) })
  refuse('another roster', { roster: H('another roster') })
  refuse('the log of the parent', { log: parent.log })
  refuse('a log with the block itself', { log: treeRoot([first, parent, good].map(commitHash)) })
  return { genesis: hexOf(Header, first), parent: hexOf(Header, parent), accepted, refused }
}

export function makeBlocks(world: World): Row {
  const good = builtAt(world, 5).block
  const refused: Row[] = []
  const add = (why: string, block: Block) =>
    refused.push({ type: 'Block', rule: ruleOf(() => checkBlock(world.scope, block)), why, hex: hexOf(Block, block) })
  const rooted = (commands: Command[]): Block => ({ header: { ...good.header, commands: commandsRoot(commands) }, commands })
  add('version 2', { ...good, header: { ...good.header, version: 2 } })
  add('a surface of kind 6', {
    ...good,
    header: { ...good.header, surfaces: good.header.surfaces.map((surface, i) => (i === 1 ? { ...surface, kind: 6 } : surface)) },
  })
  add('a command is missing', { ...good, commands: good.commands.slice(1) })
  add('two commands are swapped', { ...good, commands: [...good.commands].reverse() })
  add("an author's signature over another term", rooted([{ ...at(good.commands, 1), until: 6n }]))
  return {
    network: hex(world.scope.network),
    group: hex(world.scope.group),
    accepted: [3, 5].map((index) => both(Block, builtAt(world, index).block)),
    refused,
    next: nextBlocks(),
  }
}

// --- votes

export function makeVotes(): Row {
  const scope = { network: H('network of votes'), group: H('group of votes') }
  const group: Signers = signers(scope, 'voter', 4)
  const hash = H('a block')
  const rows: Row[] = []
  for (const kind of Object.keys(VOTES) as VoteKind[]) {
    for (const [member, view] of [1n, 2n ** 32n + 5n].entries()) {
      rows.push({
        kind,
        number: VOTES[kind],
        member,
        view: view.toString(),
        commitHash: kind === 'nullify' ? hex(ZERO32) : hex(hash),
        message: hex(voteMessage(group.id, view, kind, hash)),
        public: hex(at(group.votes, member).public),
        signature: hex(voteOf(group, member, view, kind, hash)),
      })
    }
  }
  return { network: hex(scope.network), group: hex(scope.group), roster: hex(group.id), votes: rows }
}

// --- observations

export function makeObservations(): Row {
  const member = keyFor('observer')
  const claims: Observation[] = [
    {
      roster_id: H('roster of observations'),
      question: { kind: 1, subject: encode(u64, 17n) },
      round: 0,
      until: 900n,
      value: bytesOf('value', 32),
    },
    { roster_id: ZERO32, question: { kind: 255, subject: new Uint8Array(0) }, round: 2 ** 32 - 1, until: MOST, value: new Uint8Array(0) },
    {
      roster_id: EMPTY_TREE,
      question: { kind: 0, subject: bytesOf('subject', 256) },
      round: 1,
      until: 1n,
      value: bytesOf('long value', 1_024),
    },
  ]
  return {
    public: hex(member.public),
    observations: claims.map((claim) => {
      const message = observationMessage(claim)
      return { ...both(Observation, claim), message: hex(message), signature: hex(sign(member, message)) }
    }),
  }
}
