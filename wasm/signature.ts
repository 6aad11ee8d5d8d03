import type { Bytes } from './hashing.ts'
import { paths } from './paths.ts'
import { problems } from './problems.ts'
import { type Format, read } from './reading.ts'

const FORMAT: Format = { name: 'signature', reader: 'readSignature', problems, paths }

const PAIR_SIZE = 64

/**
 * An ECDSA signature of P-256 from DER (ECDSA-Sig-Value) to r ‖ s, as WebCrypto takes it: 32 bytes each, big-endian. Neither is zero; that
 * they lie below the curve's order is left to the verification.
 *
 * @throws FormatError naming path (`r`, `s`) and offset; UnsupportedError where there is no WebAssembly with SIMD
 * @see RFC 3279 section 2.2.3
 */
export const readSignature = (der: Bytes): Bytes => read(FORMAT, der).copy(0, PAIR_SIZE)
