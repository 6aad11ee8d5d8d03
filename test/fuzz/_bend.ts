import { frame } from '../../client/network/light/frame.ts'
import { LIGHT_LIMITS, type Response, responseCodec } from '../../client/network/light/messages.ts'
import { type Bytes, equal } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { jointsOf, mutate } from './_mutate.ts'
import { below, chance, type Draw, pick } from './_seeded.ts'
import { warp } from './_warp.ts'

// What a hostile server makes of an honest one's answers.

const WAYS = ['value', 'value', 'value', 'payload', 'payload', 'frame', 'replay', 'cut', 'nothing'] as const
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

/** One way of bending, for one of the kinds of answer, always or now and then. `seen` is told the last chunk that was bent. */
export const bender = (draw: Draw, kinds: readonly Kind[], seen: (chunk: Bytes) => void): Bend => {
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
    const before = honest.slice(-20)
    honest.push(response)
    const isMeant = started && times < most && (kind === 'any' || response.kind === kind) && chance(draw, part)
    if (!isMeant) return chunk
    times += 1
    const bent = bend(draw, way, chunk, response, before)
    if (!equal(bent, chunk)) changed += 1
    seen(bent)
    return bent
  }
  const start = (): void => {
    started = true
  }
  return { tamper, start, later: chance(draw, 0.6), words: `${way} of ${kind}, ${part}, at most ${most}`, bent: () => changed }
}

const bend = (draw: Draw, way: (typeof WAYS)[number], chunk: Bytes, response: Response, before: readonly Response[]): Bytes => {
  const payload = payloadOf(chunk)
  const framed = (bytes: Bytes): Bytes => frame(bytes.slice(0, LIGHT_LIMITS.frame))
  const others = before.map((each) => encode(responseCodec, each))
  switch (way) {
    case 'value':
      return framed(encoded(warp(draw, response, before)) ?? mutate(draw, payload))
    case 'payload':
      return framed(mutate(draw, payload, { joints: jointsOf(responseCodec, payload), others: [payload, ...others] }))
    case 'frame':
      return mutate(draw, chunk, { joints: [0, 1, 2, 3], others: [chunk, ...others] })
    case 'replay':
      return framed(others.length === 0 ? payload : pick(draw, others))
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
