import { CoalitionError } from '../../error.ts'
import { type Bytes, compare, toHex } from '../../primitives/bytes.ts'
import { decode, encode } from '../../primitives/codec.ts'
import type { UniqueId } from '../../primitives/id.ts'
import type { Host, Link } from '../host.ts'
import { frame, frames } from '../light/frame.ts'
import { openStream } from '../open-stream.ts'
import { race, scope } from '../scope.ts'
import type { Catalog } from './catalog.ts'
import { compareVersions, type SignedEntry } from './entry.ts'
import type { HeadHint } from './heads.ts'
import { CATALOG_LIMITS, CATALOG_PROTOCOL, catalogRequestCodec, catalogResponseCodec, type Entries, type Sync } from './messages.ts'
import { isOf } from './page.ts'

/** Answers that one look at a peer's catalog takes at most: 64 of 256 entries each are more than any catalog keeps. */
const PAGES = 64

export interface SyncOptions {
  readonly host: Pick<Host, 'after'>
  readonly network: UniqueId
  readonly catalog: Catalog
  /** The groups that are read; none for all, which is what a full node asks. */
  readonly groups: readonly Bytes[]
  readonly signal: AbortSignal
}

/** What a look at a peer's catalog brought. */
export interface Synced {
  /** Entries that were taken. */
  readonly taken: number
  /** Bytes of all answers. */
  readonly bytes: number
  readonly heads: readonly HeadHint[]
}

/**
 * Brings a catalog up to what a peer knows. Each entry is held to its own signature; the peer is believed nothing.
 *
 * @throws CatalogError when the peer refuses, or answers with what was not asked for or what no honest peer passes on; FrameError,
 *   DecodeError, or the signal's reason
 */
export const syncCatalog = async (link: Link, options: SyncOptions): Promise<Synced> => {
  const { catalog, groups, network } = options
  let from: Bytes = new Uint8Array(32)
  let [taken, bytes] = [0, 0]
  for (let page = 0; page < PAGES; page++) {
    const sync = { network, groups, from, have: haveFrom(catalog, groups, from) }
    const { answer, size } = await ask(link, sync, options)
    bytes += size
    expectAsked(answer, sync)
    for (const signed of answer.entries) taken += await take(catalog, signed, link.peer)
    if (answer.next === null) return { taken, bytes, heads: answer.heads }
    from = answer.next
  }
  throw new CatalogError('answer', `more than ${PAGES} answers`)
}

const haveFrom = (catalog: Catalog, groups: readonly Bytes[], from: Bytes): Sync['have'] =>
  catalog
    .all()
    .filter(({ entry }) => compare(entry.peer, from) >= 0 && isOf(entry, groups))
    .slice(0, CATALOG_LIMITS.have)
    .map(({ entry: { peer, version } }) => ({ peer, ...version }))

/** What was not asked for is not merged: it would be how a peer chooses what others keep. */
const expectAsked = ({ entries, next, heads }: Entries, { groups, from, have }: Sync): void => {
  const held = new Map(have.map(({ peer, ...version }) => [toHex(peer), version]))
  let last: Bytes | null = null
  for (const { entry } of entries) {
    if (compare(entry.peer, last ?? from) < (last === null ? 0 : 1))
      throw new CatalogError('answer', 'entries that do not ascend from the first asked')
    if (!isOf(entry, groups)) throw new CatalogError('answer', `an entry of no group that was asked for: ${toHex(entry.peer)}`)
    const known = held.get(toHex(entry.peer))
    if (known !== undefined && compareVersions(entry.version, known) <= 0)
      throw new CatalogError('answer', `an entry that is no newer than the one that was named: ${toHex(entry.peer)}`)
    last = entry.peer
  }
  // Else a peer could have us ask for the same for ever.
  if (next !== null && compare(next, last ?? from) <= 0) throw new CatalogError('answer', 'a next that does not go on')
  if (next !== null && heads.length > 0) throw new CatalogError('answer', 'heads before the last answer')
  if (heads.some(({ group }) => !groups.some((asked) => compare(asked, group) === 0)))
    throw new CatalogError('answer', 'a head that was not asked for')
}

const take = async (catalog: Catalog, signed: SignedEntry, source: Bytes): Promise<number> => {
  const merged = await catalog.offer(signed, source)
  // An entry that its own peer spoiled may come from an honest peer, who had met the other one first.
  if (merged.kind === 'refused' && merged.by === 'source') throw new CatalogError('entry', merged.problem)
  return merged.kind === 'taken' ? 1 : 0
}

const ask = async (link: Link, sync: Sync, { host, signal }: SyncOptions): Promise<{ readonly answer: Entries; readonly size: number }> => {
  const own = scope(signal, link.closed)
  const cancel = host.after(CATALOG_LIMITS.stepMs, () =>
    own.abort(new CatalogError('timeout', `no answer within ${CATALOG_LIMITS.stepMs} ms`)),
  )
  try {
    const stream = await openStream(link, CATALOG_PROTOCOL, own.signal)
    await race(stream.write(frame(encode(catalogRequestCodec, { kind: 'sync', value: sync }), CATALOG_LIMITS.request)), own.signal)
    // Not waited for: some transports are done with it only when the server is.
    void stream.finish().catch(() => {})
    const next = await race(frames(stream.chunks, CATALOG_LIMITS.frame).next(), own.signal)
    if (next.done) throw new CatalogError('answer', 'no answer before the end of the stream')
    const response = decode(catalogResponseCodec, next.value)
    if (response.kind === 'error') throw new CatalogError('refused', response.value.text, response.value.code, response.value.retryMs)
    return { answer: response.value, size: next.value.length }
  } finally {
    cancel()
    // One answer is all there is: whatever else comes is not waited for.
    own.abort(new CatalogError('answer', 'the exchange is over'))
  }
}

/** A peer's catalog that could not be read. `part` says whose doing it is: `refused` and `timeout` may be an honest peer's. */
export class CatalogError extends CoalitionError {
  declare readonly part: 'answer' | 'entry' | 'refused' | 'timeout'
  declare readonly problem: string

  constructor(part: CatalogError['part'], problem: string, code = 0, retryMs = 0) {
    super('Discovery.CatalogError', `catalog: ${part}: ${problem}`, { part, problem, code, retryMs })
  }
}
