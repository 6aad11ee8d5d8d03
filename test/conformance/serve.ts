// A server of the world, as plain as it goes: what an honest one answers. Section 5.

import { encode } from './bcs.ts'
import { Command, commitHash } from './blocks.ts'
import { at, type Bytes, compare, same } from './hash.ts'
import type { Answer, Commits, Opened, Query } from './light.ts'
import { agrees, type Entry, leavesOf, pathOf, proveMap } from './map.ts'
import { proveTail, type TailQuery } from './tails.ts'
import { proveItem, proveRange } from './tree.ts'
import { builtAt, guestEntries, keyedNotes, logOf, nameEntries, noteItems, type State, type World } from './world.ts'

export const tailOf = (by: number, bits: number, path: Bytes): TailQuery => ({ surface: 0, by, bits, path, have: [], upto: [], max: 1_000 })

const itemsOf = (state: State, surface: number): Bytes[] => (surface === 0 ? noteItems(state) : state.feed)
const entriesOf = (state: State, surface: number): Entry[] => (surface === 1 ? nameEntries(state) : guestEntries(state))
const headerAt = (world: World, index: number) => (index === 0 ? world.genesis : builtAt(world, index).header)

/** The answer against the header at `index`. */
export function answerTo(world: World, index: number, query: Query): Answer {
  const { state } = builtAt(world, index)
  switch (query.is) {
    case 'item': {
      const items = itemsOf(state, query.value.surface)
      const position = Number(query.value.position)
      return { is: 'item', value: { item: at(items, position), proof: proveItem(items, position) } }
    }
    case 'range': {
      const items = itemsOf(state, query.value.surface)
      const from = Number(query.value.from)
      const to = Number(query.value.to)
      if (from > to || to > items.length) throw new Error('a range past the surface: error 7, no answer')
      return { is: 'range', value: { items: items.slice(from, to), proof: proveRange(items, from, to) } }
    }
    case 'key': {
      const entries = entriesOf(state, query.value.surface)
      const found = entries.find((entry) => same(entry.key, query.value.key))
      return { is: 'key', value: { value: found?.value ?? null, proof: proveMap(leavesOf(entries), pathOf(query.value.key), 256) } }
    }
    case 'prefix': {
      const { bits, path, surface } = query.value
      const entries = entriesOf(state, surface)
      const found = entries.filter((entry) => agrees(pathOf(entry.key), path, bits)).sort(byPath)
      return { is: 'prefix', value: { entries: found, proof: proveMap(leavesOf(entries), path, bits) } }
    }
    case 'tail':
      return { is: 'tail', value: proveTail(keyedNotes(state, query.value.by), query.value) }
    case 'header': {
      const i = Number(query.value.index)
      return { is: 'header', value: { header: headerAt(world, i), proof: proveItem(logOf(world, index), i) } }
    }
    case 'commands': {
      const i = Number(query.value.index)
      const { header, block } = builtAt(world, i)
      const commands = block.commands.map((command) => encode(Command, command))
      return { is: 'commands', value: { header, proof: proveItem(logOf(world, index), i), commands } }
    }
  }
}

const byPath = (a: Entry, b: Entry): number => compare(pathOf(a.key), pathOf(b.key))

/** `opened` with the head at `index`, from epoch 0 on, with the links that the known indexes have. */
export function openedAt(world: World, index: number, known: number[]): Opened {
  const steps = world.built
    .filter((built) => built.header.index < BigInt(index) && !same(built.header.roster, built.header.next))
    .map((built) => ({ certificate: built.certificate, roster: builtAt(world, Number(built.header.index) + 1).group.roster }))
  const log = logOf(world, index)
  return {
    steps,
    more: false,
    head: builtAt(world, index).certificate,
    links: known.map((i) => (i < index ? proveItem(log, i) : null)),
  }
}

/** One `commits` for the blocks from … to, with what they appended to these surfaces. */
export function appendedOf(world: World, surfaces: number[], from: number, to: number): Commits {
  const blocks = world.built.slice(from - 1, to)
  return {
    headers: blocks.map((built) => built.header),
    seal: builtAt(world, to).certificate.seal,
    appended: blocks.map((built) => surfaces.map((surface) => itemsOf(built.added, surface))),
  }
}

export const hashAt = (world: World, index: number): Bytes => commitHash(headerAt(world, index))
