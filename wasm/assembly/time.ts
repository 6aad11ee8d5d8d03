import { after, inside, open } from './der'
import { MISSING, TIME_FORM, TIME_KIND, TIME_RANGE } from './problems'
import { put, refuse } from './result'

// Time, RFC 5280 section 4.1.2.5: UTCTime through 2049 and GeneralizedTime from 2050 on, both with seconds, without fractions, in Z.

const UTC: u32 = 0x17
const GENERALIZED: u32 = 0x18

let seconds: i64 = 0

/** Reads a Time into two fields: unix seconds as an i64, its low half first. Its end is left in `after`. */
export function readTime(field: u32, at: usize, end: usize, path: u32): bool {
  if (!isTime(at, end, path)) return false
  put(field, <u32>seconds)
  put(field + 1, <u32>(seconds >> 32))
  return true
}

/** A Time that is not kept. */
export function isTime(at: usize, end: usize, path: u32): bool {
  if (at == end) return refuse(MISSING, path, at)
  const isUtc: bool = load<u8>(at) == UTC
  if (!open(isUtc ? UTC : GENERALIZED, at, end, path)) return false
  const yearDigits: u32 = isUtc ? 2 : 4
  if (<u32>(after - inside) != yearDigits + 11) return refuse(TIME_FORM, path, inside)
  if (load<u8>(after - 1) != 0x5a) return refuse(TIME_FORM, path, after - 1)
  for (let p = inside; p < after - 1; p++) if (<u32>load<u8>(p) - 0x30 > 9) return refuse(TIME_FORM, path, p)
  let year = two(inside)
  if (isUtc) year += year < 50 ? 2000 : 1900
  else year = year * 100 + two(inside + 2)
  if (year < 2050 && !isUtc) return refuse(TIME_KIND, path, inside)
  return isInCalendar(year, inside + yearDigits, path)
}

function isInCalendar(year: u32, at: usize, path: u32): bool {
  const month = two(at), day = two(at + 2), hour = two(at + 4), minute = two(at + 6), second = two(at + 8)
  const isOne = month - 1 < 12 && day - 1 < daysOf(month, year) && hour < 24 && minute < 60 && second < 60
  seconds = daysSince1970(year, month, day) * 86400 + <i64>(hour * 3600 + minute * 60 + second)
  return isOne || refuse(TIME_RANGE, path, at)
}

function two(at: usize): u32 {
  return (<u32>load<u8>(at) - 0x30) * 10 + <u32>load<u8>(at, 1) - 0x30
}

function daysOf(month: u32, year: u32): u32 {
  if (month != 2) return 30 + ((month + (month >> 3)) & 1)
  const isLeap = (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0)
  return isLeap ? 29 : 28
}

/** Years begin in March here, so that the leap day is the last of its year. 719,468 days lie between 1 March of year 0 and 1970. */
function daysSince1970(year: u32, month: u32, day: u32): i64 {
  if (month < 3) {
    year--
    month += 12
  }
  const days = 365 * year + (year >> 2) - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1
  return <i64>days - 719468
}
