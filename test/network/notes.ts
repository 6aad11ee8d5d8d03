import { genesisOf } from '../../client/groups/genesis.ts'
import type { SurfaceSpec } from '../../client/groups/machine.ts'
import { type Roster, rosterCodec, rosterId, ZEROS } from '../../client/groups/roster.ts'
import type { Binding } from '../../client/network/binding.ts'
import { type Bytes, equal, fromHex, toHex, utf8 } from '../../client/primitives/bytes.ts'
import { decode, encode, fixed, type Of, struct, text, vector } from '../../client/primitives/codec.ts'
import { asId, derive, type GroupId, UNIVERSE } from '../../client/primitives/id.ts'
import { hash } from '../../wasm/core.ts'

// A surface of notes to people: as plain as one can be that has an index, and items with evidence.

export const noteCodec = struct('Note', { to: vector(fixed(20), 8), words: text(100_000), proof: fixed(32) })
export type Note = Of<typeof noteCodec>

export const person = (n: number): Bytes => hash(utf8(`person ${n}`)).slice(0, 20)
/** The evidence of a note: its own words. */
export const blobOf = (words: string): Bytes => utf8(`proof of ${words}`)
export const note = (words: string, ...to: readonly number[]): Note => ({ to: to.map(person), words, proof: hash(blobOf(words)) })

export const SPECS: readonly SurfaceSpec<never>[] = [
  {
    name: 'notes',
    kind: 'vec',
    item: noteCodec,
    by: [
      { name: 'to', keys: (item: Note) => item.to },
      { name: 'words', keys: (item: Note) => [utf8(item.words.slice(0, 8))] },
    ],
  },
] satisfies readonly SurfaceSpec<Note>[] as never

export const GROUP: GroupId = asId(derive(UNIVERSE, 'notes'))
export const HEARTBEAT = 1_000

export interface NoteDatum {
  readonly position: bigint
  readonly words: string
  readonly to: readonly string[]
}

export interface NotesConfig {
  readonly roster: Roster
}

/** As data, or in JSON with the roster's canonical bytes in hex. */
const rosterIn = (config: unknown): Roster => {
  const { roster } = config as { readonly roster: Roster | string }
  return typeof roster === 'string' ? decode(rosterCodec, fromHex(roster)) : roster
}

export const identify: Binding<NoteDatum>['identify'] = (network, config) => {
  const roster = rosterIn(config)
  const id = rosterId(network, GROUP, ZEROS, roster)
  return {
    network,
    group: GROUP,
    roster,
    genesis: genesisOf(SPECS, id),
    heartbeatMs: HEARTBEAT,
    inputs: { name: 'notes', epoch: roster.epoch },
  }
}

export const notes: Binding<NoteDatum> = {
  name: 'notes.all',
  identify,
  published: (config) => ({ roster: toHex(encode(rosterCodec, rosterIn(config))) }),
  surface: 0,
  specs: SPECS,
  datum: ((item: Note, { position }: { position: bigint }) => ({ position, words: item.words, to: item.to.map(toHex) })) as never,
  questions: {
    of: { by: 0, bucket: true, key: (argument) => person(argument as number), answer: (items) => items },
    first: { by: 1, bucket: false, key: (argument) => utf8(String(argument).slice(0, 8)), answer: (items) => items[0] ?? null },
  },
  evidence: ((item: Note) => ({
    hash: item.proof,
    check: (blob: Bytes) => {
      if (!equal(blob, blobOf(item.words))) throw new Error('the blob is about other words')
      return { blob, words: item.words }
    },
  })) as never,
}
