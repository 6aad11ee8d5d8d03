import { type Bytes, concat, fromHex } from '../../client/primitives/bytes.ts'

/** A quote to write: any part of it may be wrong, and every size is the true one unless it is given. */
export interface Draft {
  readonly version: number
  readonly keyType: number
  readonly tee: number
  /** The 4 bytes behind the TEE's type. */
  readonly svns: Bytes
  readonly vendor: Bytes
  readonly userData: Bytes
  readonly bodyType: number
  readonly bodySize?: number
  readonly body: Bytes
  readonly signatureSize?: number
  readonly value: Bytes
  readonly key: Bytes
  readonly type: number
  readonly size?: number
  readonly qeReport: Bytes
  readonly qeSignature: Bytes
  readonly authSize?: number
  readonly auth: Bytes
  readonly pckType: number
  readonly pckSize?: number
  readonly pck: Bytes
  /** Bytes behind the PCK's data inside the certification data, behind that inside the signature data, and behind the quote. */
  readonly insideCertification: Bytes
  readonly insideSignature: Bytes
  readonly trailing: Bytes
  /** How much is kept of certification data, and of signature data, whose sizes then say so. */
  readonly keepCertification?: number
  readonly keepSignature?: number
}

export const VENDOR: Bytes = fromHex('939a7233f79c4ca9940a0db3957f0607')
export const TDX = 0x81
/** Bytes of a body, by type. */
export const BODY_SIZES: Readonly<Record<number, number>> = { 1: 384, 2: 584, 3: 648, 4: 885 }

/** Bytes of which no stretch is like another one: what is read from a wrong place shows. */
export const filled = (length: number, salt: number): Bytes =>
  Uint8Array.from({ length }, (_, i) => (i * 151 + (i >> 3) * 29 + salt * 67) % 251)

const u16 = (value: number): Bytes => Uint8Array.of(value, value >> 8)
const u32 = (value: number): Bytes => Uint8Array.of(value, value >> 8, value >> 16, value >> 24)

/** A right draft of a version with a body type; in versions 3 and 4 that is 1 or 2. */
export const draft = (version: number, bodyType: number, changed: Partial<Draft> = {}): Draft => ({
  version,
  keyType: 2,
  tee: bodyType === 1 ? 0 : TDX,
  svns: Uint8Array.of(9, 1, 14, 2),
  vendor: VENDOR,
  userData: filled(20, 1),
  bodyType,
  body: filled(BODY_SIZES[bodyType] ?? 584, 2),
  value: filled(64, 3),
  key: filled(64, 4),
  type: 6,
  qeReport: filled(384, 5),
  qeSignature: filled(64, 6),
  auth: filled(32, 7),
  pckType: 5,
  pck: filled(100, 8),
  insideCertification: new Uint8Array(0),
  insideSignature: new Uint8Array(0),
  trailing: new Uint8Array(0),
  ...changed,
})

export const write = (from: Draft): Bytes => {
  const { version, keyType, tee, svns, vendor, userData, bodyType, body, trailing } = from
  const header = concat(u16(version), u16(keyType), u32(tee), svns, vendor, userData)
  const typed = version === 5 ? concat(u16(bodyType), u32(from.bodySize ?? body.length)) : new Uint8Array(0)
  const signature = signatureOf(from)
  return concat(header, typed, body, u32(from.signatureSize ?? signature.length), signature, trailing)
}

const signatureOf = (from: Draft): Bytes => {
  const certification = certificationOf(from)
  const wrapped = from.version === 3 ? certification : concat(u16(from.type), u32(from.size ?? certification.length), certification)
  return concat(from.value, from.key, wrapped, from.insideSignature).slice(0, from.keepSignature)
}

const certificationOf = (from: Draft): Bytes => {
  const { qeReport, qeSignature, auth, pckType, pck, insideCertification } = from
  const sized = concat(u16(from.authSize ?? auth.length), auth)
  const source = concat(u16(pckType), u32(from.pckSize ?? pck.length), pck)
  return concat(qeReport, qeSignature, sized, source, insideCertification).slice(0, from.keepCertification)
}

/** A right quote of every version and body, by name. */
export const QUOTES: readonly (readonly [name: string, draft: Draft])[] = [
  ['version 3, SGX', draft(3, 1)],
  ['version 4, SGX', draft(4, 1)],
  ['version 4, TD 1.0', draft(4, 2)],
  ['version 5, SGX', draft(5, 1)],
  ['version 5, TD 1.0', draft(5, 2)],
  ['version 5, TD 1.5', draft(5, 3)],
  ['version 5, TD 1.5 extended', draft(5, 4)],
]
