// Where the readers leave what they found, by field; `wasm/certificate.ts` and `wasm/crl.ts` have the same numbers. A range takes two fields,
// a time two (unix seconds, low half first), a name four (its range, its common name's range).

// Of certificate and CRL.
export const TBS: u32 = 0
export const SIGNATURE: u32 = 2
export const PAIR: u32 = 4 // r ‖ s, 64 bytes as they are

// Of a certificate.
export const SERIAL: u32 = 20
export const ISSUER: u32 = 22
export const NOT_BEFORE: u32 = 26
export const NOT_AFTER: u32 = 28
export const SUBJECT: u32 = 30
export const SPKI: u32 = 34
export const POINT: u32 = 36
export const HAS: u32 = 38 // flags, below
export const PATH_LENGTH: u32 = 39
export const KEY_USAGE: u32 = 40 // bit i is RFC 5280's bit i
export const PPID: u32 = 41
export const COMPONENTS: u32 = 43 // 16 bytes as they are
export const PCESVN: u32 = 47
export const CPUSVN: u32 = 48
export const PCEID: u32 = 50
export const FMSPC: u32 = 52
export const SGX_TYPE: u32 = 54
export const PLATFORM_INSTANCE: u32 = 55
export const CONFIGURATION: u32 = 57 // bits 0 to 2: which items are there; bits 4 to 6: which are true
export const CERTIFICATE_FIELDS: u32 = 58

export const HAS_BASIC_CONSTRAINTS: u32 = 1
export const HAS_CA: u32 = 2
export const HAS_PATH_LENGTH: u32 = 4
export const HAS_KEY_USAGE: u32 = 8
export const HAS_SGX: u32 = 16
export const HAS_PLATFORM_INSTANCE: u32 = 32
export const HAS_CONFIGURATION: u32 = 64

// Of a CRL. The ranges of the revoked serials lie in DIGESTS, one behind the other.
export const CRL_ISSUER: u32 = 20
export const THIS_UPDATE: u32 = 24
export const NEXT_UPDATE: u32 = 26
export const REVOKED: u32 = 28
export const CRL_FIELDS: u32 = 29
