import type { Bytes } from '../../primitives/bytes.ts'
import { asId, derive, type Id, id } from '../../primitives/id.ts'

/** Says how a ticket's data is read and which validators look at it. */
export type TicketClass = Id<'TicketClass'>
export type TicketId = Id<'TicketId'>

/** A credential as it is gossiped: in clear, so its data never holds a secret (PROTOCOL.md section 4). */
export interface Ticket {
  readonly class: TicketClass
  readonly data: Bytes
}

/** Class of tickets whose data is a JWT in compact form. */
export const JWT_CLASS: TicketClass = /* @__PURE__ */ asId(id('mosaik.tickets.jwt.v1'))
/** Class of tickets whose data carries a TDX quote. */
export const TDX_CLASS: TicketClass = /* @__PURE__ */ asId(id('mosaik.tee.tdx.ticket.v1'))

/** derive(class, data): data is whatever the class says, of any length. */
export const ticketId = (ticket: Ticket): TicketId => asId(derive(ticket.class, ticket.data))
