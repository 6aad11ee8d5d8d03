import { type Bytes, fromHex } from '../../client/primitives/bytes.ts'
import * as pki from '../pki.ts'
import * as der from '../wasm/_der-writer.ts'
import { type Case, corpus, type Document } from '../wasm/_tdx-corpus.ts'

// Certificates, lists and signatures to change. Keys and signatures are fixed bytes, so that a seed gives the same cases everywhere.

const NOTHING = new Uint8Array(0)
const HALF = fromHex(`00${'d5'.repeat(32)}`)
const spki = der.sequence(
  der.sequence(der.objectId('1.2.840.10045.2.1'), der.objectId('1.2.840.10045.3.1.7')),
  der.bits(fromHex(`04${'3c'.repeat(64)}`)),
)
// Nobody signs with it: every document below brings its signature.
const keys = pki.newKeys()

/** High r with the byte that keeps it positive, and a short s. */
export const madeSignatures = (): readonly Bytes[] => [
  der.sequence(der.tlv(0x02, HALF), der.integer(1)),
  der.sequence(der.integer(Uint8Array.of(0x7f)), der.tlv(0x02, HALF)),
  der.sequence(der.integer(1)),
  der.sequence(),
]

const signature = der.bits(madeSignatures()[0] ?? NOTHING)
const [issuer, subject] = [pki.name('Test PCK Platform CA'), pki.name('Test PCK Certificate')]
const validity = pki.validity(1_700_000_000, 2_600_000_000)
const serial = der.integer(fromHex('d52864cbb1cefa9de768485947ebdc026799b496'))
const sgx = pki.sgxItems(pki.PLATFORM)
const extensions = [...pki.keyIdentifiers(Uint8Array.of(1, 2)), pki.SIGNER_USAGE, pki.basicConstraints(true, 1), pki.sgxExtension(sgx)]
const certificate = (parts: Partial<pki.CertificateParts> = {}): Bytes =>
  pki.certificate(keys, { issuer, subject, validity, serial, spki, extensions, signature, ...parts })

/** Right ones, and such as lack a part while all lengths around it agree: changes alone hardly ever make two lengths agree. */
export const madeCertificates = (): readonly Bytes[] => [
  certificate(),
  certificate({ extensions: [pki.AUTHORITY_USAGE, pki.basicConstraints(true)] }),
  ...(['version', 'serial', 'issuer', 'validity', 'subject', 'spki', 'signature'] as const).map((part) => certificate({ [part]: NOTHING })),
  ...(['issuer', 'validity', 'spki'] as const).map((part) => certificate({ [part]: der.sequence() })),
  certificate({ extensions: [] }),
  ...sgx.map((_, left) => certificate({ extensions: [pki.sgxExtension(sgx.filter((_item, i) => i !== left))] })),
]

const times = { thisUpdate: der.time(1_771_422_080), nextUpdate: der.time(1_774_014_080) }
const crl = (parts: Partial<pki.CrlParts> = {}): Bytes => pki.crl(keys, { issuer, ...times, signature, ...parts })
const entries = [1, undefined, 6].map((reason, i) => pki.revokedEntry(der.integer(Uint8Array.of(i + 1, 0x80)), 1_771_000_000, reason))

export const madeCrls = (): readonly Bytes[] => [
  crl(),
  crl({ revoked: entries }),
  ...(['version', 'issuer', 'thisUpdate', 'nextUpdate', 'signature'] as const).map((part) => crl({ revoked: entries, [part]: NOTHING })),
  crl({ revoked: [der.sequence()] }),
  crl({ extensions: [] }),
]

/** Of real documents one of each length, the first few: the others differ in bytes that no reader looks at. */
export const realOf = (of: (one: Case) => readonly Document[], most: number): readonly Bytes[] => {
  const found = new Map(corpus().flatMap((one) => of(one).map(({ der: bytes }) => [bytes.length, bytes] as const)))
  return [...found.values()].slice(0, most)
}
