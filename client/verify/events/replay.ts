import { sha384 } from '@noble/hashes/sha2.js'
import { type Bytes, concat, equal, toHex } from '../../primitives/bytes.ts'
import { type LogEvent, REGISTERS, type Register, readEventLog } from './log.ts'
import { measuredBytes, textOf } from './text.ts'
import { NO_ACTION, typeNameOf } from './types.ts'

/**
 * Whether the event's data are what its digest is of. `matches`: they are · `differs`: they are not, so the text tells something that was
 * not measured · `unchecked`: the digest is of something that the log does not hold, and the text is the writer's word alone.
 */
export type DataState = 'matches' | 'differs' | 'unchecked'

/** An event as a person reads it. Strings and numbers only: it crosses ports and becomes JSON as it stands. */
export type ExplainedEvent = {
  /** Its place in the log, from 0; the header is not counted. */
  readonly index: number
  /** Its first byte in the log. */
  readonly offset: number
  readonly register: Register
  readonly type: number
  /** As the profile spells it, or the number in hex. */
  readonly typeName: string
  /** 96 hex digits. */
  readonly digest: string
  /** Printable ASCII, at most 200 characters. */
  readonly text: string
  readonly data: DataState
  /** False for what the log notes and no register was extended by: EV_NO_ACTION, and all of MR_TD, which the TDX module measures itself. */
  readonly extends: boolean
}

export type Replay = {
  /** RTMR0 to RTMR3, 48 bytes each: what the registers hold if exactly these events were measured, in this order, from zeros on. */
  readonly rtmr: readonly [Bytes, Bytes, Bytes, Bytes]
  readonly events: readonly ExplainedEvent[]
}

/**
 * Extends four registers of zeros by the log's digests: RTMR = SHA-384(RTMR ‖ digest) (Intel TDX Module, TDG.MR.RTMR.EXTEND). A replay shows
 * nothing before its registers are held against those of a verified quote: {@link explainMeasurements}.
 *
 * @param bytes the log, 1 MiB and 4,096 events at most
 * @throws EventLogError naming path and offset
 */
export const replayEventLog = (bytes: Bytes): Replay => {
  const rtmr: [Bytes, Bytes, Bytes, Bytes] = [new Uint8Array(48), new Uint8Array(48), new Uint8Array(48), new Uint8Array(48)]
  const events = readEventLog(bytes).map((event, index) => {
    const which = REGISTERS.indexOf(event.register) - 1
    const before = rtmr[which]
    const extending = before !== undefined && event.type !== NO_ACTION
    if (extending) rtmr[which] = hash(concat(before, event.digest))
    return explained(event, index, extending)
  })
  return { rtmr, events }
}

const explained = (event: LogEvent, index: number, extending: boolean): ExplainedEvent => ({
  index,
  offset: event.offset,
  register: event.register,
  type: event.type,
  typeName: typeNameOf(event.type),
  digest: toHex(event.digest),
  text: textOf(event.type, event.data),
  data: stateOf(event),
  extends: extending,
})

const stateOf = ({ type, data, digest }: LogEvent): DataState => {
  const measured = measuredBytes(type, data)
  if (measured === null) return 'unchecked'
  return equal(hash(measured), digest) ? 'matches' : 'differs'
}

const hash = (bytes: Bytes): Bytes => sha384(bytes) as Bytes

/** The registers of a verified quote, 96 hex digits each, as a verdict has them. */
export type QuotedRegisters = { readonly rtmr0: string; readonly rtmr1: string; readonly rtmr2: string; readonly rtmr3: string }

/** One register: what the quote has, what the log leads to, and by how many events. */
export type ExplainedRegister = {
  readonly register: Exclude<Register, 'mrTd'>
  readonly state: 'passed' | 'failed'
  readonly quoted: string
  readonly replayed: string
  readonly events: number
}

export type Explanation = {
  /** All four registers are what the log leads to: every event was measured and none is missing. */
  readonly equal: boolean
  readonly registers: readonly ExplainedRegister[]
  /** Indexes of events in a register that is equal, whose data are not what was measured: their text is not to be believed. */
  readonly contradicted: readonly number[]
}

/**
 * Says for each RTMR whether a log explains it. Events of a register that is not equal explain nothing: one of them was made up, left out or
 * moved. MR_TD is not here: no log leads to it, it is compared with the measurement that the image's builder published.
 *
 * @param quoted from a verdict that was accepted: of an unverified quote anybody can write a log
 */
export const explainMeasurements = (quoted: QuotedRegisters, { rtmr, events }: Replay): Explanation => {
  const registers = (['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const).map((register, i): ExplainedRegister => {
    const replayed = toHex(rtmr[i] as Bytes)
    const found = quoted[register].toLowerCase()
    const count = events.filter((event) => event.extends && event.register === register).length
    return { register, state: found === replayed ? 'passed' : 'failed', quoted: found, replayed, events: count }
  })
  const held = registers.filter(({ state }) => state === 'passed').map(({ register }): Register => register)
  return {
    equal: held.length === registers.length,
    registers,
    contradicted: events.filter((event) => event.data === 'differs' && held.includes(event.register)).map(({ index }) => index),
  }
}
