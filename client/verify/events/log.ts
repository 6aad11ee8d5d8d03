import type { Bytes } from '../../primitives/bytes.ts'
import { type Cursor, cursor, EventLogError } from './cursor.ts'

// The crypto-agile log of the TCG PC Client Platform Firmware Profile 1.06, section 10.2, as a TD's firmware keeps it for the area that the
// ACPI table CCEL names (ACPI 6.5 section 5.2.34). A log is hostile: whoever shows a quote brings the log that is to explain it.

/** What a log may have at most. The area of real firmware has 64 to 256 KiB, a log about 50 to 200 events. */
export const LOG_BYTES = 1 << 20
export const LOG_EVENTS = 4096

/** Measurement registers as CC logs number them: 0 is MR_TD, n is RTMR n−1 (UEFI 2.10 section 38.4.1, "Intel TDX"). */
export const REGISTERS = ['mrTd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const
export type Register = (typeof REGISTERS)[number]

/** One event as it stands in the log. */
export type LogEvent = {
  /** Where it begins in the log. */
  readonly offset: number
  readonly register: Register
  readonly type: number
  /** SHA-384: 48 bytes. What the register was extended by. */
  readonly digest: Bytes
  /** What the writer says it measured. Only the digest went into the register. */
  readonly data: Bytes
}

/** Hash algorithm ids of the TCG Algorithm Registry and their sizes, by which a log's own list is checked. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [0x4, 20],
  [0xb, 32],
  [0xc, 48],
  [0xd, 64],
  [0x12, 32],
  [0x27, 32],
  [0x28, 48],
  [0x29, 64],
])
const SHA384 = 0xc
const ALGORITHMS = 8
const NO_ACTION = 3
// "Spec ID Event03" and a NUL.
const SIGNATURE = [0x53, 0x70, 0x65, 0x63, 0x20, 0x49, 0x44, 0x20, 0x45, 0x76, 0x65, 0x6e, 0x74, 0x30, 0x33, 0]

/**
 * The events of a log after its header, in order. What is left of the area after the last event has to be filled with 00 or with ff.
 *
 * @param bytes the whole area or a file of it, 1 MiB at most
 * @throws EventLogError naming path and offset, for everything that is no log with SHA-384 digests of 4,096 events at most
 */
export const readEventLog = (bytes: Bytes): readonly LogEvent[] => {
  if (bytes.length > LOG_BYTES) throw new EventLogError('log', LOG_BYTES, `has ${bytes.length} bytes, at most ${LOG_BYTES} are read`)
  const from = cursor(bytes)
  const sizes = readHeader(from)
  const events: LogEvent[] = []
  while (!isPadding(bytes, from.at)) {
    if (events.length === LOG_EVENTS) throw new EventLogError('events', from.at, `more than ${LOG_EVENTS} events`)
    events.push(readEvent(from, `events[${events.length}]`, sizes))
  }
  return events
}

// The first event is in the older form, with a SHA-1 digest of zeros, and says which digests the others carry.
const readHeader = (from: Cursor): ReadonlyMap<number, number> => {
  registerOf(from, 'header.register')
  const typeAt = from.at
  const type = from.u32('header.type')
  if (type !== NO_ACTION) throw new EventLogError('header.type', typeAt, `is ${type}, not EV_NO_ACTION`)
  zeros(from, 'header.digest', 20)
  const sizeAt = from.at
  const size = from.u32('header.size')
  const end = from.at + size
  const sizes = readSpecId(from)
  if (from.at !== end) throw new EventLogError('header.size', sizeAt, `is ${size}, the Spec ID event has ${size + from.at - end} bytes`)
  return sizes
}

const readSpecId = (from: Cursor): ReadonlyMap<number, number> => {
  const signatureAt = from.at
  const signature = from.bytes('header.signature', SIGNATURE.length)
  if (SIGNATURE.some((byte, i) => byte !== signature[i]))
    throw new EventLogError('header.signature', signatureAt, 'is not "Spec ID Event03"')
  from.u32('header.platformClass')
  from.u8('header.specVersionMinor')
  const majorAt = from.at
  const major = from.u8('header.specVersionMajor')
  if (major !== 2) throw new EventLogError('header.specVersionMajor', majorAt, `is ${major}, not 2`)
  from.u8('header.specErrata')
  from.u8('header.uintnSize')
  const sizes = readAlgorithms(from)
  from.bytes('header.vendorInfo', from.u8('header.vendorInfoSize'))
  return sizes
}

const readAlgorithms = (from: Cursor): ReadonlyMap<number, number> => {
  const countAt = from.at
  const count = from.u32('header.algorithms')
  if (count === 0 || count > ALGORITHMS)
    throw new EventLogError('header.algorithms', countAt, `${count} of them, 1 to ${ALGORITHMS} are read`)
  const sizes = new Map<number, number>()
  for (let i = 0; i < count; i++) {
    const path = `header.algorithms[${i}]`
    const at = from.at
    const id = from.u16(`${path}.id`)
    const size = from.u16(`${path}.size`)
    const known = SIZES.get(id)
    if (known === undefined) throw new EventLogError(`${path}.id`, at, `is 0x${id.toString(16)}, which is not known here`)
    if (size !== known) throw new EventLogError(`${path}.size`, at + 2, `is ${size}, digests of 0x${id.toString(16)} have ${known} bytes`)
    if (sizes.has(id)) throw new EventLogError(`${path}.id`, at, `stands twice`)
    sizes.set(id, size)
  }
  if (!sizes.has(SHA384)) throw new EventLogError('header.algorithms', countAt, 'SHA-384 is not among them, RTMRs are extended by no other')
  return sizes
}

const readEvent = (from: Cursor, path: string, sizes: ReadonlyMap<number, number>): LogEvent => {
  const offset = from.at
  const register = registerOf(from, `${path}.register`)
  const type = from.u32(`${path}.type`)
  const digest = readDigests(from, path, sizes)
  const data = from.bytes(`${path}.data`, from.u32(`${path}.size`))
  return { offset, register, type, digest, data }
}

// One digest for each algorithm of the header: a missing one would leave a register without the event, a second could differ from the first.
const readDigests = (from: Cursor, path: string, sizes: ReadonlyMap<number, number>): Bytes => {
  const countAt = from.at
  const count = from.u32(`${path}.digests`)
  if (count !== sizes.size) throw new EventLogError(`${path}.digests`, countAt, `${count} of them, the header lists ${sizes.size}`)
  const digests = new Map<number, Bytes>()
  for (let i = 0; i < count; i++) {
    const at = from.at
    const id = from.u16(`${path}.digests[${i}].id`)
    const size = sizes.get(id)
    if (size === undefined)
      throw new EventLogError(`${path}.digests[${i}].id`, at, `is 0x${id.toString(16)}, which the header does not list`)
    if (digests.has(id)) throw new EventLogError(`${path}.digests[${i}].id`, at, 'stands twice')
    digests.set(id, from.bytes(`${path}.digests[${i}].value`, size))
  }
  // As many as the header lists, each of its list, none twice: this one is there.
  return digests.get(SHA384) as Bytes
}

const registerOf = (from: Cursor, path: string): Register => {
  const at = from.at
  const index = from.u32(path)
  const register = REGISTERS[index]
  if (register === undefined) throw new EventLogError(path, at, `is ${index}, TDX has 0 (MR_TD) to 4 (RTMR3)`)
  return register
}

const zeros = (from: Cursor, path: string, size: number): void => {
  const at = from.at
  const wrong = from.bytes(path, size).findIndex((byte) => byte !== 0)
  if (wrong >= 0) throw new EventLogError(path, at + wrong, 'is not zero')
}

// Stops at the first byte that differs, within an event's first nine bytes: the search is not repeated over all that follows.
const isPadding = (bytes: Bytes, at: number): boolean => {
  const filler = bytes[at]
  if (filler === undefined) return true
  if (filler !== 0 && filler !== 0xff) return false
  for (let i = at; i < bytes.length; i++) if (bytes[i] !== filler) return false
  return true
}
