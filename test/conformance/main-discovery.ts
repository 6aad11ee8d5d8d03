// Section 10 against client/: entries, merging, and what the asker of a catalog takes for an answer.

import { Catalog, LIGHT_LIMITS, type Merged } from '../../client/network/discovery/catalog.ts'
import { syncCatalog } from '../../client/network/discovery/client.ts'
import { entryMessage, isSigned, type SignedEntry, signedEntryCodec } from '../../client/network/discovery/entry.ts'
import { catalogRequestCodec, catalogResponseCodec } from '../../client/network/discovery/messages.ts'
import { rumourCodec } from '../../client/network/discovery/rumours.ts'
import type { ByteStream, Link } from '../../client/network/host.ts'
import { frame } from '../../client/network/light/frame.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import { verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { asId } from '../../client/primitives/id.ts'
import { accepts, at, demand, demandHex, type Entry, given, hexAt, join, type Part, refuses, roundTrip } from './main-kit.ts'
import { encodes, undecodable } from './main-types.ts'

/** Of nobody in the vectors. */
const SOURCE: Bytes = new Uint8Array(32).fill(1)

const network = () => asId<'UniqueId'>(hexAt('discovery.network'))
const host = () => {
  const now = Number(at('discovery').text('now'))
  return { now: () => now, verify: verifyWithNoble, after: () => () => {} }
}
const catalogOf = async (held: SignedEntry | null): Promise<Catalog> => {
  const catalog = new Catalog({ network: network(), host: host(), worth: () => 1, limits: LIGHT_LIMITS })
  if (held !== null) demand((await catalog.offer(held, null)).kind === 'taken', 'what is held is not taken')
  return catalog
}
const heldIn = (entry: Entry): SignedEntry | null => (entry.has('held') ? entry.of(signedEntryCodec, 'held') : null)

const wordsOf = (merged: Merged): string => {
  if (merged.kind === 'refused') return `refused, its ${merged.by}`
  return merged.kind === 'ignored' ? 'passed over' : merged.kind
}

/** One exchange over a link that answers with these bytes; `asked` is what it was sent. */
const linkTo = (response: Bytes): { readonly link: Link; readonly asked: () => Bytes } => {
  let sent: Bytes = new Uint8Array(0)
  const stream: ByteStream = {
    chunks: (async function* () {
      yield frame(response)
    })(),
    write: async (bytes) => {
      sent = join(sent, bytes)
    },
    finish: async () => {},
    abort: () => {},
  }
  const { signal: closed } = new AbortController()
  const link: Link = {
    ...{ peer: SOURCE, address: '', bytes: { received: 0, sent: 0 }, closed },
    stream: async () => stream,
    close: async () => {},
  }
  return { link, asked: () => sent }
}

const exchange = async (entry: Entry): Promise<number> => {
  const { value } = entry.of(catalogRequestCodec, 'request')
  const { link, asked } = linkTo(entry.hex('response'))
  const catalog = await catalogOf(heldIn(entry))
  const { signal } = new AbortController()
  const { taken } = await syncCatalog(link, { host: host(), network: network(), catalog, groups: value.groups, signal })
  demandHex(asked(), frame(entry.hex('request')), 'asked')
  return taken
}

export const DISCOVERY: readonly Part[] = [
  given('discovery.network'),
  given('discovery.now'),
  accepts('discovery.entries', 'MSK-09 is signed by its peer', async (entry) => {
    const signed = roundTrip(signedEntryCodec, entry)
    if (entry.has('message')) demandHex(entryMessage(signed.entry), entry.hex('message'), 'message')
    demand(await isSigned(signed, verifyWithNoble), 'not signed')
  }),
  accepts('discovery.unsigned', 'MSK-09 is not signed by its peer', async (entry) => {
    demand(!(await isSigned(entry.of(signedEntryCodec, 'hex'), verifyWithNoble)), 'signed')
  }),
  encodes('discovery.requests', catalogRequestCodec),
  encodes('discovery.responses', catalogResponseCodec),
  encodes('discovery.rumours', rumourCodec),
  undecodable('discovery.refused'),
  accepts('discovery.merging', 'MSK-09 comes to its outcome', async (entry) => {
    const catalog = await catalogOf(heldIn(entry))
    const outcome = wordsOf(await catalog.offer(entry.of(signedEntryCodec, 'offered'), SOURCE))
    demand(outcome === entry.text('outcome'), outcome)
  }),
  accepts('discovery.exchanges.accepted', 'is asked for and taken', async (entry) => {
    const response = entry.of(catalogResponseCodec, 'response')
    demand(response.kind === 'entries' && (await exchange(entry)) === response.value.entries.length, 'not all of it')
  }),
  refuses('discovery.exchanges.refused', 'is refused, with all of it', exchange),
]
