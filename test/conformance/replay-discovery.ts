// The claims of section 10: see replay.ts.

import type { Json } from './bcs.ts'
import { CatalogRequest, CatalogResponse, checkEntries, checkSigned, entryMessage, merge, Rumour, SignedEntry } from './discovery.ts'
import { hex } from './hash.ts'
import { bytesAt, type Claim, claims, demand, get, read, refusals, roundTrip, roundTrips, rows, string } from './replay.ts'

export function discoveryClaims(all: Json): Claim[] {
  const part = get(all, 'discovery')
  const network = bytesAt(part, 'network')
  const now = BigInt(string(part, 'now'))
  const exchange = (row: Json) => checkEntries(read(CatalogRequest, row, 'request'), read(CatalogResponse, row, 'response'))
  return [
    ...claims('discovery.entries', rows(part, 'entries'), (row) => {
      const signed = roundTrip(SignedEntry, row)
      checkSigned(signed)
      if (get(row, 'message') !== undefined) demand(hex(entryMessage(signed.entry)) === string(row, 'message'), 'another message')
    }),
    ...claims('discovery.unsigned', rows(part, 'unsigned'), (row) => checkSigned(read(SignedEntry, row, 'hex'))),
    ...roundTrips('discovery.requests', CatalogRequest, rows(part, 'requests')),
    ...roundTrips('discovery.responses', CatalogResponse, rows(part, 'responses')),
    ...roundTrips('discovery.rumours', Rumour, rows(part, 'rumours')),
    ...refusals('discovery.refused', rows(part, 'refused')),
    ...claims('discovery.merging', rows(part, 'merging'), (row) => {
      const held = get(row, 'held') === null ? null : read(SignedEntry, row, 'held')
      demand(merge(network, now, held, read(SignedEntry, row, 'offered')) === string(row, 'outcome'), 'another outcome')
    }),
    ...claims('discovery.exchanges.accepted', rows(part, 'exchanges', 'accepted'), exchange),
    ...claims('discovery.exchanges.refused', rows(part, 'exchanges', 'refused'), exchange),
  ]
}
