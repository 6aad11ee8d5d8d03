import { frame } from '../../client/network/light/frame.ts'
import { LIGHT_LIMITS, type Response, responseCodec } from '../../client/network/light/messages.ts'
import { answerBlob } from '../../client/network/light/opening.ts'
import { answerProve } from '../../client/network/light/prove.ts'
import { prefixOf, type Query } from '../../client/network/light/queries.ts'
import { type Bytes, equal, fromHex } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { pathOf } from '../../client/proofs/index.ts'
import type { Chain } from '../network/chain.ts'
import { GROUP, person } from '../network/notes.ts'
import { jointsOf, mutate } from './_mutate.ts'
import { below, chance, type Draw, pick } from './_seeded.ts'
import { warp } from './_warp.ts'

// What a hostile server makes of an honest one's answers.

const WAYS = ['value', 'value', 'value', 'value', 'payload', 'payload', 'frame', 'replay', 'replay', 'cut', 'nothing'] as const
export type Kind = Response['kind'] | 'any'

export interface Bend {
  /** For a place of test/network/world.ts; passes everything on until it was started. */
  readonly tamper: (chunk: Bytes) => Bytes
  readonly start: () => void
  /** Whether the first handle is opened honestly. */
  readonly later: boolean
  readonly words: string
  /** How many answers came out otherwise than they went in. */
  readonly bent: () => number
}

const payloadOf = (chunk: Bytes): Bytes => chunk.subarray(chunk.findIndex((byte) => byte < 0x80) + 1)

/**
 * One way of bending, for one of the kinds of answer, always or now and then. `known` are
 * other answers of the same group, all of them true; `seen` is told the last chunk that was bent.
 */
export const bender = (draw: Draw, kinds: readonly Kind[], known: readonly Response[], seen: (chunk: Bytes) => void): Bend => {
  const way = pick(draw, WAYS)
  const kind = pick(draw, kinds)
  const part = pick(draw, [1, 1, 1, 0.5, 0.2])
  // A liar who mends its ways would let the reader off: `most` bounds what is bent, so that what follows is read in the state it left.
  const most = pick(draw, [1, 2, Number.POSITIVE_INFINITY])
  const honest: Response[] = []
  let started = false
  let times = 0
  let changed = 0
  const tamper = (chunk: Bytes): Bytes => {
    const response = decode(responseCodec, payloadOf(chunk))
    const others = [...honest.slice(-20), ...known].filter((each) => each.kind === response.kind || chance(draw, 0.1))
    honest.push(response)
    const isMeant = started && times < most && (kind === 'any' || response.kind === kind) && chance(draw, part)
    if (!isMeant) return chunk
    times += 1
    const bent = bend(draw, way, chunk, response, others)
    if (!equal(bent, chunk)) changed += 1
    seen(bent)
    return bent
  }
  const start = (): void => {
    started = true
  }
  return { tamper, start, later: chance(draw, 0.6), words: `${way} of ${kind}, ${part}, at most ${most}`, bent: () => changed }
}

const bend = (draw: Draw, way: (typeof WAYS)[number], chunk: Bytes, response: Response, others: readonly Response[]): Bytes => {
  const payload = payloadOf(chunk)
  const framed = (bytes: Bytes): Bytes => frame(bytes.slice(0, LIGHT_LIMITS.frame))
  const other = others.length === 0 ? response : pick(draw, others)
  const bytes = encode(responseCodec, other)
  switch (way) {
    case 'value':
      return framed(encoded(warp(draw, response, [other])) ?? mutate(draw, payload))
    case 'payload':
      return framed(mutate(draw, payload, { joints: jointsOf(responseCodec, payload), others: [payload, bytes] }))
    case 'frame':
      return mutate(draw, chunk, { joints: [0, 1, 2, 3], others: [chunk, bytes] })
    case 'replay':
      return framed(bytes)
    case 'cut':
      return chunk.slice(0, below(draw, chunk.length))
    case 'nothing':
      return new Uint8Array(0)
  }
}

const encoded = (response: Response): Bytes | null => {
  try {
    return encode(responseCodec, response)
  } catch {
    return null
  }
}

/** Other true answers about a chain: to other questions, and under older heads. */
export const truths = async (chain: Chain): Promise<readonly Response[]> => {
  const source = chain.source()
  const height = chain.head.index
  const found: Response[] = []
  const prove = async (at: bigint, query: Query): Promise<void> => {
    found.push({ kind: 'proven', value: await answerProve(source, { group: GROUP, at, queries: [query] }) })
  }
  for (const at of [height, height - 1n, height - 4n]) {
    const size = chain.sizes[Number(at)] as bigint
    for (const position of [0n, size - 2n, size - 1n]) await prove(at, { kind: 'item', value: { surface: 0, position } })
    for (const from of [0n, 1n, size - 3n]) await prove(at, { kind: 'range', value: { surface: 0, from, to: size - (from & 1n) } })
    await prove(at, { kind: 'header', value: { index: at - 2n } })
    for (const [who, bits] of [
      [0, 0],
      [1, 256],
      [4, 256],
      [77, 256],
    ] as const) {
      const tail = { surface: 0, by: 0, bits, path: prefixOf(pathOf(person(who)), bits), have: [], upto: [], max: bits === 0 ? 3 : 1_024 }
      await prove(at, { kind: 'tail', value: tail })
    }
  }
  const [hash] = chain.blobs.keys()
  found.push({ kind: 'blob', value: await answerBlob([source], { hash: fromHex(hash as string), offset: 0n }) })
  return found
}
