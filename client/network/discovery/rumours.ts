import { CertificateError, verifySeal } from '../../groups/certificate.ts'
import { type Roster, thresholds } from '../../groups/roster.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { decode, encode, type Of, variant } from '../../primitives/codec.ts'
import type { UniqueId } from '../../primitives/id.ts'
import type { Host } from '../host.ts'
import { Allowance } from './allowance.ts'
import type { Catalog, Merged } from './catalog.ts'
import { type SignedEntry, signedEntryCodec, stampOf } from './entry.ts'
import { type HeadHint, type Heads, headHintCodec } from './heads.ts'

// What full nodes gossip, and what becomes of each message: docs/wire.md section 10. Who carries gossip and how is the host's (node/discovery).

/** Longest message, in bytes. */
export const MAX_RUMOUR = 65_536
/** Messages of one neighbour in a minute, and how many of them may be wrong: honest nodes drop copies, so this is of different ones. */
const NEIGHBOUR = { offers: 6_000, faults: 16 } as const
/** Milliseconds between two heads of one group that are passed on. */
const HEAD_MS = 10_000
/** Groups whose last head is remembered. */
const GROUPS = 1_024
/** Milliseconds for which an entry that is known already is still passed on: it may have come by a catalog, which went to nobody else. */
const FRESH_MS = 120_000

/** The topic of a network: one for everything, for who learns of all gossips about all. */
export const topicOf = (network: UniqueId): string => `/coalition/universe/1/${toHex(network)}`

export const rumourCodec = variant('Rumour', { entry: [0, signedEntryCodec], head: [1, headHintCodec] })
export type Rumour = Of<typeof rumourCodec>

/** accept: passed on · ignore: dropped · reject: dropped, and held against the neighbour that brought it. */
export type Ruling = 'accept' | 'ignore' | 'reject'

/** A committee whose certificates this node can check, with its newest block. */
export interface KnownCommittee {
  readonly group: Bytes
  readonly roster: () => Roster
  readonly rosterId: () => Bytes
}

export interface RumoursOptions {
  readonly host: Pick<Host, 'now' | 'verify' | 'log'>
  readonly catalog: Catalog
  readonly heads: Heads
  readonly committees: readonly KnownCommittee[]
}

/** Decides on every message before it goes further, so that what is wrong ends at the first honest node. */
export class Rumours {
  readonly #o: RumoursOptions
  readonly #neighbours: Allowance
  readonly #passed = new Map<string, { readonly atMs: number; readonly index: bigint }>()

  constructor(options: RumoursOptions) {
    this.#o = options
    this.#neighbours = new Allowance(options.host, NEIGHBOUR)
  }

  /** @param source link key of the neighbour that brought it; whoever made it is in the message */
  async judge(data: Bytes, source: Bytes): Promise<Ruling> {
    // One that floods is no better than one that lies: both cost everybody behind us.
    if (!this.#neighbours.take(source)) return 'reject'
    const ruling = await this.#rule(data, source)
    if (ruling === 'reject') this.#neighbours.blame(source)
    return ruling
  }

  async #rule(data: Bytes, source: Bytes): Promise<Ruling> {
    const rumour = readRumour(data)
    if (rumour === null) return 'reject'
    return rumour.kind === 'entry' ? this.#entry(rumour.value, source) : this.#head(rumour.value, source)
  }

  async #entry(signed: SignedEntry, source: Bytes): Promise<Ruling> {
    const merged = await this.#o.catalog.offer(signed, source)
    if (merged.kind === 'known') return this.#isFresh(signed) ? 'accept' : 'ignore'
    return rulingOf(merged, signed, source)
  }

  #isFresh({ entry }: SignedEntry): boolean {
    return entry.version.update_ms + BigInt(FRESH_MS) > stampOf(this.#o.host.now())
  }

  async #head(hint: HeadHint, source: Bytes): Promise<Ruling> {
    const { catalog, heads, host } = this.#o
    // A hint without a certificate could be made by anybody at no cost: it goes no further than one neighbour.
    if (hint.certificate === null) {
      heads.add(hint, source)
      return 'ignore'
    }
    const name = toHex(hint.group)
    const committee = this.#o.committees.find(({ group }) => equal(group, hint.group))
    const isTooSoon = (): boolean => host.now() - (this.#passed.get(name)?.atMs ?? Number.NEGATIVE_INFINITY) < HEAD_MS
    if (committee === undefined) {
      // Nobody here can check it, so what bounds it is its group: one that somebody in the catalog serves, and one head in so much time.
      if (isTooSoon() || catalog.list(hint.group).length === 0) return 'ignore'
    } else {
      const problem = await problemOf(hint, committee, host)
      if (problem !== null) return problem
      if (isTooSoon() || hint.index <= (this.#passed.get(name)?.index ?? -1n)) return 'ignore'
    }
    this.#pass(name, hint, source)
    return 'accept'
  }

  #pass(name: string, hint: HeadHint, source: Bytes): void {
    this.#o.heads.add(hint, source)
    this.#passed.delete(name)
    if (this.#passed.size >= GROUPS) this.#passed.delete(this.#passed.keys().next().value as string)
    this.#passed.set(name, { atMs: this.#o.host.now(), index: hint.index })
  }
}

/** A message for the topic. @throws EncodeError */
export const rumour = (value: Rumour): Bytes => encode(rumourCodec, value)

const readRumour = (data: Bytes): Rumour | null => {
  if (data.length > MAX_RUMOUR) return null
  try {
    return decode(rumourCodec, data)
  } catch {
    return null
  }
}

// An entry that its own peer spoiled is held against nobody but that peer: who passed it on may have met it first.
const rulingOf = (merged: Merged, { entry }: SignedEntry, source: Bytes): Ruling => {
  if (merged.kind === 'taken') return 'accept'
  if (merged.kind !== 'refused') return 'ignore'
  return merged.by === 'source' || equal(entry.peer, source) ? 'reject' : 'ignore'
}

const problemOf = async (
  { certificate }: HeadHint,
  { roster, rosterId }: KnownCommittee,
  { verify }: RumoursOptions['host'],
): Promise<Ruling | null> => {
  if (certificate === null) return 'ignore'
  const { header, seal } = certificate
  // Of an epoch that this node is not in: neither good nor bad.
  if (!equal(header.roster, rosterId())) return 'ignore'
  const { quorum } = thresholds(roster().members.length)
  try {
    await verifySeal({ header, seal, roster: roster(), rosterId: rosterId(), needed: quorum, verify })
    return null
  } catch (error) {
    if (error instanceof CertificateError) return 'reject'
    throw error
  }
}
