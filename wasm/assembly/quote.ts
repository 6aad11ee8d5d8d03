import { begin, put, putRange, refuse } from './result'

// An attestation quote of SGX or TDX: header, body, signature data behind its size. Version 3 is sgx_quote3_t, 4 sgx_quote4_t and 5
// sgx_quote5_t of Intel's DCAP headers (sgx_quote_3.h, sgx_quote_4.h, sgx_quote_5.h). Numbers are little-endian and nothing is aligned.
// What is inside a body or a report has its place for ever: `wasm/quote.ts` knows it, and this file only that all of it is there.

// Problems and paths, as numbered in `wasm/quote.ts`.
const CUT_SHORT: u32 = 1
const TOO_LONG: u32 = 2
const LEFT_OVER: u32 = 3
const BAD_VERSION: u32 = 4
const BAD_KEY_TYPE: u32 = 5
const BAD_TEE: u32 = 6
const BAD_VENDOR: u32 = 7
const BAD_BODY_TYPE: u32 = 8
const OTHER_TEE: u32 = 9
const BAD_BODY_SIZE: u32 = 10
const BAD_CERTIFICATION: u32 = 11

const AT_HEADER: u32 = 0
const AT_VERSION: u32 = 1
const AT_KEY_TYPE: u32 = 2
const AT_TEE: u32 = 3
const AT_VENDOR: u32 = 4
const AT_BODY_TYPE: u32 = 5
const AT_BODY_SIZE: u32 = 6
const AT_BODY: u32 = 7
const AT_SIGNATURE: u32 = 8
const AT_SIGNATURE_SIZE: u32 = 9
const AT_VALUE: u32 = 10
const AT_KEY: u32 = 11
const AT_CERTIFICATION: u32 = 12
const AT_TYPE: u32 = 13
const AT_SIZE: u32 = 14
const AT_QE_REPORT: u32 = 15
const AT_QE_SIGNATURE: u32 = 16
const AT_QE_AUTH_SIZE: u32 = 17
const AT_PCK_TYPE: u32 = 18
const AT_PCK_SIZE: u32 = 19

// Fields.
const KIND: u32 = 0 // the body's type, as version 5 numbers them
const BODY: u32 = 1
const SIGNED: u32 = 3
const SIGNATURE: u32 = 5 // with the key behind it
const QE_REPORT: u32 = 7 // with its signature behind it
const QE_AUTH: u32 = 9
const PCK_TYPE: u32 = 11
const PCK: u32 = 12
const TRAILING: u32 = 14

const HEADER: u32 = 48
const ECDSA_P256: u32 = 2
const TDX: u32 = 0x81
// 939a7233f79c4ca9940a0db3957f0607, Intel's QE.
const VENDOR_LOW: u64 = 0xa94c9cf733729a93
const VENDOR_HIGH: u64 = 0x07067f95b30d0a94
const SGX_REPORT: u32 = 384
const POINT: u32 = 64 // a P-256 signature or public key
const QE_REPORT_DATA: u32 = 6 // certification data that holds a QE report and other certification data

let version: u32 = 0
let tee: u32 = 0
let next: usize = 0
/** End of the innermost part that `next` is in. Never before it. */
let end: usize = 0

/** Reads a quote. Bytes behind its signature data are no part of it: real ones are followed by what was left of a buffer. */
export function readQuote(at: usize, length: u32): void {
  begin(at)
  next = at
  end = at + length
  if (!readHeader() || !readBody()) return
  putRange(SIGNED, at, <u32>(next - at))
  if (!readSignature()) return
  putRange(TRAILING, next, <u32>(end - next))
}

/** Whether `size` bytes are left of the part. */
function has(size: u32, path: u32): bool {
  return size <= <u32>(end - next) || refuse(CUT_SHORT, path, next)
}

function skip(size: u32, path: u32): bool {
  if (!has(size, path)) return false
  next += size
  return true
}

/** Takes a u32 and makes of as many bytes behind it the part that is read now. The caller puts the old `end` back. */
function enter(path: u32): bool {
  if (!has(4, path)) return false
  const size = load<u32>(next)
  if (size > <u32>(end - next) - 4) return refuse(TOO_LONG, path, next)
  next += 4
  end = next + size
  return true
}

function readHeader(): bool {
  const at = next
  if (!skip(HEADER, AT_HEADER)) return false
  version = load<u16>(at)
  if (version < 3 || version > 5) return refuse(BAD_VERSION, AT_VERSION, at)
  if (load<u16>(at, 2) != ECDSA_P256) return refuse(BAD_KEY_TYPE, AT_KEY_TYPE, at + 2)
  tee = load<u32>(at, 4)
  // Version 3 is older than TDX: these bytes are reserved there, and 0.
  if (tee != 0 && (tee != TDX || version == 3)) return refuse(BAD_TEE, AT_TEE, at + 4)
  if (load<u64>(at, 12) != VENDOR_LOW || load<u64>(at, 20) != VENDOR_HIGH) return refuse(BAD_VENDOR, AT_VENDOR, at + 12)
  return true
}

function readBody(): bool {
  let kind: u32 = tee == TDX ? 2 : 1
  if (version == 5) {
    const at = next
    if (!skip(2, AT_BODY_TYPE)) return false
    kind = load<u16>(at)
    if (kind < 1 || kind > 4) return refuse(BAD_BODY_TYPE, AT_BODY_TYPE, at)
    if ((kind > 1) != (tee == TDX)) return refuse(OTHER_TEE, AT_BODY_TYPE, at)
    if (!skip(4, AT_BODY_SIZE)) return false
    if (load<u32>(at, 2) != sizeOf(kind)) return refuse(BAD_BODY_SIZE, AT_BODY_SIZE, at + 2)
  }
  const size = sizeOf(kind)
  put(KIND, kind)
  putRange(BODY, next, size)
  return skip(size, AT_BODY)
}

/** Of a body: SGX report, TD report 1.0, 1.5, and 1.5 extended. */
function sizeOf(kind: u32): u32 {
  if (kind == 1) return SGX_REPORT
  if (kind == 2) return 584
  return kind == 3 ? 648 : 885
}

/** Signature data (sgx_ql_ecdsa_sig_data_t). The QE's report comes next in version 3, and inside certification data of type 6 since 4. */
function readSignature(): bool {
  const whole = end
  if (!enter(AT_SIGNATURE_SIZE)) return false
  putRange(SIGNATURE, next, 2 * POINT)
  if (!skip(POINT, AT_VALUE) || !skip(POINT, AT_KEY)) return false
  if (version > 3 && !enterCertification()) return false
  if (!readCertification()) return false
  end = whole
  return true
}

/** Enters certification data, which fills the signature data: both end at once. */
function enterCertification(): bool {
  const at = next
  const container = end
  if (!skip(2, AT_TYPE)) return false
  if (load<u16>(at) != QE_REPORT_DATA) return refuse(BAD_CERTIFICATION, AT_TYPE, at)
  if (!enter(AT_SIZE)) return false
  return end == container || refuse(LEFT_OVER, AT_SIGNATURE, end)
}

/** The QE's report, signed by the platform's PCK; what the QE bound into it beside the attestation key; and where that PCK is to be found. */
function readCertification(): bool {
  putRange(QE_REPORT, next, SGX_REPORT + POINT)
  if (!skip(SGX_REPORT, AT_QE_REPORT) || !skip(POINT, AT_QE_SIGNATURE)) return false
  const auth = next
  if (!skip(2, AT_QE_AUTH_SIZE)) return false
  const size: u32 = load<u16>(auth)
  if (size > <u32>(end - next)) return refuse(TOO_LONG, AT_QE_AUTH_SIZE, auth)
  putRange(QE_AUTH, next, size)
  next += size
  return readPck()
}

function readPck(): bool {
  const at = next
  const container = end
  if (!skip(2, AT_PCK_TYPE)) return false
  const type: u32 = load<u16>(at)
  // 1 to 3 PPID, 4 certificate, 5 chain, 7 platform manifest. Which will do is for who verifies; 6 inside 6 has no meaning.
  if (type < 1 || type > 7 || type == QE_REPORT_DATA) return refuse(BAD_CERTIFICATION, AT_PCK_TYPE, at)
  if (!enter(AT_PCK_SIZE)) return false
  put(PCK_TYPE, type)
  putRange(PCK, next, <u32>(end - next))
  next = end
  return next == container || refuse(LEFT_OVER, version == 3 ? AT_SIGNATURE : AT_CERTIFICATION, next)
}
