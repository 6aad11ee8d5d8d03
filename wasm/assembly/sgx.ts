import {
  ENUMERATED, INTEGER, OCTET_STRING, SEQUENCE,
  after, beginsWith, closed, inside, open, openExact, openId, readBoolean, readNumber, value,
} from './der'
import * as field from './fields'
import { RESULT } from './memory'
import { CONFIGURATION, CPUSVN, FMSPC, PCEID, PCESVN, PLATFORM_INSTANCE, PPID, SGX, SGX_TYPE, TCB, TCB_COMPONENT } from './paths'
import { OTHER_ITEM } from './problems'
import { FIELDS, put, putRange, refuse } from './result'

// The SGX extension, "Intel SGX PCK Certificate and Certificate Revocation List Profile Specification", section 1.3.5: a sequence of items,
// each an object identifier below the extension's own and a value. They come in the order of their numbers; the last two are a platform's.

/** 1.2.840.113741.1.13.1 */
export const SGX_ID: usize = memory.data<u8>([0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01])
export const SGX_ID_LENGTH: u32 = 9

const TCB_ITEM: u32 = 2
const PLATFORM_INSTANCE_ITEM: u32 = 6
const CONFIGURATION_ITEM: u32 = 7
const COMPONENT_COUNT: u32 = 16
const LAST_TYPE: u32 = 2 // standard, scalable, scalable with integrity

/** The item that was opened last: its number, its value, its end. */
let item: u32 = 0
let itemValue: usize = 0
let itemEnd: usize = 0
let has: u32 = 0

/** Reads the extension and gives flags of what it has; 0 where it is refused. */
export function readSgx(at: usize, end: usize): u32 {
  has = field.HAS_SGX
  if (!open(SEQUENCE, at, end, SGX) || !closed(after, end, SGX)) return 0
  const isRead = readBytes(field.PPID, 1, 16, inside, end, PPID)
    && readTcb(itemEnd, end)
    && readBytes(field.PCEID, 3, 2, itemEnd, end, PCEID)
    && readBytes(field.FMSPC, 4, 6, itemEnd, end, FMSPC)
    && readType(itemEnd, end)
    && readPlatform(itemEnd, end)
  return isRead ? has : 0
}

function readType(at: usize, end: usize): bool {
  if (!openNext(0, 5, at, end, SGX_TYPE)) return false
  if (!readNumber(ENUMERATED, LAST_TYPE, itemValue, itemEnd, SGX_TYPE)) return false
  put(field.SGX_TYPE, value)
  return closed(after, itemEnd, SGX_TYPE)
}

/** Sixteen component SVNs, then PCESVN and CPUSVN. */
function readTcb(at: usize, end: usize): bool {
  if (!openNext(0, TCB_ITEM, at, end, TCB)) return false
  if (!open(SEQUENCE, itemValue, itemEnd, TCB) || !closed(after, itemEnd, TCB)) return false
  const tcbEnd = itemEnd
  itemEnd = inside
  for (let i: u32 = 1; i <= COMPONENT_COUNT; i++) {
    if (!readSvn(i, 0xff, itemEnd, tcbEnd, TCB_COMPONENT)) return false
    store<u8>(RESULT + ((FIELDS + field.COMPONENTS) << 2) + i - 1, value)
  }
  if (!readSvn(COMPONENT_COUNT + 1, 0xffff, itemEnd, tcbEnd, PCESVN)) return false
  put(field.PCESVN, value)
  if (!openNext(TCB_ITEM, COMPONENT_COUNT + 2, itemEnd, tcbEnd, CPUSVN)) return false
  return putBytes(field.CPUSVN, 16, CPUSVN) && closed(itemEnd, tcbEnd, TCB)
}

function readSvn(number: u32, most: u32, at: usize, end: usize, path: u32): bool {
  if (!openNext(TCB_ITEM, number, at, end, path)) return false
  return readNumber(INTEGER, most, itemValue, itemEnd, path) && closed(after, itemEnd, path)
}

/** Certificates of the Processor CA have neither item. */
function readPlatform(at: usize, end: usize): bool {
  let p = at
  if (p < end && !openItem(0, p, end, SGX)) return false
  if (p < end && item == PLATFORM_INSTANCE_ITEM) {
    has |= field.HAS_PLATFORM_INSTANCE
    if (!putBytes(field.PLATFORM_INSTANCE, 16, PLATFORM_INSTANCE)) return false
    p = itemEnd
    if (p < end && !openItem(0, p, end, SGX)) return false
  }
  if (p == end) return true
  if (item != CONFIGURATION_ITEM) return refuse(OTHER_ITEM, SGX, p)
  has |= field.HAS_CONFIGURATION
  p = itemEnd
  return readConfiguration() && closed(p, end, SGX)
}

/** Three booleans, each of which may be missing. */
function readConfiguration(): bool {
  if (!open(SEQUENCE, itemValue, itemEnd, CONFIGURATION) || !closed(after, itemEnd, CONFIGURATION)) return false
  const end = itemEnd
  let bits: u32 = 0
  let least: u32 = 1
  for (let p = inside; p < end; p = itemEnd) {
    if (!openItem(CONFIGURATION_ITEM, p, end, CONFIGURATION)) return false
    if (item < least || item > 3) return refuse(OTHER_ITEM, CONFIGURATION, p)
    if (!readBoolean(itemValue, itemEnd, CONFIGURATION) || !closed(after, itemEnd, CONFIGURATION)) return false
    bits |= (1 | (value << 4)) << (item - 1)
    least = item + 1
  }
  put(field.CONFIGURATION, bits)
  return true
}

function readBytes(to: u32, number: u32, length: u32, at: usize, end: usize, path: u32): bool {
  return openNext(0, number, at, end, path) && putBytes(to, length, path)
}

/** The value of the item that was opened last, an OCTET STRING of one length. */
function putBytes(to: u32, length: u32, path: u32): bool {
  if (!openExact(OCTET_STRING, length, itemValue, itemEnd, path) || !closed(after, itemEnd, path)) return false
  putRange(to, inside, length)
  return true
}

/** Opens the item of this number, and no other. */
function openNext(parent: u32, number: u32, at: usize, end: usize, path: u32): bool {
  if (!openItem(parent, at, end, path)) return false
  return item == number || refuse(OTHER_ITEM, path, at)
}

/** Opens an item of the extension, or of the item `parent`. */
function openItem(parent: u32, at: usize, end: usize, path: u32): bool {
  if (!open(SEQUENCE, at, end, path)) return false
  itemEnd = after
  if (!openId(inside, itemEnd, path)) return false
  itemValue = after
  const length: u32 = SGX_ID_LENGTH + (parent == 0 ? 1 : 2)
  if (<u32>(after - inside) != length || !beginsWith(SGX_ID, SGX_ID_LENGTH)) return refuse(OTHER_ITEM, path, at)
  if (parent != 0 && load<u8>(inside, 9) != parent) return refuse(OTHER_ITEM, path, at)
  item = load<u8>(after - 1)
  return true
}
