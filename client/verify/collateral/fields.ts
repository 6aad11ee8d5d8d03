import { type Bytes, readHex } from '../../primitives/bytes.ts'
import { items, type Json, member, optional, ParseError, text } from '../../primitives/json-value.ts'
import type { TcbStatus } from '../attestation.ts'
import { TCB_STATUSES } from '../quote/names.ts'

// Readers for the fields that Intel's two signed documents share.

/** What an SVN means: its date in unix seconds, its status, and the advisories that it is short of. */
export interface Standing {
  readonly tcbDate: number
  readonly status: TcbStatus
  readonly advisories: readonly string[]
}

/** A level of a quoting enclave or of a TDX module. */
export interface SvnLevel extends Standing {
  readonly isvsvn: number
}

/** An integer from 0 to `max`. @throws ParseError */
export const integer = ({ value, path }: Json, max: number): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max)
    throw new ParseError(path, `is not an integer of 0 … ${max}`)
  return value
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/

/** Unix seconds of an RFC 3339 time in UTC without fractions, the only form that Intel writes. @throws ParseError */
export const date = (json: Json): number => {
  const [, ...digits] = DATE.exec(text(json)) ?? []
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = digits.map(Number)
  const seconds = Date.UTC(year, month - 1, day, hour, minute, second) / 1000
  // Date.UTC carries the 31st of April over into May, and takes year 26 for 1926.
  if (digits.length !== 6 || dateText(seconds) !== json.value)
    throw new ParseError(json.path, 'is not a time of the form 2026-06-01T00:00:00Z')
  return seconds
}

/** A time in unix seconds as the documents write it. */
export const dateText = (seconds: number): string =>
  Math.abs(seconds) <= 8.64e12 ? new Date(seconds * 1000).toISOString().replace('.000Z', 'Z') : `${seconds} s`

/** Says that a time lies outside of a period: all three in unix seconds. */
export const notWithin = (from: number, until: number, at: number): string =>
  `valid from ${dateText(from)} to ${dateText(until)}, not at ${dateText(at)}`

/**
 * Refuses what is no time to verify at: every date would be compared with it, and a comparison with what is no number is false in both
 * directions.
 *
 * @throws TypeError
 */
export const expectTime = (at: number): void => {
  if (!Number.isSafeInteger(at) || at < 0) throw new TypeError(`${at} is not a time in unix seconds`)
}

/** Hex digits of either case and nothing else, `length` bytes of them. @throws ParseError */
export const hex = (json: Json, length: number): Bytes => {
  const digits = text(json)
  if (digits.length !== 2 * length) throw new ParseError(json.path, `expected ${2 * length} hex digits, found ${digits.length}`)
  return hexBytes(json)
}

/** Bytes of hex digits, as many as there are. @throws ParseError */
export const hexBytes = (json: Json): Bytes => readHex(text(json), 0, (problem) => new ParseError(json.path, problem))

/** @throws ParseError for a status that this version does not know: nobody could say whether it may be trusted. */
const status = (json: Json): TcbStatus => {
  const known = TCB_STATUSES.find((name) => name === json.value)
  if (known === undefined) throw new ParseError(json.path, `unknown status ${JSON.stringify(text(json).slice(0, 64))}`)
  return known
}

/** Date, status and advisories of a level. @throws ParseError */
export const standing = (level: Json): Standing => {
  const advisories = optional(level, 'advisoryIDs')
  return {
    tcbDate: date(member(level, 'tcbDate')),
    status: status(member(level, 'tcbStatus')),
    advisories: advisories ? items(advisories, text) : [],
  }
}

/** Levels by `isvsvn`, the highest first. @throws ParseError for none, and for two of one SVN: their order would decide */
export const svnLevels = (json: Json): readonly SvnLevel[] => {
  const levels = items(json, (level) => ({ isvsvn: integer(member(member(level, 'tcb'), 'isvsvn'), 0xffff), ...standing(level) }))
  return sorted(json.path, levels, (a, b) => b.isvsvn - a.isvsvn)
}

/** In order, or refused when there are none or two are equal. @throws ParseError */
export const sorted = <T>(path: string, levels: T[], order: (a: T, b: T) => number): readonly T[] => {
  if (levels.length === 0) throw new ParseError(path, 'has no levels')
  levels.sort(order)
  const twice = levels.findIndex((level, i) => i > 0 && order(levels[i - 1] as T, level) === 0)
  if (twice >= 0) throw new ParseError(path, 'has two levels of the same SVNs')
  return levels
}
