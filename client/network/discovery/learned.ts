import { hash } from '../../../wasm/core.ts'
import type { Roster } from '../../groups/roster.ts'
import { seatOf } from '../../groups/roster.ts'
import { type Bytes, compare, concat, equal, toHex } from '../../primitives/bytes.ts'
import { mayDial, readAddress } from '../address.ts'
import type { Candidate, Candidates } from '../candidates.ts'
import type { Catalog } from './catalog.ts'
import { addressesIn, type PeerEntry } from './entry.ts'

/** Peers outside of the roster that are offered: they stand in for members and confirm nothing, and anybody can name himself one. */
const MIRRORS = 8

export interface LearnedOptions {
  readonly bootstrap: Candidates
  readonly catalog: Catalog
  readonly group: Bytes
  /** The newest roster that is known. */
  readonly roster: () => Roster
  /** Chooses among strangers, so that nobody can make himself a key that every reader meets first. */
  readonly salt: Bytes
  readonly onChange: Candidates['onChange']
}

/**
 * Who may be dialled for a group: the bootstrap list, with the addresses that its peers have now, then members of the roster that are known
 * by their entries alone, then some of the others who say they serve it.
 */
export const learned = (options: LearnedOptions): Candidates => ({
  list: () => listOf(options),
  onChange: options.onChange,
})

const listOf = ({ bootstrap, catalog, group, roster, salt }: LearnedOptions): readonly Candidate[] => {
  const given = bootstrap.list()
  const may = mayDial(given.flatMap(({ addresses }) => addresses.map(readAddress)))
  const entries = new Map(catalog.list().map((entry) => [toHex(entry.peer), entry]))
  const told = (entry: PeerEntry | undefined): readonly string[] => (entry === undefined ? [] : addressesIn(entry, may))
  const known = given.map(({ peer, addresses }) => ({ peer, addresses: [...new Set([...told(entries.get(toHex(peer))), ...addresses])] }))
  const others = [...entries.values()]
    .filter((entry) => !given.some(({ peer }) => equal(peer, entry.peer)))
    .map((entry) => ({ entry, candidate: { peer: entry.peer, addresses: told(entry) } }))
    .filter(({ candidate }) => candidate.addresses.length > 0)
  const seats = roster()
  // A member is one by the roster, whatever its entry says it serves.
  const members = others.filter(({ entry }) => seatOf(seats, entry.peer) >= 0)
  const mirrors = others
    .filter(({ entry }) => seatOf(seats, entry.peer) < 0 && entry.groups.some((each) => equal(each, group)))
    .map((other) => ({ ...other, place: hash(concat(salt, other.entry.peer)) }))
    .sort((a, b) => compare(a.place, b.place))
    .slice(0, MIRRORS)
  return [...known, ...[...members, ...mirrors].map(({ candidate }) => candidate)]
}
