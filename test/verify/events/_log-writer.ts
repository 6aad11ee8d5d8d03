import { sha384 } from '@noble/hashes/sha2.js'
import { type Bytes, concat, utf8 } from '../../../client/primitives/bytes.ts'

/** An event to write: any part of it may be wrong. Register as the log numbers it, 1 being RTMR0. */
export interface EventDraft {
  readonly register: number
  readonly type: number
  readonly data: Bytes
  /** Of `data` unless given. */
  readonly digest?: Bytes
  readonly size?: number
}

/** A header to write; one algorithm, SHA-384, unless given otherwise. */
export interface HeaderDraft {
  readonly register?: number
  readonly type?: number
  readonly digest?: Bytes
  readonly size?: number
  readonly signature?: string
  readonly major?: number
  readonly algorithms?: readonly (readonly [id: number, size: number])[]
  readonly count?: number
  readonly vendorSize?: number
  readonly vendor?: Bytes
  readonly after?: Bytes
}

export const SHA384: readonly [number, number] = [0xc, 48]
export const NONE: Bytes = new Uint8Array(0)

export const u16 = (value: number): Bytes => Uint8Array.of(value, value >> 8)
export const u32 = (value: number): Bytes => Uint8Array.of(value, value >> 8, value >> 16, value >> 24)
export const u64 = (value: bigint): Bytes => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}
export const ucs2 = (text: string): Bytes => concat(...[...text].map((character) => u16(character.charCodeAt(0))))

export const digestOf = (data: Bytes): Bytes => new Uint8Array(sha384(data))

export const header = (draft: HeaderDraft = {}): Bytes => {
  const algorithms = draft.algorithms ?? [SHA384]
  const vendor = draft.vendor ?? NONE
  const event = concat(
    utf8(draft.signature ?? 'Spec ID Event03\0'),
    u32(0),
    Uint8Array.of(0, draft.major ?? 2, 0, 2),
    u32(draft.count ?? algorithms.length),
    ...algorithms.map(([id, size]) => concat(u16(id), u16(size))),
    Uint8Array.of(draft.vendorSize ?? vendor.length),
    vendor,
    draft.after ?? NONE,
  )
  return concat(u32(draft.register ?? 1), u32(draft.type ?? 3), draft.digest ?? new Uint8Array(20), u32(draft.size ?? event.length), event)
}

export const event = ({ register, type, data, digest, size }: EventDraft): Bytes =>
  concat(u32(register), u32(type), u32(1), u16(0xc), digest ?? digestOf(data), u32(size ?? data.length), data)

export const log = (...events: readonly EventDraft[]): Bytes => concat(header(), ...events.map(event))

/** UEFI_VARIABLE_DATA of a variable of EFI's own. */
export const variable = (name: string, value: Bytes): Bytes =>
  concat(
    Uint8Array.of(0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c),
    u64(BigInt(name.length)),
    u64(BigInt(value.length)),
    ucs2(name),
    value,
  )
