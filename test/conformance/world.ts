// A small group whose blocks, certificates and surfaces the light messages speak of. Its machine is invented ("bench"): a vec with two
// indexes, a map, a set and a stream. Its commands are never executed: the blocks say what was appended.

import { encode, fixed, list, type Of, struct, text, u64 } from './bcs.ts'
import {
  type Block,
  type Certificate,
  type Command,
  commandMessage,
  commandsRoot,
  commitHash,
  type Declared,
  emptySurface,
  genesis,
  type Header,
  KINDS,
} from './blocks.ts'
import { rosterId, type Scope } from './committee.ts'
import { sign } from './ed25519.ts'
import { at, type Bytes, bytesOf, H } from './hash.ts'
import { type Signers, sealOf, signers, upTo } from './kit.ts'
import { type Entry, leavesOf, mapRoot } from './map.ts'
import { chainsOf, indexRoot, type Keyed } from './tails.ts'
import { treeRoot } from './tree.ts'

export const BENCH_SURFACES: Declared[] = [
  { name: 'notes', kind: KINDS.vec, by: ['topic', 'author'] },
  { name: 'names', kind: KINDS.map, by: [] },
  { name: 'guests', kind: KINDS.set, by: [] },
  { name: 'feed', kind: KINDS.stream, by: [] },
]

/** An item of `notes`. Index 0, topic: each topic (text ≤ 16). Index 1, author: the author ([20]). */
export const Note = struct({ author: fixed(20), topics: list(text(16), 4), body: text(64) })
export type Note = Of<typeof Note>
export const Name = text(32)

export const topicKey = (topic: string): Bytes => encode(text(16), topic)
const noteKeys = (note: Note, by: number): Bytes[] => (by === 0 ? note.topics.map(topicKey) : [note.author])

export interface State {
  notes: Note[]
  names: [string, bigint][]
  guests: Bytes[]
  feed: Bytes[]
}

export const noteItems = (state: State): Bytes[] => state.notes.map((note) => encode(Note, note))
export const keyedNotes = (state: State, by: number): Keyed[] =>
  state.notes.map((note) => ({ item: encode(Note, note), keys: noteKeys(note, by) }))
/** A map holds canonical keys and canonical values; a set maps to unit, whose encoding is empty. */
export const nameEntries = (state: State): Entry[] => state.names.map(([name, n]) => ({ key: encode(Name, name), value: encode(u64, n) }))
export const guestEntries = (state: State): Entry[] => state.guests.map((guest) => ({ key: guest, value: new Uint8Array(0) }))

function surfacesOf(state: State): Header['surfaces'] {
  const [notes, names, guests, feed] = BENCH_SURFACES.map(emptySurface)
  if (!notes || !names || !guests || !feed) throw new Error('four surfaces')
  const by = notes.by.map((index, i) => {
    const keyed = keyedNotes(state, i)
    return { name: index.name, keys: BigInt(chainsOf(keyed).length), root: indexRoot(keyed) }
  })
  return [
    { ...notes, size: BigInt(state.notes.length), root: treeRoot(noteItems(state)), by },
    { ...names, size: BigInt(state.names.length), root: mapRoot(leavesOf(nameEntries(state))) },
    { ...guests, size: BigInt(state.guests.length), root: mapRoot(leavesOf(guestEntries(state))) },
    { ...feed, size: BigInt(state.feed.length), root: treeRoot(state.feed) },
  ]
}

export interface Built {
  block: Block
  header: Header
  hash: Bytes
  certificate: Certificate
  state: State
  added: State
  group: Signers
}

export interface World {
  scope: Scope
  genesis: Header
  /** Blocks 1, 2, …: `built[i]` has index i + 1. */
  built: Built[]
}

const TOPICS = ['tea', 'rain', 'go', 'ß']
const AUTHORS = upTo(3).map((i) => bytesOf(`author ${i}`, 20))
export const authorOf = (i: number): Bytes => at(AUTHORS, i % AUTHORS.length)

/** What block i appends and sets: nothing in blocks 4 and 8, several of each in the others. */
function addedIn(i: number): State {
  if (i % 4 === 0) return { notes: [], names: [], guests: [], feed: [] }
  const notes = upTo(1 + (i % 3)).map((j) => ({
    author: authorOf(i + 2 * j),
    // One note in five carries no topic, the others one, two or three of them.
    topics: upTo((i + 3 * j) % 5)
      .slice(0, 3)
      .map((k) => at(TOPICS, (i + j + k) % TOPICS.length)),
    body: `note ${j} of block ${i}`,
  }))
  return {
    notes,
    names: [[`name ${i % 6}`, BigInt(100 * i)]],
    guests: i % 2 === 0 ? [] : [bytesOf(`guest ${i}`, 20)],
    feed: upTo(i % 3).map((j) => encode(text(64), `feed ${i}/${j}`)),
  }
}

const grow = (before: State, added: State): State => ({
  notes: [...before.notes, ...added.notes],
  names: [...before.names.filter(([name]) => !added.names.some(([other]) => other === name)), ...added.names],
  guests: [...before.guests, ...added.guests],
  feed: [...before.feed, ...added.feed],
})

function commandsIn(group: Signers, index: number): Command[] {
  return upTo(index % 3).map((j) => {
    const open = {
      id: bytesOf(`command ${index}/${j}`, 16),
      until: BigInt(index) + (j === 0 ? 0n : 1_024n),
      body: { is: 'machine' as const, value: bytesOf(`body ${index}/${j}`, 5 + 20 * j) },
    }
    const peer = at(group.peers, j)
    const signature = sign(peer, commandMessage(group.scope, open))
    return { ...open, author: j === 0 ? null : { peer: peer.public, signature } }
  })
}

/** One block after another, each with a seal of its own; the last block of the first epoch names the next roster if there is one. */
export function buildWorld(label: string, blocks: number, change?: { after: number; members: number }): World {
  const scope = { network: H(`network of ${label}`), group: H(`group of ${label}`) }
  let group = signers(scope, label, 4)
  const start = genesis(group.id, BENCH_SURFACES)
  const built: Built[] = []
  let parent = start
  let state: State = { notes: [], names: [], guests: [], feed: [] }
  const hashes: Bytes[] = [commitHash(start)]
  for (let i = 1; i <= blocks; i++) {
    const added = addedIn(i)
    const prev = commitHash(parent)
    state = grow(state, added)
    const following = change?.after === i ? signers(scope, label, change.members, group.roster.epoch + 1, prev) : group
    const commands = commandsIn(group, i)
    // Every fifth block skips a view.
    const view = parent.view + (i % 5 === 0 ? 2n : 1n)
    const header: Header = {
      version: 1,
      roster: group.id,
      next: following === group ? group.id : rosterId(scope, following.roster, prev),
      view,
      index: BigInt(i),
      prev,
      commands: commandsRoot(commands),
      log: treeRoot(hashes),
      surfaces: surfacesOf(state),
      time_ms: 1_700_000_000_000n + 1_000n * BigInt(i),
    }
    const hash = commitHash(header)
    const n = group.roster.members.length
    // Sealed by a quorum, each time another one; every fourth block in a view after its own.
    const sealed = upTo(n).filter((member) => n < 4 || member !== i % n)
    const certificate = { header, seal: sealOf(group, header, i % 4 === 0 ? view + 1n : view, sealed) }
    built.push({ block: { header, commands }, header, hash, certificate, state, added, group })
    hashes.push(hash)
    parent = header
    group = following
  }
  return { scope, genesis: start, built }
}

export const logOf = (world: World, index: number): Bytes[] =>
  [commitHash(world.genesis), ...world.built.map((b) => b.hash)].slice(0, index)
export const builtAt = (world: World, index: number): Built => at(world.built, index - 1)
