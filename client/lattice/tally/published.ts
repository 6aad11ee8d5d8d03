import { formatGate, parseGate } from '../../coalition/tickets/tdx-gate.ts'
import { toHex } from '../../primitives/bytes.ts'
import * as read from '../../primitives/json.ts'
import type { TallyConfig } from './index.ts'

// The published handshake as JSON: bytes as hex, u64 as decimal text, a variant as its name, or as one field of that name when it has a
// value. Fields unknown to this version are passed over, so that a page written for a later one still reads (CFG-17).

type Content = TallyConfig['content']
type Acl = TallyConfig['acl']

/** The values of `content` from JSON. Their rules are the codec's. @throws ParseError naming the field */
export const parseContent = (json: read.Json): Content => {
  const origin = read.member(json, 'origin')
  const timers = read.member(json, 'timers')
  const predecessor = read.optional(json, 'predecessor')
  return {
    signature: read.text(read.member(json, 'signature')),
    feeRecipient: read.bytes(read.member(json, 'feeRecipient'), 20),
    origin: { number: read.u64(read.member(origin, 'number')), hash: read.bytes(read.member(origin, 'hash'), 32) },
    inclusion: parseInclusion(read.member(json, 'inclusion')),
    timers: {
      view_ms: u32(read.member(timers, 'view_ms')),
      short_ms: u32(read.member(timers, 'short_ms')),
      skew_ms: u32(read.member(timers, 'skew_ms')),
      heartbeat_ms: u32(read.member(timers, 'heartbeat_ms')),
    },
    predecessor: predecessor ? read.bytes(predecessor, 32) : null,
  }
}

const parseInclusion = (json: read.Json): Content['inclusion'] => {
  if (json.value === 'finalized') return { kind: 'finalized', value: null }
  if (typeof json.value !== 'object') throw new read.ParseError(json.path, 'is neither "finalized" nor { "depth": { "blocks": … } }')
  return { kind: 'depth', value: { blocks: u32(read.member(read.member(json, 'depth'), 'blocks')) } }
}

/** The values of `acl` from JSON. @throws ParseError naming the field */
export const parseAcl = (json: read.Json): Acl => {
  const roster = read.member(json, 'roster')
  return {
    roster: {
      epoch: u32(read.member(roster, 'epoch')),
      members: read.items(read.member(roster, 'members'), (member) => ({
        peer: read.bytes(read.member(member, 'peer'), 32),
        vote: read.bytes(read.member(member, 'vote'), 32),
        settle: read.bytes(read.member(member, 'settle'), 20),
        operator: read.text(read.member(member, 'operator')),
      })),
    },
    admission: parseAdmission(read.member(json, 'admission')),
    readers: word(read.member(json, 'readers'), 'anyone'),
  }
}

const parseAdmission = (json: read.Json): Acl['admission'] => {
  if (json.value === 'roster') return { kind: 'roster', value: null }
  if (typeof json.value !== 'object')
    throw new read.ParseError(json.path, 'is neither "roster" nor { "tdx": { "root": …, "validator": … } }')
  return { kind: 'tdx', value: parseGate(read.member(json, 'tdx')) }
}

// One kind so far; a list of kinds to come would be read as one of them by mistake.
const word = <const K extends string>(json: read.Json, kind: K): { readonly kind: K; readonly value: null } => {
  if (json.value !== kind) throw new read.ParseError(json.path, `is not "${kind}", the only kind of this version`)
  return { kind, value: null }
}

// As JSON numbers or decimal text: an operator writes both, and both are exact below 2^32.
const u32 = (json: read.Json): number => {
  const value = read.u64(json)
  if (value > 0xffff_ffffn) throw new read.ParseError(json.path, `${value} is not a u32`)
  return Number(value)
}

const hex = (bytes: Uint8Array): string => `0x${toHex(bytes)}`

/** A config as JSON-stable data: what an operator publishes and `parseConfig` reads back to the same ids. */
export const formatConfig = ({ lattice, content, acl }: TallyConfig) => ({
  lattice: { name: lattice.name, chainId: lattice.chainId.toString() },
  content: {
    signature: content.signature,
    feeRecipient: hex(content.feeRecipient),
    origin: { number: content.origin.number.toString(), hash: hex(content.origin.hash) },
    inclusion: content.inclusion.kind === 'finalized' ? 'finalized' : { depth: { blocks: content.inclusion.value.blocks } },
    timers: { ...content.timers },
    predecessor: content.predecessor && hex(content.predecessor),
  },
  acl: {
    roster: {
      epoch: acl.roster.epoch,
      members: acl.roster.members.map(({ peer, vote, settle, operator }) => ({
        peer: hex(peer),
        vote: hex(vote),
        settle: hex(settle),
        operator,
      })),
    },
    admission: acl.admission.kind === 'roster' ? 'roster' : { tdx: formatGate(acl.admission.value) },
    readers: acl.readers.kind,
  },
})
