import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { type Cursor, cursor } from './cursor.ts'

// Structures inside of event data (TCG PC Client Platform Firmware Profile 1.06, section 10.2.6 and 10.4). All throw EventLogError where the
// data are not what the type says; a size is compared as a bigint first, since firmware writes u64 where a number would round.

/** UEFI_VARIABLE_DATA: a variable of the firmware, by vendor and name. */
export type Variable = { readonly vendor: string; readonly name: string; readonly data: Bytes }

/** @throws EventLogError unless the data are one variable and nothing after it */
export const readVariable = (bytes: Bytes): Variable => {
  const from = cursor(bytes)
  const vendor = guid(from.bytes('variable.vendor', 16))
  const characters = sizeOf(from, 'variable.nameLength')
  const size = sizeOf(from, 'variable.dataLength')
  const name = utf16(from.bytes('variable.name', 2 * characters))
  return { vendor, name, data: from.bytes('variable.data', size) }
}

/** Text and what follows it, from a field of one byte for its length: UEFI_PLATFORM_FIRMWARE_BLOB2 and UEFI_HANDOFF_TABLE_POINTERS2. */
export const readDescription = (bytes: Bytes): { readonly text: string; readonly rest: Cursor } => {
  const rest = cursor(bytes)
  return { text: ascii(rest.bytes('description', rest.u8('description.size'))), rest }
}

/** UEFI_IMAGE_LOAD_EVENT: the size in bytes of an image as it was loaded, and its file's path as far as the device path has one. */
export const readImage = (bytes: Bytes): { readonly size: bigint; readonly file: string } => {
  const from = cursor(bytes)
  from.u64('image.location')
  const size = from.u64('image.length')
  from.u64('image.linkTimeAddress')
  const path = from.bytes('image.devicePath', sizeOf(from, 'image.devicePathLength'))
  return { size, file: fileOf(path) }
}

// EFI device path nodes: type, subtype, u16 length of the whole node. 4/4 is a file's path in UCS-2 (UEFI 2.10 section 10.3.5.4).
const fileOf = (bytes: Bytes): string => {
  const from = cursor(bytes)
  let file = ''
  while (from.left >= 4) {
    const kind = from.u16('devicePath.type')
    const size = from.u16('devicePath.length')
    // A node shorter than its own header would be read for ever.
    if (size < 4 || size - 4 > from.left) break
    const data = from.bytes('devicePath.node', size - 4)
    if (kind === 0x0404) file += utf16(data)
  }
  return file
}

/** UEFI_GPT_DATA: how many partitions of the disk's table were measured. */
export const readPartitions = (bytes: Bytes): bigint => {
  const from = cursor(bytes)
  from.bytes('gpt.header', 92)
  return from.u64('gpt.partitions')
}

// A u64 that counts bytes of the data it stands in: what is larger than them fails at the read that follows.
const sizeOf = (from: Cursor, path: string): number => {
  const size = from.u64(path)
  return size > 0xffff_ffffn ? 0xffff_ffff : Number(size)
}

/** A GUID in its text form: the first three parts stand in little-endian order (UEFI 2.10 appendix A). */
const guid = (bytes: Bytes): string => {
  const part = (from: number, to: number): string => toHex(bytes.slice(from, to).reverse())
  return `${part(0, 4)}-${part(4, 6)}-${part(6, 8)}-${toHex(bytes.subarray(8, 10))}-${toHex(bytes.subarray(10))}`
}

// Texts end in terminals, logs and pages: all but printable ASCII is a question mark, so no byte can be a control or turn a line around.
const printable = (code: number): string => (code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '?')
const LONGEST = 120

const textOf = (codes: readonly number[]): string => {
  const text = codes.slice(0, LONGEST).map(printable).join('')
  return codes.length > LONGEST ? `${text}…` : text
}

/** Bytes as printable ASCII without the NULs at the end, cut at 120 characters. */
export const ascii = (bytes: Bytes): string => textOf([...bytes.subarray(0, shown(bytes, 1))])

/** UTF-16, low byte first, shown in the same way. */
export const utf16 = (bytes: Bytes): string => {
  const codes: number[] = []
  for (let i = 0; i + 1 < shown(bytes, 2); i += 2) codes.push((bytes[i] as number) | ((bytes[i + 1] as number) << 8))
  return textOf(codes)
}

// One character more than is shown tells that there is more. The data may be a megabyte, and its NULs at the end no text.
const shown = (bytes: Bytes, width: 1 | 2): number => {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return Math.min(end + ((width - (end % width)) % width), width * (LONGEST + 1))
}
