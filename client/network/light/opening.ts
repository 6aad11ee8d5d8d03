import { isError } from '../../error.ts'
import { certificateCodec } from '../../groups/block.ts'
import { strength } from '../../groups/roster.ts'
import type { Source } from '../../groups/source.ts'
import { type Bytes, equal } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import type { TreeProof } from '../../proofs/index.ts'
import type { Host } from '../host.ts'
import {
  BLOB_LIMITS,
  type EpochStep,
  LIGHT_LIMITS,
  LIGHT_VERSION,
  MAX_EVIDENCE,
  MAX_STEPS,
  MAX_TICKETS,
  type RequestOf,
  type ResponseOf,
  stepCodec,
} from './messages.ts'
import { Refusal } from './refusal.ts'

/** The source of a group. @throws Refusal when this host does not serve it */
export const sourceOf = (sources: readonly Source[], group: Bytes): Source => {
  const source = sources.find((candidate) => equal(candidate.group, group))
  // Not "there is no such group": nobody can know that (ERR-03).
  if (source === undefined) throw new Refusal('unknownGroup', 'this server does not serve the group')
  return source
}

/** @param watches what this server allows one peer */
export const answerHello = (
  sources: readonly Source[],
  host: Host,
  { versions, groups }: RequestOf<'hello'>,
  watches: number,
): ResponseOf<'hello'> => {
  if (!versions.includes(LIGHT_VERSION))
    throw new Refusal('version', `this server speaks version ${LIGHT_VERSION}`, { have: BigInt(LIGHT_VERSION) })
  const served = groups.flatMap((group) =>
    sources
      .filter((source) => equal(source.group, group))
      .map((source) => ({ group, ...source.served() }))
      .slice(0, 1),
  )
  const { frame, streams, unaryMs } = LIGHT_LIMITS
  return { version: LIGHT_VERSION, limits: { frame, streams, watches, unaryMs }, timeMs: BigInt(Math.trunc(host.now())), served }
}

/**
 * How many signatures a reader with this `withstand` needs. Where the committee is too small for it: all of them. The reader learns the
 * roster from the answer and sees for itself; a server's word that it cannot be served would be one that any server can give.
 */
export const neededBy = (source: Source, withstand: number | null): number => {
  const n = source.roster().members.length
  try {
    return strength(n, withstand)
  } catch (error) {
    if (isError(error, 'Group.WithstandError')) return n
    throw error
  }
}

export const answerOpen = async (source: Source, { fromEpoch, known, withstand }: RequestOf<'open'>): Promise<ResponseOf<'opened'>> => {
  const head = source.head(neededBy(source, withstand))
  if (head === null) throw new Refusal('notYet', 'no block has enough signatures', { have: source.served().newest, retryMs: 1_000 })
  const { steps, more } = fitting(source.steps(fromEpoch, MAX_STEPS + 1), encode(certificateCodec, head).length)
  const links = await Promise.all(
    known.map(
      ({ index }): Promise<TreeProof | null> => (index < head.header.index ? source.logProof(head.header, index) : Promise.resolve(null)),
    ),
  )
  return { steps, more, head, links }
}

/** Bytes of `opened` beside its head and steps: two log proofs and the counts. */
const LINKS = 2 * (2 + 16 + 65 * 32) + 8

// 64 steps of 64 members are more than a frame: a reader who gets fewer than all is told so, and asks again from there.
const fitting = (all: readonly EpochStep[], head: number): { readonly steps: readonly EpochStep[]; readonly more: boolean } => {
  const steps: EpochStep[] = []
  let left = LIGHT_LIMITS.frame - head - LINKS
  for (const step of all.slice(0, MAX_STEPS)) {
    left -= encode(stepCodec, step).length
    if (left < 0) break
    steps.push(step)
  }
  return { steps, more: steps.length < all.length }
}

/** The members' tickets for a roster, as many as an answer holds: those of another epoch bind other keys. */
export const answerTickets = (source: Source, { roster }: RequestOf<'tickets'>): ResponseOf<'tickets'> => ({
  tickets: (source.tickets?.(roster) ?? []).slice(0, MAX_TICKETS).map((ticket) => ({ ...ticket, collateral: [...ticket.collateral] })),
})

/** What convicts members of the group, as far as this server saw it. */
export const answerEvidence = async (source: Source): Promise<ResponseOf<'evidence'>> => ({
  items: ((await source.evidence?.()) ?? []).slice(0, MAX_EVIDENCE),
})

/** A page of a blob. It names no group: the hash says it all, so whichever source holds it may answer. */
export const answerBlob = async (sources: readonly Source[], { hash, offset }: RequestOf<'blob'>): Promise<ResponseOf<'blob'>> => {
  for (const source of sources) {
    const blob = await source.blob(hash)
    if (blob === null) continue
    const total = BigInt(blob.length)
    if (offset > total) throw new Refusal('badRequest', `offset ${offset} of ${total}`)
    const from = Number(offset)
    return { total, bytes: blob.slice(from, from + BLOB_LIMITS.page) }
  }
  throw new Refusal('pruned', 'no blob of that hash is held')
}
