// Bytes and hashes, and nothing else. This directory is the second implementation of docs/wire.md: slow, plain, written from that page
// alone, sharing no line with client/. Where it and client/ disagree, one of them (or the page) is wrong; that is what it is for.

import { blake3 } from '@noble/hashes/blake3.js'

export type Bytes = Uint8Array

/** "Text between quotes is its UTF-8 bytes, without terminator or length." Only ever called with text written in this directory. */
export const utf8 = (text: string): Bytes => new TextEncoder().encode(text)

/** `‖` */
export function join(...parts: (Bytes | string)[]): Bytes {
  const all: number[] = []
  for (const part of parts) for (const byte of typeof part === 'string' ? utf8(part) : part) all.push(byte)
  return Uint8Array.from(all)
}

/** `H`: BLAKE3-256, unkeyed. */
export const H = (...parts: (Bytes | string)[]): Bytes => blake3(join(...parts))

export function hex(bytes: Bytes): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

export function unhex(text: string): Bytes {
  if (text.length % 2 !== 0 || /[^0-9a-f]/.test(text)) throw new Error(`not lowercase hex: ${text}`)
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

export const same = (a: Bytes, b: Bytes): boolean => hex(a) === hex(b)

/** Bytewise order: lowercase hex sorts as the bytes do when the lengths agree, and a prefix sorts first. */
export function compare(a: Bytes, b: Bytes): number {
  const x = hex(a)
  const y = hex(b)
  return x < y ? -1 : x > y ? 1 : 0
}

/** A value as fixed-width little-endian bytes; the caller says that it fits. */
export function little(value: bigint, width: number): Bytes {
  if (value < 0n || value >= 1n << BigInt(8 * width)) throw new Error(`${value} does not fit ${width} bytes`)
  return Uint8Array.from({ length: width }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
}

export const u64le = (value: bigint): Bytes => little(value, 8)

export function fromLittle(bytes: Bytes): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = value * 256n + BigInt(bytes[i] ?? 0)
  return value
}

export const zeros = (n: number): Bytes => new Uint8Array(n)
export const ZERO32 = zeros(32)

/** The bitmaps of Seal and of MapProof: bit i of byte ⌊i/8⌋, least significant first. */
export const bit = (map: Bytes, i: number): boolean => Math.floor((map[Math.floor(i / 8)] ?? 0) / 2 ** (i % 8)) % 2 === 1

export function bitmap(set: number[], length: number): Bytes {
  const map = new Uint8Array(Math.ceil(length / 8))
  for (const i of set) map[Math.floor(i / 8)] = (map[Math.floor(i / 8)] ?? 0) + 2 ** (i % 8)
  return map
}

/** An element that the caller knows to be there; a hole is a mistake of ours, not of the input. */
export function at<T>(list: readonly T[], index: number): T {
  const value = list[index]
  if (value === undefined) throw new Error(`no element ${index} among ${list.length}`)
  return value
}

/** Deterministic bytes for a label: every key, hash and address in the vectors that stands for something from outside comes from here. */
export function bytesOf(label: string, length: number): Bytes {
  let all = zeros(0)
  for (let block = 0; all.length < length; block++) all = join(all, H(`coalition conformance|${label}|${block}`))
  return all.slice(0, length)
}
