import type { Bytes } from '../../primitives/bytes.ts'
import { EventLogError } from './cursor.ts'
import { ascii, readDescription, readImage, readPartitions, readVariable, utf16 } from './fields.ts'
import * as type from './types.ts'

// What an event says of itself, for people, and for which types its digest shows that it says the truth (TCG PC Client Platform Firmware
// Profile 1.06, section 10.4.1).

/**
 * The bytes that the event's digest has to be the hash of, or null where the profile has the digest of something that the log does not hold:
 * an image, a table, a piece of firmware, a loader's own choice (EV_IPL).
 */
export const measuredBytes = (kind: number, data: Bytes): Bytes | null => {
  switch (kind) {
    case type.SEPARATOR:
      // A separator after an error carries the error's text, and its digest is that of the number 1.
      return isSeparator(data) ? data : null
    case type.ACTION:
    case type.EFI_ACTION:
    case type.S_CRTM_VERSION:
    case type.VARIABLE_DRIVER_CONFIG:
    case type.VARIABLE_AUTHORITY:
    case type.GPT_EVENT:
      return data
    case type.VARIABLE_BOOT:
      // The variable's value alone, not its name: EDK II, Tcg2Dxe and TdTcg2Dxe.
      return attempt(() => readVariable(data).data)
    default:
      return null
  }
}

/** One line of printable ASCII, 200 characters at most. Data that are not what the type says are told by their size. */
export const textOf = (kind: number, data: Bytes): string => {
  const text = attempt(() => explain(kind, data)) ?? `${data.length} bytes`
  return text.length > 200 ? `${text.slice(0, 199)}…` : text
}

const explain = (kind: number, data: Bytes): string => {
  switch (kind) {
    case type.SEPARATOR:
      return isSeparator(data) ? 'end of a stage' : `end of a stage after an error: ${ascii(data)}`
    case type.VARIABLE_DRIVER_CONFIG:
    case type.VARIABLE_BOOT:
    case type.VARIABLE_BOOT2:
    case type.VARIABLE_AUTHORITY:
      return variable(data)
    case type.BOOT_SERVICES_APPLICATION:
    case type.BOOT_SERVICES_DRIVER:
    case type.RUNTIME_SERVICES_DRIVER:
      return image(data)
    case type.GPT_EVENT:
      return `partition table with ${readPartitions(data)} partitions`
    case type.FIRMWARE_BLOB2:
      return blob(data)
    case type.HANDOFF_TABLES2:
      return `table ${readDescription(data).text}`
    default:
      return plain(data)
  }
}

const variable = (data: Bytes): string => {
  const { vendor, name, data: value } = readVariable(data)
  const shown = value.length === 1 ? `= ${value[0]}` : `of ${value.length} bytes`
  return `variable ${name} ${shown} (${vendor})`
}

const image = (data: Bytes): string => {
  const { size, file } = readImage(data)
  return `image of ${size} bytes${file === '' ? '' : ` from ${file}`}`
}

const blob = (data: Bytes): string => {
  const { text, rest } = readDescription(data)
  const base = rest.u64('blob.base')
  return `${text}, ${rest.u64('blob.length')} bytes at 0x${base.toString(16)}`
}

// Loaders write what they like: GRUB and shim ASCII with a NUL, systemd-stub UTF-16.
const plain = (data: Bytes): string => {
  if (data.length === 0) return 'no data'
  if (isText(data)) return ascii(data)
  if (data.length % 2 === 0 && data.every((byte, i) => i % 2 === 0 || byte === 0)) return utf16(data)
  return `${data.length} bytes`
}

const isText = (data: Bytes): boolean => {
  let end = data.length
  while (end > 0 && data[end - 1] === 0) end--
  return end > 0 && data.subarray(0, end).every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x09)
}

const isSeparator = (data: Bytes): boolean => data.length === 4 && (data.every((byte) => byte === 0) || data.every((byte) => byte === 0xff))

/** Null where the data are not of the form their type asks for: an event that cannot be told is still one that was measured. */
const attempt = <T>(read: () => T): T | null => {
  try {
    return read()
  } catch (error) {
    if (error instanceof EventLogError) return null
    throw error
  }
}
