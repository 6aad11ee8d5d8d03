import { check } from '../../verify/checks.ts'
import type { Binding } from '../binding.ts'
import type { Verified } from '../handle.ts'
import { assure } from './assurance.ts'
import { consult } from './consult.ts'
import { datumOf, refOf } from './item.ts'
import { fetchItem } from './questions.ts'
import type { Reader } from './reader.ts'
import type { Placed } from './recent.ts'
import type { Session } from './sync.ts'
import { surfaceIn, type Trusted } from './trust.ts'

/** A surface as its handle needs it: who reads it, and how its items are told. */
export interface Read<T> {
  readonly reader: Reader
  readonly binding: Binding<T>
  readonly config: unknown
}

/** An item with its verdict as of now: it stands in a block that the newest head vouches for. */
export const present = <T>({ reader, binding }: Read<T>, placed: Placed): Verified<T> => {
  const { position, header, commit } = placed
  const trusted = reader.trusted as Trusted
  const { size } = surfaceIn({ surface: binding.surface }, header)
  const checks = [check('item.inclusion', 'passed', `item ${position} under the surface’s root`, `one of ${size} in block ${header.index}`)]
  const verdict = assure(reader.standing(trusted), { checks, disclosed: 'nothing', header, commit })
  return { value: datumOf(binding, placed), ref: refOf(binding, verdict, position), verdict }
}

/** An item that is in the surface, from the tail or from a server. */
export const placedAt = async <T>({ reader }: Read<T>, position: bigint, signal: AbortSignal): Promise<Placed> => {
  const [kept] = reader.recent.from(position, 1) ?? []
  if (kept !== undefined) return kept
  const fetch = async (session: Session, trusted: Trusted): Promise<Placed> => {
    const { header, commit } = trusted
    const { item } = await fetchItem(reader.options.ground, session, trusted, position)
    return { position, item, header, commit }
  }
  return consult(reader, fetch, { signal })
}
