import { certificateCodec, headerCodec, sealCodec } from '../../groups/block.ts'
import { contradictionCodec } from '../../groups/contradiction.ts'
import { rosterCodec } from '../../groups/roster.ts'
import { bool, bytes, fixed, type Of, option, refine, struct, text, u8, u16, u32, u64, variant, vector } from '../../primitives/codec.ts'
import { TreeProof } from '../../proofs/index.ts'
import { answerCodec, MAX_ITEM, MAX_LIST, queryCodec } from './queries.ts'

// docs/wire.md section 5, row for row. Bytes of both directions are hostile: every list and text has its bound here, and nowhere else.

/** Name of the protocol when a stream is opened. */
export const LIGHT_PROTOCOL = '/coalition/light/1'
/** The version that `hello` agrees on; the other end may know more. */
export const LIGHT_VERSION = 1

const group = fixed(32)
/** The most of what one connection may have open, and how long an answer may take (docs/wire.md section 5). */
export const LIGHT_LIMITS = { frame: 1_048_576, streams: 32, watches: 8, unaryMs: 30_000 } as const
/** Longest blob and the most of it that one answer carries. */
export const BLOB_LIMITS = { total: 67_108_864n, page: 262_144 } as const
/** Most headers of one `commits`. */
export const MAX_HEADERS = 64
/** Most tickets of one answer, and most collateral that one ticket names. */
export const MAX_TICKETS = 64
const MAX_COLLATERAL = 4
/** Most bytes of a ticket's data. */
export const MAX_TICKET = 16_000
/** Most contradictions of one answer. */
export const MAX_EVIDENCE = 16
/** Most epochs of one `opened`. */
export const MAX_STEPS = 64

const ascending = refine(vector(u8, 4, 1), 'surfaces', (surfaces) =>
  surfaces.every((surface, i) => i === 0 || surface > (surfaces[i - 1] as number)) ? null : 'surface numbers that do not ascend',
)

export const requestCodec = variant('Request', {
  hello: [0, struct('Hello', { versions: vector(u16, 8, 1), groups: vector(group, 16) })],
  open: [
    1,
    struct('Open', {
      group,
      fromEpoch: u32,
      known: vector(struct('Known', { index: u64, hash: fixed(32) }), 2),
      withstand: option(u8),
    }),
  ],
  prove: [2, struct('Prove', { group, at: u64, queries: vector(queryCodec, 64, 1) })],
  watch: [3, struct('Watch', { group, surfaces: ascending, from: u64, withstand: option(u8), credit: u32 })],
  credit: [4, struct('Credit', { n: u32 })],
  tickets: [5, struct('TicketsRequest', { group, roster: fixed(32) })],
  blob: [6, struct('BlobRequest', { hash: fixed(32), offset: u64 })],
  evidence: [7, struct('EvidenceRequest', { group })],
})

const limits = struct('Limits', { frame: u32, streams: u16, watches: u16, unaryMs: u32 })
export const servedCodec = struct('Served', { group, oldest: u64, newest: u64, held: u64 })
export const stepCodec = struct('EpochStep', { certificate: certificateCodec, roster: rosterCodec })
export const memberTicketCodec = struct('MemberTicket', {
  member: u8,
  class: fixed(32),
  data: bytes(MAX_TICKET),
  /** BLAKE3 of each piece of collateral: what `blob` is asked for. */
  collateral: vector(fixed(32), MAX_COLLATERAL),
})
const total = refine(u64, 'total', (value) => (value > BLOB_LIMITS.total ? `${value} bytes, at most ${BLOB_LIMITS.total}` : null))

export const responseCodec = variant('Response', {
  hello: [0, struct('HelloResponse', { version: u16, limits, timeMs: u64, served: vector(servedCodec, 16) })],
  opened: [
    1,
    struct('Opened', {
      steps: vector(stepCodec, MAX_STEPS),
      more: bool,
      head: certificateCodec,
      links: vector(option(TreeProof), 2),
    }),
  ],
  proven: [2, struct('Proven', { answers: vector(answerCodec, 64, 1) })],
  commits: [
    3,
    struct('Commits', {
      headers: vector(headerCodec, MAX_HEADERS, 1),
      seal: sealCodec,
      appended: vector(vector(vector(bytes(MAX_ITEM), MAX_LIST), 4, 1), MAX_HEADERS, 1),
    }),
  ],
  gap: [4, struct('Gap', { next: u64 })],
  tickets: [5, struct('TicketsResponse', { tickets: vector(memberTicketCodec, MAX_TICKETS) })],
  blob: [6, struct('BlobResponse', { total, bytes: bytes(BLOB_LIMITS.page) })],
  evidence: [7, struct('EvidenceResponse', { items: vector(contradictionCodec, MAX_EVIDENCE) })],
  error: [255, struct('ErrorResponse', { code: u8, have: u64, retryMs: u32, text: text(256) })],
})

/** Codes of the `error` response. */
export const ERROR_CODE = {
  unknownGroup: 1,
  notYet: 2,
  pruned: 3,
  ticket: 4,
  tooLarge: 5,
  busy: 6,
  badRequest: 7,
  version: 8,
} as const

export type Request = Of<typeof requestCodec>
export type Response = Of<typeof responseCodec>
export type RequestOf<K extends Request['kind']> = Extract<Request, { kind: K }>['value']
export type ResponseOf<K extends Response['kind']> = Extract<Response, { kind: K }>['value']
export type MemberTicket = Of<typeof memberTicketCodec>
export type EpochStep = Of<typeof stepCodec>
export type Opened = ResponseOf<'opened'>
export type Commits = ResponseOf<'commits'>
