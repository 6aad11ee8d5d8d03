import { type Bytes, concat, u32le } from '../../client/primitives/bytes.ts'
import { type Quote, readQuote } from '../../wasm/quote.ts'
import * as der from '../wasm/_der-writer.ts'

// Quotes and signed DER taken apart and put together again, so that a part can be another one while every size around it fits.

/** A quote's parts in their order; sizes follow from them. */
export interface QuoteParts {
  /** Header and body. */
  readonly signed: Bytes
  readonly value: Bytes
  readonly key: Bytes
  readonly qeReport: Bytes
  readonly qeSignature: Bytes
  readonly auth: Bytes
  readonly pckType: number
  readonly pck: Bytes
  readonly trailing: Bytes
}

/** Null for what is no quote. */
export const splitQuote = (bytes: Bytes): QuoteParts | null => {
  const quote = readOrNull(bytes)
  if (quote === null) return null
  const { signed, trailing, signature } = quote
  const { qeReport, qeSignature, qeAuthData, pck } = signature.certification
  return {
    ...{ signed, value: signature.value, key: signature.attestationKey, qeReport: qeReport.bytes, qeSignature, auth: qeAuthData },
    ...{ pckType: pck.type, pck: pck.data, trailing },
  }
}

const readOrNull = (bytes: Bytes): Quote | null => {
  try {
    return readQuote(bytes)
  } catch {
    return null
  }
}

const u16le = (value: number): Bytes => u32le(value).slice(0, 2)

/** The pieces of a quote's encoding, in order: joined they are the quote, and each begins at a joint. */
const pieces = ({ signed, value, key, qeReport, qeSignature, auth, pckType, pck, trailing }: QuoteParts): readonly Bytes[] => {
  const inner = [qeReport, qeSignature, u16le(auth.length), auth, u16le(pckType), u32le(pck.length), pck]
  const size = (list: readonly Bytes[]): number => list.reduce((sum, { length }) => sum + length, 0)
  // Version 3 has no certification data of type 6 around the others.
  const outer = signed[0] === 3 ? inner : [u16le(6), u32le(size(inner)), ...inner]
  const all = [value, key, ...outer]
  return [signed, u32le(size(all)), ...all, trailing]
}

export const joinQuote = (parts: QuoteParts): Bytes => concat(...pieces(parts))

/** Where its parts and sizes begin, and the fields of its header. */
export const jointsOfQuote = (bytes: Bytes): readonly number[] => {
  const parts = splitQuote(bytes)
  if (parts === null) return [0]
  const joints = [0, 2, 4, 8, 10, 12, 28, 48, 50, 54]
  let at = 0
  for (const piece of pieces(parts)) {
    at += piece.length
    joints.push(at)
  }
  return joints
}

/** Order of P-256: with (r, s) also (r, n − s) is a signature of the same message. */
export const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

export const bigOf = (bytes: Bytes): bigint => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
export const bytesOf = (value: bigint, length = 32): Bytes =>
  Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn))

/** r ‖ s with the other s. */
export const otherS = (pair: Bytes): Bytes => concat(pair.slice(0, 32), bytesOf(ORDER - bigOf(pair.subarray(32))))

/** A certificate or CRL: what is signed, the algorithm beside it, and r and s. */
export interface SignedDer {
  readonly tbs: Bytes
  readonly algorithm: Bytes
  readonly r: bigint
  readonly s: bigint
}

interface Tlv {
  readonly tag: number
  readonly content: Bytes
  readonly whole: Bytes
}

/** Lenient about the form of lengths: it takes apart what the verifier accepted, and a strict one might hide a laxness of the verifier's. */
const tlvs = (bytes: Bytes): readonly Tlv[] => {
  const found: Tlv[] = []
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at + 1] ?? 0
    const more = first < 0x80 ? 0 : first & 0x7f
    const length = more === 0 ? first : Number(bigOf(bytes.subarray(at + 2, at + 2 + more)))
    const from = at + 2 + more
    found.push({ tag: bytes[at] as number, content: bytes.subarray(from, from + length), whole: bytes.subarray(at, from + length) })
    at = from + length
  }
  return found
}

/** Null for what is no signed DER, or has bytes that belong to none of its parts. */
export const splitDer = (der: Bytes): SignedDer | null => {
  const [outer, ...behind] = tlvs(der)
  const [tbs, algorithm, bits, ...others] = outer ? tlvs(outer.content) : []
  if (!tbs || !algorithm || !bits || behind.length + others.length > 0) return null
  const [pair, ...after] = tlvs(bits.content.subarray(1))
  const [r, s, ...more] = pair ? tlvs(pair.content) : []
  if (!r || !s || after.length + more.length > 0) return null
  return { tbs: tbs.whole, algorithm: algorithm.whole, r: bigOf(r.content), s: bigOf(s.content) }
}

/** As DER has it. */
export const joinDer = ({ tbs, algorithm, r, s }: SignedDer): Bytes =>
  der.sequence(tbs, algorithm, der.bits(der.sequence(der.integer(r), der.integer(s))))
