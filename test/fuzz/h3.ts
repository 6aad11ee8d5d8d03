import { type Bytes, concat, equal } from '../../client/primitives/bytes.ts'
import { Http3Error } from '../../node/transports/webtransport/codes.ts'
import { FrameReader, type Rule, writeFrame } from '../../node/transports/webtransport/frames.ts'
import { FIELD_LIMITS, readFields, writeFields } from '../../node/transports/webtransport/qpack.ts'
import { readPacket } from '../../node/transports/webtransport/quic/packet.ts'
import { readRequest } from '../../node/transports/webtransport/request.ts'
import { readSettings } from '../../node/transports/webtransport/settings.ts'
import { readVarint, writeVarint } from '../../node/transports/webtransport/varint.ts'
import { type Served, serve } from '../transports/webtransport/_wire.ts'
import { BIDI, PACKETS, SECTIONS, SETTINGS, UNI } from './_h3-moves.ts'
import { mutate } from './_mutate.ts'
import { below, chance, type Draw, fuzz, type Options, type Outcome, pick, program, readOptions, type Trial, wordsOf } from './_seeded.ts'

// WebTransport's listener (node/transports/webtransport) below QUIC's encryption, from which on a peer writes what it likes: packets before
// decryption, integers, frames, field sections, settings, capsules, and whole connections, whose end must not depend on how bytes are cut.

export const FULL = 1_000_000

/** What a reader made of its input: its value, or an error of ours that says where. */
const attempt = <T>(place: string, size: number, act: () => T): { readonly value: T | null; readonly problem: string | null } => {
  try {
    return { value: act(), problem: null }
  } catch (error) {
    if (!(error instanceof Http3Error)) return { value: null, problem: `${place}: threw ${wordsOf(error)}` }
    const isPlaced = Number.isInteger(error.offset) && error.offset >= 0 && error.offset <= size && error.message.length < 200
    return { value: null, problem: isPlaced ? null : `${place}: refused at byte ${error.offset} of ${size}: ${error.message}` }
  }
}

type Kind = (trial: Trial) => string | null

const section: Kind = (trial) => {
  const input = mutate(trial.draw, pick(trial.draw, SECTIONS), { others: SECTIONS })
  trial.input = input
  const { value, problem } = attempt('section', input.length, () => readFields(input))
  trial.tally(`section ${value === null ? 'refused' : 'read'}`)
  if (value === null) return problem
  const size = value.reduce((sum, [name, text]) => sum + name.length + text.length + 32, 0)
  if (value.length > FIELD_LIMITS.fields || size > FIELD_LIMITS.size) return `section: ${value.length} fields of ${size} bytes`
  if (JSON.stringify(readFields(writeFields(value))) !== JSON.stringify(value)) return 'section: comes back as another'
  return attempt('request', value.length, () => readRequest(value)).problem
}

const settings: Kind = (trial) => {
  const input = mutate(trial.draw, SETTINGS, { others: [SETTINGS] })
  trial.input = input
  const { value, problem } = attempt('settings', input.length, () => readSettings(input))
  trial.tally(`settings ${value === null ? 'refused' : 'read'}`)
  if (value === null) return problem
  const again = readSettings(concat(...[...value].flat().map(writeVarint)))
  return JSON.stringify([...again].map(String)) === JSON.stringify([...value].map(String)) ? null : 'settings: come back as others'
}

const varint: Kind = (trial) => {
  const input = mutate(trial.draw, writeVarint(BigInt(below(trial.draw, 2 ** 31)) << BigInt(below(trial.draw, 31))))
  trial.input = input
  const found = readVarint(input)
  trial.tally(`varint ${found === null ? 'short' : 'read'}`)
  if (found === null) return input.length >= 8 ? 'varint: is whole, and was not read' : null
  if (found.size > input.length || found.value >= 1n << 62n) return `varint: ${found.value} of ${found.size} bytes`
  return readVarint(writeVarint(found.value))?.value === found.value ? null : 'varint: comes back as another'
}

const packet: Kind = (trial) => {
  const input = mutate(trial.draw, pick(trial.draw, PACKETS), { others: PACKETS, joints: [0, 1, 5, 6, 14, 26, 27, 28] })
  trial.input = input
  const found = readPacket(Buffer.from(input))
  trial.tally(`packet ${found?.kind ?? 'none'}`)
  if (found === null || found.kind === 'short') return found === null || found.key.length === 20 ? null : 'packet: an id of another length'
  return found.dcid.length <= 20 && found.scid.length <= 20 && (found.token?.length ?? 0) <= 512 ? null : 'packet: a part beyond its bound'
}

/** Cuts bytes anywhere. */
const cut = (draw: Draw, bytes: Bytes): readonly Bytes[] => {
  const most = chance(draw, 0.2) ? 1 : 1 + below(draw, 60)
  const chunks: Bytes[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + below(draw, most)
    chunks.push(bytes.slice(at, at + size))
    at += size
  }
  return chunks
}

const RULES: readonly Rule[] = [64, 0, 'pass', 'drop']

/** What comes of chunks: payloads, the bytes that were passed on in one piece, and the error. */
const framesOf = (chunks: readonly Uint8Array[]): string => {
  const found: string[] = []
  let passed = Buffer.alloc(0)
  const flush = (): void => {
    if (passed.length > 0) found.push(`passed ${passed.toString('hex')}`)
    passed = Buffer.alloc(0)
  }
  const rule = (type: bigint): Rule => {
    flush()
    return RULES[Number(type & 3n)] as Rule
  }
  const reader = new FrameReader({ place: 'frames', rule })
  try {
    for (const chunk of chunks)
      for (const piece of reader.push(chunk)) {
        if (piece.kind === 'part') passed = Buffer.concat([passed, piece.bytes])
        else found.push(`${piece.type} ${Buffer.from(piece.payload).toString('hex')}`)
      }
    flush()
    found.push(`${reader.offset} ${reader.isInside}`)
  } catch (error) {
    if (!(error instanceof Http3Error)) throw error
    flush()
    found.push(error.message)
  }
  return found.join('\n')
}

const frames: Kind = (trial) => {
  const { draw } = trial
  const whole = Array.from({ length: 1 + below(draw, 5) }, () => writeFrame(BigInt(below(draw, 200)), new Uint8Array(below(draw, 70))))
  const input = mutate(draw, concat(...whole))
  trial.input = input
  const once = framesOf([input])
  trial.tally(`frames ${/: a frame /.test(once) ? 'refused' : 'read'}`)
  return framesOf(cut(draw, input)) === once ? null : `frames: cut otherwise they are others than\n${once}`
}

type Move =
  | { readonly kind: 'bytes'; readonly id: number; readonly bytes: Bytes; readonly isLast: boolean }
  | { readonly kind: 'reset'; readonly id: number }
  | { readonly kind: 'close' | 'abort' | 'pass' | 'listen' }

const movesOf = (draw: Draw): readonly Move[] => {
  const moves: Move[] = []
  let [bidi, uni] = [0, 2]
  for (let left = 1 + below(draw, 8); left > 0; left--) {
    const isUni = chance(draw, 0.35)
    const id = isUni ? uni : bidi
    if (isUni) uni += 4
    else bidi += 4
    const right = pick(draw, isUni ? UNI : BIDI)
    const bytes = chance(draw, 0.5) ? right : mutate(draw, right, { others: [...UNI, ...BIDI], joints: [0, 1, 2, 3] })
    moves.push({ kind: 'bytes', id, bytes, isLast: chance(draw, 0.1) })
    if (chance(draw, 0.05)) moves.push({ kind: 'reset', id })
    if (chance(draw, 0.15)) moves.push({ kind: pick(draw, ['close', 'abort', 'pass', 'listen'] as const) })
  }
  return moves
}

/** What is seen of a connection at its end: what was sent on each stream, how each was given up, and the code. */
const outcomeOf = ({ connection, sessions }: Served, told: number): string => {
  const streams = [...connection.streams.values()].map(
    ({ id, sent, wrote, stopped }) => `${id} ${Buffer.from(sent).toString('hex')} ${wrote} ${stopped}`,
  )
  return [`${connection.code} ${sessions.length} ${told}`, ...streams.sort()].join('\n')
}

const play = (moves: readonly Move[], split: (bytes: Bytes) => readonly Bytes[]): { readonly served: Served; readonly told: number } => {
  let told = 0
  const tell = (): void => {
    told += 1
  }
  const served = serve((session) => session.onClosed(tell))
  const { connection, sessions } = served
  const act = (run: () => void): void => {
    try {
      run()
    } catch (error) {
      // As QuicConnection does with what its owner throws.
      if (!(error instanceof Http3Error)) throw error
      connection.close(error.code)
    }
  }
  for (const move of moves) {
    if (move.kind === 'bytes') {
      for (const chunk of split(move.bytes)) act(() => connection.arrive(move.id, chunk))
      if (move.isLast) act(() => connection.arrive(move.id, 'end'))
    } else if (move.kind === 'reset') act(() => connection.arrive(move.id, 'reset'))
    else if (move.kind === 'pass') act(() => served.pass())
    else if (move.kind === 'listen') sessions[0]?.onStream(() => {})
    else sessions[0]?.[move.kind]()
  }
  return { served, told }
}

const connection: Kind = (trial) => {
  const moves = movesOf(trial.draw)
  trial.input = concat(...moves.map((move) => (move.kind === 'bytes' ? move.bytes : new Uint8Array(0))))
  const { served, told } = play(moves, (bytes) => (bytes.length === 0 ? [] : [bytes]))
  const { code } = served.connection
  trial.tally(`connection ${code === null ? 'open' : served.sessions.length === 0 ? 'refused' : 'ended'}`)
  if (served.sessions.length > 1) return `${served.sessions.length} sessions on a connection`
  if (told !== (code !== null && served.sessions.length > 0 ? 1 : 0)) return `its end was told ${told} times, the code is ${code}`
  if (code !== null && served.sessions[0]?.isOpen) return 'a session outlives its connection'
  const again = play(moves, (bytes) => cut(trial.draw, bytes))
  const [first, second] = [outcomeOf(served, told), outcomeOf(again.served, again.told)]
  return equal(Buffer.from(first), Buffer.from(second)) ? null : `cut otherwise it ends otherwise:\n${first}\nand\n${second}`
}

const KINDS: readonly (readonly [part: number, kind: Kind])[] = [
  [0.25, section],
  [0.08, settings],
  [0.05, varint],
  [0.12, packet],
  [0.2, frames],
  [0.3, connection],
]

export const fuzzH3 = (options: Options, beat?: (number: number) => void): Promise<Outcome> => {
  const run = (trial: Trial): string | null => {
    let left = trial.draw()
    for (const [part, kind] of KINDS) {
      left -= part
      if (left < 0) return kind(trial)
    }
    return connection(trial)
  }
  return fuzz('h3', options, run, beat)
}

/** `npm run fuzz -- h3`. */
export const main = (args: readonly string[]): Promise<number> => program('h3', readOptions(args, FULL), fuzzH3)
