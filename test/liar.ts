import type { Host } from '../client/network/host.ts'
import { frame } from '../client/network/light/frame.ts'
import { type Response, type ResponseOf, responseCodec } from '../client/network/light/messages.ts'
import type { Answer, AnswerOf, QueryKind } from '../client/network/light/queries.ts'
import type { StreamHandler } from '../client/network/light/server.ts'
import { type Bytes, copy } from '../client/primitives/bytes.ts'
import { decode, encode } from '../client/primitives/codec.ts'

/** What goes out in the place of an answer: another one, or bytes that are none. With a pause they go out one by one, that many milliseconds apart. */
export type Told = Response | { readonly raw: Bytes; readonly pauseMs?: number }

/** A lie about an honest answer. Null passes it on as it is. */
export type Lie = (honest: Response) => Told | null | Promise<Told | null>

/**
 * A server of the real protocol that answers honestly, and lies where it is told to. It holds whatever keys its host has, and serves
 * whatever history it is given: what it signed itself comes in with that.
 *
 * @param after the clock of its pauses
 */
export const lying =
  (honest: StreamHandler, lie: () => Lie | null, after: Host['after'] = never): StreamHandler =>
  (stream, peer) => {
    let dripping = false
    const write = async (bytes: Bytes): Promise<void> => {
      const told = await bent(bytes, lie())
      if (!('pauseMs' in told)) return stream.write(told.bytes)
      dripping = true
      // Not waited for: the honest half would give up its own write first, and the reader is the one who has to.
      void drip(told.bytes, told.pauseMs).catch(() => {})
    }
    const drip = async (bytes: Bytes, ms: number): Promise<void> => {
      for (const byte of bytes) {
        await new Promise<void>((resolve) => after(ms, resolve))
        await stream.write(Uint8Array.of(byte))
      }
    }
    const finish = async (): Promise<void> => (dripping ? undefined : stream.finish())
    return honest({ ...stream, write, finish }, peer)
  }

const never: Host['after'] = () => () => {}

/** One write of the server is one frame. */
const bent = async (
  bytes: Bytes,
  lie: Lie | null,
): Promise<{ readonly bytes: Bytes } | { readonly bytes: Bytes; readonly pauseMs: number }> => {
  const told = lie === null ? null : await lie(decode(responseCodec, payloadOf(bytes)))
  if (told === null) return { bytes }
  if (!('raw' in told)) return { bytes: framed(told) }
  return told.pauseMs === undefined ? { bytes: told.raw } : { bytes: told.raw, pauseMs: told.pauseMs }
}

/** A frame without its ULEB128 length. */
const payloadOf = (bytes: Bytes): Bytes => {
  let at = 0
  while (((bytes[at] as number) & 0x80) !== 0) at += 1
  return copy(bytes.subarray(at + 1))
}

/** An answer as it goes over the wire. */
export const framed = (response: Response): Bytes => frame(encode(responseCodec, response))

/** The same bytes with one bit of the middle one turned. */
export const flipped = (bytes: Bytes): Bytes => {
  const other = copy(bytes)
  const middle = Math.floor(other.length / 2)
  other[middle] = (other[middle] as number) ^ 1
  return other
}

/** The list with its first one turned. */
export const first = (list: readonly Bytes[]): readonly Bytes[] => list.map((bytes, i) => (i === 0 ? flipped(bytes) : bytes))

/** A lie in the answer to `open`. */
export const opened =
  (change: (value: ResponseOf<'opened'>) => ResponseOf<'opened'>): Lie =>
  (honest) =>
    honest.kind === 'opened' ? { kind: 'opened', value: change(honest.value) } : null

/** A lie in the header or the seal of the newest head. */
export const head = (change: (head: ResponseOf<'opened'>['head']) => ResponseOf<'opened'>['head']): Lie =>
  opened((value) => ({ ...value, head: change(value.head) }))

/** A lie in each answer of one kind under `proven`. */
export const answered =
  <K extends QueryKind>(kind: K, change: (value: AnswerOf<K>) => AnswerOf<K> | Promise<AnswerOf<K>>): Lie =>
  async (honest) => {
    if (honest.kind !== 'proven' || !honest.value.answers.some((answer) => answer.kind === kind)) return null
    const bend = async (answer: Answer): Promise<Answer> =>
      answer.kind === kind ? ({ kind, value: await change(answer.value as AnswerOf<K>) } as Answer) : answer
    return { kind: 'proven', value: { answers: await Promise.all(honest.value.answers.map(bend)) } }
  }

/** A lie in what a watcher is sent. */
export const commits =
  (change: (value: ResponseOf<'commits'>) => ResponseOf<'commits'>): Lie =>
  (honest) =>
    honest.kind === 'commits' ? { kind: 'commits', value: change(honest.value) } : null

/** Other bytes in the place of one kind of answer. */
export const instead =
  (kind: Response['kind'], told: (bytes: Bytes) => { readonly raw: Bytes; readonly pauseMs?: number }): Lie =>
  (honest) =>
    honest.kind === kind ? told(framed(honest)) : null

/** The first of several lies that has something to say. */
export const either =
  (...lies: readonly Lie[]): Lie =>
  async (honest) => {
    for (const lie of lies) {
      const told = await lie(honest)
      if (told !== null) return told
    }
    return null
  }
