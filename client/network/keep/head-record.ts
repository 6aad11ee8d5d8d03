import { hashLeaves } from '../../../wasm/core.ts'
import { certificateCodec } from '../../groups/block.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import { bytes, decode, encode, fixed, type Of, option, refine, struct, u8, u64, vector } from '../../primitives/codec.ts'
import { type Frontier, frontier, type TreeHead, verifyRange } from '../../proofs/index.ts'
import { stepCodec } from '../light/messages.ts'
import { MAX_ITEM } from '../light/queries.ts'
import type { VerifiedBlock } from '../reader/advance.ts'
import { type Climb, climb, verifyHead } from '../reader/opened.ts'
import { KEPT, type Tail } from '../reader/recent.ts'
import { certificateOf, type Ground, surfaceIn, type Trusted, under } from '../reader/trust.ts'
import { STORAGE_LIMITS } from './storage.ts'

/** Most bytes of items in a record, and most handovers: the rest of the record is small beside them. */
const MOST = { items: 524_288, steps: 1_024 } as const
const VERSION = 1

const version = refine(u8, 'version', (found) => (found === VERSION ? null : `version ${found}, not ${VERSION}`))
const edge = vector(fixed(32), 64)

/**
 * The newest head of a surface and what it takes to go on from it, in canonical bytes (docs/wire.md section 1). It names no group: the
 * certificate binds the network, the group and the epoch, and the items bind the surface.
 *
 * | field | what |
 * |---|---|
 * | version | u8, 1; another one is refused |
 * | index | u64, the certificate's: the first nine bytes say which of two records is newer |
 * | steps | every handover from epoch 0 to the committee that seals the next block |
 * | certificate | of the head |
 * | log | right edge of the log under the head, tree of `index` leaves; none where it was not fetched |
 * | before | right edge of the surface before the first of `items` |
 * | items | the newest items of the surface, up to its last one |
 */
const recordCodec = struct('KeptHead', {
  version,
  index: u64,
  steps: vector(stepCodec, MOST.steps),
  certificate: certificateCodec,
  log: option(edge),
  before: edge,
  items: vector(bytes(MAX_ITEM), KEPT.items),
})

/** A head that was kept, verified again, and its newest items as the block that they are proven under. */
export interface KeptHead {
  readonly trusted: Trusted
  readonly tail: VerifiedBlock
}

/**
 * The bytes to keep of a head that is trusted; null for genesis, which is computed.
 *
 * @throws EncodeError, or RangeError when the handovers alone are more than what one value may be
 */
export const headRecord = (trusted: Trusted, tail: Tail | null): { readonly index: bigint; readonly bytes: Bytes } | null => {
  const certificate = certificateOf(trusted)
  if (certificate === null) return null
  const { index } = certificate.header
  const made = (newest: Tail): Bytes =>
    encode(recordCodec, {
      version: VERSION,
      index,
      steps: trusted.steps,
      certificate,
      log: trusted.log?.edge ?? null,
      before: newest.before.edge,
      items: newest.items,
    })
  const none: Tail = { before: trusted.edge, items: [] }
  const whole = made(tail === null ? none : newestOf(tail))
  const record = whole.length > STORAGE_LIMITS.value ? made(none) : whole
  if (record.length > STORAGE_LIMITS.value) throw new RangeError(`a head with ${trusted.steps.length} handovers has no room in a record`)
  return { index, bytes: record }
}

/** As many of the newest items as a record has room for. */
const newestOf = ({ before, items }: Tail): Tail => {
  let size = 0
  const older = items.findLastIndex((item) => {
    size += item.length
    return size > MOST.items
  })
  return { before: frontier.append(before, hashLeaves(items.slice(0, older + 1))), items: items.slice(older + 1) }
}

/** The index that a record claims; null for bytes that are no record. Nothing of it is verified: it keeps two tabs from undoing each other. */
export const claimedIndex = (record: Bytes | null): bigint | null =>
  record === null || record.length < 9 || record[0] !== VERSION
    ? null
    : new DataView(record.buffer, record.byteOffset, record.length).getBigUint64(1, true)

/**
 * A record as hostile bytes: every step that a server's answer would have to pass, from the config's genesis and first roster on
 * (PROTOCOL.md section 3, "What is read from IndexedDB is verified like what comes from the wire").
 *
 * @param genesis as the config gives it: its committee's keys were looked at once, and that is what takes longest of all of this
 * @throws DecodeError, CheckError, WithstandError
 */
export const verifyHeadRecord = async (ground: Ground, genesis: Trusted, record: Bytes): Promise<KeptHead> => {
  const { index, steps, certificate, ...kept } = decode(recordCodec, record)
  let climbed: Climb = { committee: genesis.next, last: null }
  for (const step of steps) climbed = await climb(ground, climbed, step)
  const { header, seal, commit, committee } = await verifyHead(ground, climbed, certificate)
  // Another index in front would keep newer heads from being written over this one.
  under('commit.header', () => {
    if (index !== header.index) throw new Error(`a record of block ${index} with the certificate of ${header.index}`)
  })
  const { before, surfaceEdge } = verifyTail(ground, header, kept)
  const log = kept.log && edgeOf('commit.consistency', { size: header.index, root: header.log }, kept.log)
  const trusted: Trusted = { header, commit, seal, committee, next: climbed.committee, steps, edge: surfaceEdge, log }
  return { trusted, tail: { header, commit, first: before.size, before, items: kept.items } }
}

type Kept = Pick<Of<typeof recordCodec>, 'before' | 'items'>

const verifyTail = (ground: Ground, header: Trusted['header'], { before: left, items }: Kept) => {
  const { size, root } = surfaceIn(ground, header)
  const leaves = hashLeaves(items)
  const from = size - BigInt(items.length)
  under('item.inclusion', () => verifyRange({ size, root }, { size, from, to: size, left, right: [] }, leaves))
  const before: Frontier = { size: from, edge: left }
  return { before, surfaceEdge: frontier.append(before, leaves) }
}

const edgeOf = (check: 'commit.consistency', { size, root }: TreeHead, left: readonly Bytes[]): Frontier => {
  under(check, () => verifyRange({ size, root }, { size, from: size, to: size, left, right: [] }, []))
  return { size, edge: left }
}
