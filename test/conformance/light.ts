// docs/wire.md, section 5: the messages of `/coalition/light/1`. Checking an answer against a header stands in reading.ts.

import {
  atLeast,
  atMost,
  bool,
  bytes,
  fixed,
  list,
  type Of,
  option,
  Refused,
  readUleb,
  Source,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  variant,
  writeUleb,
} from './bcs.ts'
import { Certificate, Header, Seal } from './blocks.ts'
import { Roster } from './committee.ts'
import { type Bytes, join } from './hash.ts'
import { MapProof } from './map.ts'
import { TailAnswer, TailQuery } from './tails.ts'
import { RangeProof, TreeProof } from './tree.ts'

const ITEM = 512_000
const FRAME = 1_048_576

const Known = struct({ index: u64, hash: fixed(32) })

export const Query = variant({
  item: [0, struct({ surface: u8, position: u64 })],
  range: [1, struct({ surface: u8, from: u64, to: u64 })],
  key: [2, struct({ surface: u8, key: bytes(256) })],
  prefix: [3, struct({ surface: u8, bits: u16, path: fixed(32) })],
  tail: [4, TailQuery],
  header: [5, struct({ index: u64 })],
  commands: [6, struct({ index: u64 })],
})
export type Query = Of<typeof Query>

export const LightEntry = struct({ key: bytes(256), value: bytes(ITEM) })

export const Answer = variant({
  item: [0, struct({ item: bytes(ITEM), proof: TreeProof })],
  range: [1, struct({ items: list(bytes(ITEM), 65_535), proof: RangeProof })],
  key: [2, struct({ value: option(bytes(ITEM)), proof: MapProof })],
  prefix: [3, struct({ entries: list(LightEntry, 1_024), proof: MapProof })],
  tail: [4, TailAnswer],
  header: [5, struct({ header: Header, proof: TreeProof })],
  commands: [6, struct({ header: Header, proof: TreeProof, commands: list(bytes(FRAME), 4_096) })],
})
export type Answer = Of<typeof Answer>

export const Request = variant({
  hello: [0, struct({ versions: list(u16, 8, 1), groups: list(fixed(32), 16) })],
  open: [1, struct({ group: fixed(32), fromEpoch: u32, known: list(Known, 2), withstand: option(u8) })],
  prove: [2, struct({ group: fixed(32), at: u64, queries: list(Query, 64, 1) })],
  watch: [3, struct({ group: fixed(32), surfaces: list(u8, 4, 1), from: u64, withstand: option(u8), credit: u32 })],
  credit: [4, struct({ n: u32 })],
  tickets: [5, struct({ group: fixed(32), roster: fixed(32) })],
  blob: [6, struct({ hash: fixed(32), offset: u64 })],
  evidence: [7, struct({ group: fixed(32) })],
})
export type Request = Of<typeof Request>

const Limits = struct({ frame: u32, streams: u16, watches: u16, unaryMs: u32 })
const Served = struct({ group: fixed(32), oldest: u64, newest: u64, held: u64 })
export const EpochStep = struct({ certificate: Certificate, roster: Roster })

export const Opened = struct({ steps: list(EpochStep, 64), more: bool, head: Certificate, links: list(option(TreeProof), 2) })
export type Opened = Of<typeof Opened>

const MemberTicket = struct({ member: u8, class: fixed(32), data: bytes(16_000), collateral: list(fixed(32), 4) })

// Section 8.
const Ballot = struct({ view: u64, kind: atLeast(atMost(u8, 4), 1), hash: fixed(32), member: u8, signature: fixed(64) })
export const Contradiction = struct({ roster: fixed(32), first: Ballot, second: Ballot })

const Appended = list(list(bytes(ITEM), 65_535), 4, 1)
export const Commits = struct({ headers: list(Header, 64, 1), seal: Seal, appended: list(Appended, 64, 1) })
export type Commits = Of<typeof Commits>

export const Response = variant({
  hello: [0, struct({ version: u16, limits: Limits, timeMs: u64, served: list(Served, 16) })],
  opened: [1, Opened],
  proven: [2, struct({ answers: list(Answer, 64, 1) })],
  commits: [3, Commits],
  gap: [4, struct({ next: u64 })],
  tickets: [5, struct({ tickets: list(MemberTicket, 64) })],
  blob: [6, struct({ total: atMost(u64, 67_108_864n), bytes: bytes(262_144) })],
  evidence: [7, struct({ items: list(Contradiction, 16) })],
  error: [255, struct({ code: u8, have: u64, retryMs: u32, text: text(256) })],
})
export type Response = Of<typeof Response>

/** A frame is a ULEB128 length ≤ 1,048,576 and that many bytes. */
export function frame(message: Bytes): Bytes {
  if (message.length > FRAME) throw new Refused('length', `frame of ${message.length}`)
  return join(writeUleb(message.length), message)
}

/** The messages of a stream that has ended. */
export function unframe(stream: Bytes): Bytes[] {
  const from = new Source(stream)
  const messages: Bytes[] = []
  while (from.left() > 0) {
    const length = readUleb(from, 'frame')
    if (length > FRAME) throw new Refused('length', `frame of ${length}`)
    messages.push(from.take(length, 'frame'))
  }
  return messages
}
