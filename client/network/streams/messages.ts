import { bytes, fixed, option, struct, text, u8, u64, variant, vector } from '../../primitives/codec.ts'
import type { UniqueId } from '../../primitives/id.ts'
import { NAME_BYTES } from '../../primitives/id.ts'
import type { TicketClass } from '../tickets/ticket.ts'

// docs/wire.md, "Link streams". Frames are those of light/1: a ULEB128 length and that many bytes.

export const STREAM_PROTOCOL = '/coalition/stream/1'

export const STREAM_LIMITS = {
  /** Bytes of a frame. */
  frame: 262_144,
  /** Bytes of an item, and how many stand in one frame at most. */
  item: 65_536,
  items: 256,
  tickets: 16,
  /** Milliseconds for the first request of a subscriber. */
  ask: 10_000,
} as const

const ticket = struct('Ticket', { class: fixed<TicketClass>(32), data: bytes(16_000) })
const tickets = vector(ticket, STREAM_LIMITS.tickets)

export const streamRequestCodec = variant('StreamRequest', {
  subscribe: [0, struct('Subscribe', { network: fixed<UniqueId>(32), component: fixed(32), surface: text(NAME_BYTES), tickets })],
  /** Other tickets for a subscription that goes on: before the old ones expire. */
  renew: [1, struct('Renew', { tickets })],
})

export const streamAnswerCodec = variant('StreamAnswer', {
  /** Subscribed, or renewed: until this unix second, or for as long as both sides like. */
  accepted: [0, struct('Accepted', { expires: option(u64) })],
  /** In the order of this link; `first` counts what the publisher sent since the subscription began. */
  items: [1, struct('Items', { first: u64, items: vector(bytes(STREAM_LIMITS.item), STREAM_LIMITS.items, 1) })],
  end: [2, struct('End', { code: u8, text: text(256) })],
})

/** Why a subscription ends. */
export const STREAM_END = { unknown: 1, ticket: 2, slow: 3, busy: 4, shutdown: 5, request: 6 } as const
export type StreamEnd = keyof typeof STREAM_END

/** The name of a code, or null for one that this version does not know. */
export const endOf = (code: number): StreamEnd | null =>
  (Object.entries(STREAM_END).find(([, known]) => known === code)?.[0] as StreamEnd | undefined) ?? null
