import { isError } from '../../error.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { decode, encode } from '../../primitives/codec.ts'
import type { UniqueId } from '../../primitives/id.ts'
import type { ByteStream, Host } from '../host.ts'
import { frame, frames } from '../light/frame.ts'
import { race, scope } from '../scope.ts'
import { Allowance } from './allowance.ts'
import type { Catalog } from './catalog.ts'
import type { Heads } from './heads.ts'
import { CATALOG_ERROR, CATALOG_LIMITS, type CatalogResponse, catalogRequestCodec, catalogResponseCodec, type Sync } from './messages.ts'
import { pageOf } from './page.ts'

/** What one peer may ask for in a minute, in bytes of answers: a full catalog of 4,096 small entries, once and a bit. */
const BYTES_A_MINUTE = 6_291_456
/** What every answer counts for at least. */
const LEAST = 16_384
const RETRY_MS = 60_000

export interface CatalogServed {
  readonly network: UniqueId
  readonly catalog: Catalog
  readonly heads: Heads
  readonly host: Pick<Host, 'now' | 'after' | 'log'>
}

/**
 * The server of `/coalition/catalog/1`. Who asks has proven its link key, so an answer goes to nobody who did not ask; what one key may ask
 * for is bounded by streams at once and by bytes in a minute.
 */
export const serveCatalog = (served: CatalogServed): ((stream: ByteStream, peer: Bytes) => Promise<void>) => {
  const allowance = new Allowance(served.host, { offers: BYTES_A_MINUTE, faults: 1 })
  const open = new Map<string, number>()
  return async (stream, peer) => {
    const name = toHex(peer)
    const count = (open.get(name) ?? 0) + 1
    open.set(name, count)
    try {
      await serveStream(served, stream, (sync) => {
        if (count > CATALOG_LIMITS.streams) throw new CatalogRefusal('busy', `at most ${CATALOG_LIMITS.streams} streams`, 1_000)
        return answer(served, allowance, peer, sync)
      })
    } catch (error) {
      served.host.log('debug', 'catalog stream ended early', { peer: name, problem: wordsOf(error) })
      stream.abort(error instanceof Error ? error : new Error(wordsOf(error)))
    } finally {
      const left = (open.get(name) ?? 1) - 1
      if (left === 0) open.delete(name)
      else open.set(name, left)
    }
  }
}

const serveStream = async ({ host }: CatalogServed, stream: ByteStream, reply: (sync: Sync) => CatalogResponse): Promise<void> => {
  const own = scope()
  const cancel = host.after(CATALOG_LIMITS.stepMs, () => own.abort(new Error(`nothing moved for ${CATALOG_LIMITS.stepMs} ms`)))
  try {
    const asked = await race(frames(stream.chunks, CATALOG_LIMITS.request).next(), own.signal).catch(malformed)
    const response = responseTo(asked, reply)
    await race(stream.write(frame(encode(catalogResponseCodec, response), CATALOG_LIMITS.frame)), own.signal)
    await race(stream.finish(), own.signal)
  } finally {
    cancel()
    own.end()
  }
}

type Asked = IteratorResult<Bytes, void> | CatalogRefusal

// A frame that is none is answered; a stream that broke has nobody at its other end.
const malformed = (error: unknown): CatalogRefusal => {
  if (isError(error, 'Light.FrameError')) return new CatalogRefusal('badRequest', error.message)
  throw error
}

const responseTo = (asked: Asked, reply: (sync: Sync) => CatalogResponse): CatalogResponse => {
  try {
    if (asked instanceof CatalogRefusal) throw asked
    if (asked.done) throw new CatalogRefusal('badRequest', 'the stream ended before a request')
    return reply(decode(catalogRequestCodec, asked.value).value)
  } catch (error) {
    if (error instanceof CatalogRefusal) return refusalOf(error)
    if (isError(error, 'Codec.DecodeError')) return refusalOf(new CatalogRefusal('badRequest', error.message))
    throw error
  }
}

const answer = ({ network, catalog, heads }: CatalogServed, allowance: Allowance, peer: Bytes, sync: Sync): CatalogResponse => {
  if (!equal(sync.network, network)) throw new CatalogRefusal('network', 'this server is of another network')
  if (!allowance.take(peer, LEAST)) throw new CatalogRefusal('busy', 'asked for too much', RETRY_MS)
  const value = pageOf(catalog, heads, sync)
  const size = encode(catalogResponseCodec, { kind: 'entries', value }).length
  if (size > LEAST && !allowance.take(peer, size - LEAST)) throw new CatalogRefusal('busy', 'asked for too much', RETRY_MS)
  return { kind: 'entries', value }
}

/** Longest text of an `error`, in characters: four bytes of UTF-8 each still fit the 256 that a decoder takes. */
const TEXT = 64

const refusalOf = ({ code, retryMs, message }: CatalogRefusal): CatalogResponse => ({
  kind: 'error',
  value: { code: CATALOG_ERROR[code], retryMs, text: [...message].slice(0, TEXT).join('') },
})

/** Why a server does not answer: thrown on the way, sent as an `error`, seen by nobody else. */
class CatalogRefusal extends Error {
  readonly code: keyof typeof CATALOG_ERROR
  readonly retryMs: number

  constructor(code: keyof typeof CATALOG_ERROR, text: string, retryMs = 0) {
    super(text)
    this.code = code
    this.retryMs = retryMs
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
