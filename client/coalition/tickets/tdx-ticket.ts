import { CoalitionError } from '../../error.ts'
import { reportBinding, type TicketBinding } from '../../network/tickets/tdx.ts'
import { type Bytes, concat, u32le } from '../../primitives/bytes.ts'
import { bytes, decode, encode, fixed, option, refine, struct, u64 } from '../../primitives/codec.ts'
import { digest } from '../../primitives/digest.ts'
import type { GroupId, UniqueId } from '../../primitives/id.ts'

// The data of a ticket of TDX_CLASS: a quote, and what its report data bind. Not compressed as mosaik's are: a decompressor in front of the first
// check is one more reader of hostile bytes, and a bound on what comes in would not bound what comes out.

/** A ticket's data have at most this many bytes; a quote with its PCK chain has about 5,000, real ones with padding 8,000. */
export const TICKET_BYTES = 16_000

// All fields but the quote at their longest, the quote's own length of two bytes included: so that no quote makes the whole too long.
const FIELDS = 32 + 32 + 8 + 8 + 9 + 2

/** A quote, whose it says it is, and when it says it was made. Nothing of it is verified but its shape. */
export interface TdxTicket extends TicketBinding {
  readonly quote: Bytes
}

/** TdxTicket { peer [32], network [32], started u64, quoted u64, expiration option u64, quote bytes }, times in seconds. */
const ticketCodec = /* @__PURE__ */ struct('TdxTicket', {
  peer: fixed(32),
  network: fixed<UniqueId>(32),
  started: u64,
  quoted: u64,
  // Report data fold 0 for "never": with 0 as a time too, one quote would carry two tickets.
  expiration: refine(option(u64), 'expiration', (value) => (value === 0n ? 'is 0, which stands for never' : null)),
  quote: bytes(TICKET_BYTES - FIELDS),
})

/** The canonical bytes of a ticket's data. @throws EncodeError */
export const encodeTdxTicket = (ticket: TdxTicket): Bytes => {
  const { peer, network, startedAt: started, quotedAt: quoted, expiresAt: expiration, quote } = ticket
  return encode(ticketCodec, { peer, network, started, quoted, expiration, quote })
}

/**
 * A ticket from its data. The quote is a copy.
 *
 * @throws TicketSizeError above 16,000 bytes, before anything is read; DecodeError naming path and offset
 */
export const decodeTdxTicket = (data: Bytes): TdxTicket => {
  if (data.length > TICKET_BYTES) throw new TicketSizeError(data.length)
  const { peer, network, started, quoted, expiration, quote } = decode(ticketCodec, data)
  return { peer, network, startedAt: started, quotedAt: quoted, expiresAt: expiration, quote }
}

/** What a vote key is attested for: a quote serves one group and one epoch of it. */
export interface VoteBinding {
  readonly group: GroupId
  readonly epoch: number
  /** The Ed25519 vote key, 32 bytes, made inside of the TD. */
  readonly voteKey: Bytes
}

/** report_data[32..64] = H("coalition tdx v1|" ‖ network ‖ group ‖ epoch u32le ‖ vote key) (TDX.md, "Tickets of a committee"). */
export const voteBinding = (network: UniqueId, { group, epoch, voteKey }: VoteBinding): Bytes =>
  digest('coalition tdx v1|', network, group, u32le(epoch), voteKey)

/** What a member has its TD quote: 64 bytes. The first half is mosaik's (IDENTITY.md), the second binds the vote key. */
export const reportData = (binding: TicketBinding, vote: VoteBinding): Bytes =>
  concat(reportBinding(binding), voteBinding(binding.network, vote))

/** A ticket's data that are too long to be looked at. */
export class TicketSizeError extends CoalitionError {
  declare readonly size: number
  declare readonly limit: number

  constructor(size: number) {
    super('Coalition.TicketSizeError', `TdxTicket at byte ${TICKET_BYTES}: ${size} bytes, at most ${TICKET_BYTES}`, {
      size,
      limit: TICKET_BYTES,
    })
  }
}
