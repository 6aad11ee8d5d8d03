import {
  INTEGER, SEQUENCE, after, closed, inside, isSame, open, openBits, openBytes, openId, readFlag,
  readNumber, value,
} from './der'
import { contents, contentsEnd, id, idLength, next, openExtension, passOver } from './extension'
import * as field from './fields'
import { readName } from './name'
import * as path from './paths'
import { BITS_FORM, CURVE, KEY_ALGORITHM, PATH_WITHOUT_CA, POINT } from './problems'
import { put, putRange, refuse } from './result'
import { SGX_ID, SGX_ID_LENGTH, readSgx } from './sgx'
import { openSerial, openSigned, readAlgorithm, readVersion, tbs, tbsEnd } from './signed'
import { readTime } from './time'

// X.509 certificates of version 3, RFC 5280 section 4.1, with ECDSA keys and signatures of P-256.

const LARGEST: u32 = 16384 // Intel's have up to 1,300 bytes
const V3: u32 = 2
const MOST_PATH: u32 = 0xff

// 1.2.840.10045.2.1, id-ecPublicKey, and 1.2.840.10045.3.1.7, secp256r1
const EC_KEY: usize = memory.data<u8>([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01])
const P256: usize = memory.data<u8>([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07])

let has: u32 = 0

/** Its fields are those of `fields.ts`. */
export function readCertificate(at: usize, length: u32): void {
  if (!openSigned(field.CERTIFICATE_FIELDS, LARGEST, at, length)) return
  has = 0
  const end = tbsEnd
  const isRead = readCertificateVersion(tbs, end)
    && readSerial(after, end)
    && readAlgorithm(after, end, path.TBS_ALGORITHM)
    && readName(field.ISSUER, after, end, path.ISSUER)
    && readValidity(after, end)
    && readName(field.SUBJECT, after, end, path.SUBJECT)
    && readKey(after, end)
    && readExtensions(after, end)
  if (isRead) put(field.HAS, has)
}

/** [0] EXPLICIT: version 1 has none. */
function readCertificateVersion(at: usize, end: usize): bool {
  if (!open(0xa0, at, end, path.VERSION)) return false
  const versionEnd = after
  return readVersion(V3, inside, versionEnd) && closed(after, versionEnd, path.VERSION)
}

function readSerial(at: usize, end: usize): bool {
  if (!openSerial(at, end, path.SERIAL)) return false
  putRange(field.SERIAL, inside, <u32>(after - inside))
  return true
}

function readValidity(at: usize, end: usize): bool {
  if (!open(SEQUENCE, at, end, path.VALIDITY)) return false
  const validityEnd = after
  return readTime(field.NOT_BEFORE, inside, validityEnd, path.NOT_BEFORE)
    && readTime(field.NOT_AFTER, after, validityEnd, path.NOT_AFTER)
    && closed(after, validityEnd, path.VALIDITY)
}

/** RFC 5480 section 2. */
function readKey(at: usize, end: usize): bool {
  if (!open(SEQUENCE, at, end, path.SPKI)) return false
  const keyEnd = after
  putRange(field.SPKI, at, <u32>(keyEnd - at))
  if (!readKeyAlgorithm(inside, keyEnd) || !openBytes(after, keyEnd, path.KEY_POINT)) return false
  if (after - inside != 65 || load<u8>(inside) != 4) return refuse(POINT, path.KEY_POINT, inside)
  putRange(field.POINT, inside, 65)
  return closed(after, keyEnd, path.SPKI)
}

function readKeyAlgorithm(at: usize, end: usize): bool {
  if (!open(SEQUENCE, at, end, path.KEY_ALGORITHM)) return false
  const algorithmEnd = after
  if (!openId(inside, algorithmEnd, path.KEY_ALGORITHM)) return false
  if (!isSame(EC_KEY, 7)) return refuse(KEY_ALGORITHM, path.KEY_ALGORITHM, inside)
  if (!openId(after, algorithmEnd, path.KEY_CURVE)) return false
  if (!isSame(P256, 8)) return refuse(CURVE, path.KEY_CURVE, inside)
  return closed(after, algorithmEnd, path.KEY_ALGORITHM)
}

/** [3] EXPLICIT, the last part: the unique identifiers before it are not to be used (RFC 5280 section 4.1.2.8) and are refused. */
function readExtensions(at: usize, end: usize): bool {
  if (!open(0xa3, at, end, path.EXTENSIONS) || !closed(after, end, path.EXTENSIONS)) return false
  if (!open(SEQUENCE, inside, end, path.EXTENSIONS) || !closed(after, end, path.EXTENSIONS)) return false
  const first = inside
  let p = first
  do {
    if (!openExtension(first, p, end, path.EXTENSIONS) || !readExtension()) return false
    p = next
  } while (p < end)
  return true
}

/** Sections 4.2.1.3 (2.5.29.15, key usage) and 4.2.1.9 (2.5.29.19, basic constraints); Intel's; any other. */
function readExtension(): bool {
  const isStandard = idLength == 3 && load<u16>(id) == 0x1d55
  const last: u32 = load<u8>(id + idLength - 1)
  if (isStandard && last == 15) return readKeyUsage(contents, contentsEnd)
  if (isStandard && last == 19) return readBasicConstraints(contents, contentsEnd)
  if (!isSgx()) return passOver(path.EXTENSIONS)
  const found = readSgx(contents, contentsEnd)
  has |= found
  return found != 0
}

function isSgx(): bool {
  return idLength == SGX_ID_LENGTH && memory.compare(id, SGX_ID, SGX_ID_LENGTH) == 0
}

/** A list of named bits, X.690 section 11.2.2: no zeros at its end, and here at most nine bits. */
function readKeyUsage(at: usize, end: usize): bool {
  if (!openBits(at, end, path.KEY_USAGE) || !closed(after, end, path.KEY_USAGE)) return false
  const length = <u32>(after - inside)
  const isForm = length > 0 && length < 3 && (length == 1 || value == 7) && (load<u8>(after - 1) >> <u8>value) & 1
  if (!isForm) return refuse(BITS_FORM, path.KEY_USAGE, inside)
  let usage: u32 = 0
  for (let bit: u32 = 0; bit < length << 3; bit++) usage |= ((<u32>load<u8>(inside + (bit >> 3)) >> (7 - (bit & 7))) & 1) << bit
  put(field.KEY_USAGE, usage)
  has |= field.HAS_KEY_USAGE
  return true
}

function readBasicConstraints(at: usize, end: usize): bool {
  if (!open(SEQUENCE, at, end, path.BASIC_CONSTRAINTS) || !closed(after, end, path.BASIC_CONSTRAINTS)) return false
  if (!readFlag(inside, end, path.CA)) return false
  const isCa = value == 1
  has |= field.HAS_BASIC_CONSTRAINTS | (isCa ? field.HAS_CA : 0)
  if (after == end) return true
  if (!readNumber(INTEGER, MOST_PATH, after, end, path.PATH_LENGTH)) return false
  if (!isCa) return refuse(PATH_WITHOUT_CA, path.PATH_LENGTH, inside)
  put(field.PATH_LENGTH, value)
  has |= field.HAS_PATH_LENGTH
  return closed(after, end, path.BASIC_CONSTRAINTS)
}
