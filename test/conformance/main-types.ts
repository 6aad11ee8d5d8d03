// The types that the vectors name, as client/ has them.

import { blockCodec, certificateCodec, commandCodec, headerCodec, observationCodec } from '../../client/groups/block.ts'
import { rosterCodec } from '../../client/groups/roster.ts'
import { aclCodec, contentCodec } from '../../client/lattice/tally/config.ts'
import { paymentProofsCodec } from '../../client/lattice/tally/evidence.ts'
import { commandCodec as machineCommandCodec } from '../../client/lattice/tally/machine.ts'
import { blockFactsCodec, paymentFactCodec } from '../../client/lattice/tally/payment.ts'
import { refundCodec } from '../../client/lattice/tally/refund.ts'
import { signedEntryCodec } from '../../client/network/discovery/entry.ts'
import { headHintCodec } from '../../client/network/discovery/heads.ts'
import { catalogRequestCodec, catalogResponseCodec } from '../../client/network/discovery/messages.ts'
import { rumourCodec } from '../../client/network/discovery/rumours.ts'
import { requestCodec, responseCodec } from '../../client/network/light/messages.ts'
import { type AnswerOf, answerCodec, type QueryOf, queryCodec } from '../../client/network/light/queries.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  fixed,
  option,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  u128,
  unit,
  variant,
  vector,
} from '../../client/primitives/codec.ts'
import { MapProof, RangeProof, TreeProof } from '../../client/proofs/index.ts'
import { accepts, type Entry, expectUndecodable, join, type Part, roundTrip } from './main-kit.ts'

const pair = struct('Pair', { a: u16, b: text(8) })

const CODECS: { readonly [name: string]: Codec<unknown> } = {
  u8,
  u16,
  u32,
  u64,
  u128,
  bool,
  '[4]': fixed(4),
  'bytes ≤ 300': bytes(300),
  'text ≤ 8': text(8),
  'list ≤ 3 of u16': vector(u16, 3),
  'list 1..2 of u8': vector(u8, 2, 1),
  'list ≤ 300 of u8': vector(u8, 300),
  'option u8': option(u8),
  'option list ≤ 2 of bool': option(vector(bool, 2)),
  '{ a u16, b text ≤ 8 }': pair,
  Choice: variant('Choice', { none: [0, unit], some: [1, u8], pair: [2, pair], last: [255, unit] }),
  Acl: aclCodec,
  Block: blockCodec,
  BlockFacts: blockFactsCodec,
  CatalogRequest: catalogRequestCodec,
  CatalogResponse: catalogResponseCodec,
  Certificate: certificateCodec,
  Command: commandCodec,
  Content: contentCodec,
  HeadHint: headHintCodec,
  Header: headerCodec,
  MachineCommand: machineCommandCodec,
  MapProof,
  Observation: observationCodec,
  PaymentFact: paymentFactCodec,
  PaymentProofs: paymentProofsCodec,
  RangeProof,
  Refund: refundCodec,
  Request: requestCodec,
  Response: responseCodec,
  Roster: rosterCodec,
  Rumour: rumourCodec,
  SignedEntry: signedEntryCodec,
  TreeProof,
}

/** The codec that an entry's `type` names; a name that is not known here fails the entry. */
export const codecNamed = (name: string): Codec<unknown> => {
  const codec = CODECS[name]
  if (codec === undefined) throw new Error(`no type ${name} here`)
  return codec
}

/** Entries with `type` and `hex` that the decoder refuses. */
export const undecodable = (path: string): Part =>
  accepts(path, 'is refused by the decoder', (entry) => {
    const codec = codecNamed(entry.text('type'))
    const input = entry.hex('hex')
    expectUndecodable(() => decode(codec, input))
  })

export const encodes = <T>(path: string, codec: Codec<T>): Part =>
  accepts(path, 'encodes and decodes', (entry) => {
    roundTrip(codec, entry)
  })

export const encodesNamed = (path: string): Part =>
  accepts(path, 'encodes and decodes', (entry) => {
    roundTrip(codecNamed(entry.text('type')), entry)
  })

// TailQuery and TailAnswer stand in the vectors without the variant index of row 4, with which client/ knows them.
const ROW = Uint8Array.of(4)

export const decodeTailQuery = (input: Bytes): QueryOf<'tail'> => {
  const query = decode(queryCodec, join(ROW, input))
  if (query.kind !== 'tail') throw new Error('row 4 is the tail')
  return query.value
}

export const decodeTailAnswer = (input: Bytes): AnswerOf<'tail'> => {
  const answer = decode(answerCodec, join(ROW, input))
  if (answer.kind !== 'tail') throw new Error('row 4 is the tail')
  return answer.value
}

export const encodeTailQuery = (value: QueryOf<'tail'>): Bytes => encode(queryCodec, { kind: 'tail', value }).slice(1)
export const encodeTailAnswer = (value: AnswerOf<'tail'>): Bytes => encode(answerCodec, { kind: 'tail', value }).slice(1)

/** Index and items of `path` decode with the codec of the entry's `stage`: what is refused by decoding, or by a check on what was decoded. */
export const isDecodeStage = (entry: Entry): boolean => {
  const stage = entry.text('stage')
  if (stage !== 'decode' && stage !== 'check') throw new Error(`no stage ${stage} here`)
  return stage === 'decode'
}
