import { describe, expect, it } from 'vitest'
import { JWT_CLASS, TDX_CLASS, ticketId } from '../../../client/network/tickets/ticket.ts'
import { id } from '../../../client/primitives/id.ts'
import { bytes, exactly, extra, hexOf, idOf, members } from '../../vectors/identity.ts'

describe('ticket ids', () => {
  it('TIX-05 every vector: class, then data', () => {
    const classes: Readonly<Record<string, Uint8Array>> = { jwt: JWT_CLASS, tdx: TDX_CLASS }
    for (const vector of members(extra, 'tickets')) {
      exactly(vector, ['label', 'class', 'data', 'ticketId'])
      const label = String(vector.label)
      expect(hexOf(classes[label] ?? id(label))).toBe(vector.class)
      expect(hexOf(ticketId({ class: idOf(vector.class), data: bytes(vector.data) }))).toBe(vector.ticketId)
    }
  })
})
