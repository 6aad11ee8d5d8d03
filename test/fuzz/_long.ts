import { blockCodec, type Header } from '../../client/groups/block.ts'
import { ZEROS } from '../../client/groups/roster.ts'
import { paymentProofsCodec } from '../../client/lattice/tally/evidence.ts'
import { requestCodec, responseCodec } from '../../client/network/light/messages.ts'
import { type Bytes, concat } from '../../client/primitives/bytes.ts'
import { type Codec, encode } from '../../client/primitives/codec.ts'
import type { Seeded } from './_corpus.ts'
import { uleb } from './_mutate.ts'

// The most that a peer can have us make of one frame: a megabyte of the shortest items that each list takes. They are what a hostile peer
// sends, so they are written by hand where an honest encoder takes too long or refuses.

const list = (count: number, item: Bytes): Bytes => {
  const items = new Uint8Array(count * item.length)
  for (let at = 0; at < items.length; at += item.length) items.set(item, at)
  return concat(uleb(count), items)
}

const header: Header = {
  version: 1,
  roster: ZEROS,
  next: ZEROS,
  view: 1n,
  index: 1n,
  prev: ZEROS,
  commands: ZEROS,
  log: ZEROS,
  surfaces: [],
  time_ms: 1n,
}

const ITEMS = 65_535
/** A range from 0 to 0 of a tree of 0, nothing on either side. */
const NO_PROOF = concat(new Uint8Array(24), Uint8Array.of(0, 0))
/** A map proof of depth 0 that ends in nothing. */
const NO_MAP = new Uint8Array(5)

/** `answers` ranges of as many items of `size` bytes as there may be. */
const ranges = (answers: number, size: number): Bytes => {
  const items = list(ITEMS, concat(uleb(size), new Uint8Array(size)))
  return concat(Uint8Array.of(2), list(answers, concat(Uint8Array.of(1), items, NO_PROOF)))
}

const commits = (): Bytes => {
  const value = { headers: [header], seal: { view: 1n, signers: Uint8Array.of(1), signatures: [new Uint8Array(64)] }, appended: [[[]]] }
  const short = encode(responseCodec, { kind: 'commits', value })
  return concat(short.subarray(0, -3), list(4, list(4, list(65_000, Uint8Array.of(0)))))
}

const runs = (): Bytes => {
  const run = concat(new Uint8Array(1 + 8 + 32 + 8 + 32), list(ITEMS, new Uint8Array(8)))
  return concat(Uint8Array.of(2, 1, 4), NO_MAP, Uint8Array.of(0), list(1, run))
}

const prefixes = (): Bytes => {
  const answer = concat(Uint8Array.of(3), list(1_024, Uint8Array.of(0, 0)), NO_MAP)
  return concat(Uint8Array.of(2), list(64, answer))
}

const tails = (): Bytes => {
  const marks = list(1_024, new Uint8Array(40))
  const query = concat(new Uint8Array(36), marks, marks, new Uint8Array(4))
  return concat(Uint8Array.of(2), ZEROS, new Uint8Array(8), list(12, concat(Uint8Array.of(4), query)))
}

const block = (): Bytes => {
  const command = concat(new Uint8Array(16 + 8 + 1 + 1), list(200, Uint8Array.of(0)))
  return concat(encode(blockCodec, { header, commands: [] }).subarray(0, -1), list(4_096, command))
}

const proofs = (): Bytes => {
  const nodes = list(64, Uint8Array.of(0))
  return concat(Uint8Array.of(0), list(256, concat(new Uint8Array(4), nodes, nodes)))
}

export const longest = (): readonly Seeded[] => {
  const of = <T>(name: string, codec: Codec<T>, ...inputs: readonly Bytes[]): Seeded => ({ name: `long ${name}`, codec, inputs })
  return [
    of('Response', responseCodec, ranges(15, 0), ranges(7, 1), ranges(3, 3), commits(), runs(), prefixes()),
    of('Request', requestCodec, tails()),
    of('Block', blockCodec, block()),
    of('PaymentProofs', paymentProofsCodec, proofs()),
  ]
}
