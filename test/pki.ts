import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Bytes } from '../client/primitives/bytes.ts'
import * as der from './wasm/_der-writer.ts'

// A mock of Intel's SGX PKI: a root, PCK authorities, TCB signers, PCK certificates and CRLs, with real P-256 signatures. Its parts may be
// replaced one by one with any bytes, so that a test can have each thing wrong for itself.

const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const SGX = '1.2.840.113741.1.13.1'

export const algorithm: Bytes = der.sequence(der.objectId(ECDSA_SHA256))

export interface Keys {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** DER of SubjectPublicKeyInfo. */
  readonly spki: Bytes
}

export const newKeys = (namedCurve = 'P-256'): Keys => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
  return { privateKey, publicKey, spki: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })) }
}

/** DER of ECDSA-Sig-Value. */
export const signed = (bytes: Bytes, { privateKey }: Pick<Keys, 'privateKey'>): Bytes =>
  new Uint8Array(sign('sha256', bytes, { key: privateKey, dsaEncoding: 'der' }))

export const attribute = (id: string, text: Bytes): Bytes => der.set(der.sequence(der.objectId(id), text))

/** A name as Intel's PKI has it. */
export const name = (commonName: string): Bytes =>
  der.sequence(
    attribute('2.5.4.3', der.utf8String(commonName)),
    attribute('2.5.4.10', der.utf8String('Intel Corporation')),
    attribute('2.5.4.7', der.utf8String('Santa Clara')),
    attribute('2.5.4.8', der.utf8String('CA')),
    attribute('2.5.4.6', der.printableString('US')),
  )

export const extension = (id: string, isCritical: boolean, value: Bytes): Bytes =>
  der.sequence(der.objectId(id), ...(isCritical ? [der.boolean(true)] : []), der.octets(value))

/** cA and, where it is given, pathLenConstraint. */
export const basicConstraints = (isCa: boolean, pathLength?: number): Bytes =>
  extension(
    '2.5.29.19',
    true,
    der.sequence(...(isCa ? [der.boolean(true)] : []), ...(pathLength === undefined ? [] : [der.integer(pathLength)])),
  )

/** keyCertSign and cRLSign; digitalSignature and nonRepudiation. */
export const AUTHORITY_USAGE: Bytes = /* @__PURE__ */ extension('2.5.29.15', true, der.bits(Uint8Array.of(0x06), 1))
export const SIGNER_USAGE: Bytes = /* @__PURE__ */ extension('2.5.29.15', true, der.bits(Uint8Array.of(0xc0), 6))

export const keyIdentifiers = (id: Bytes): readonly Bytes[] => [
  extension('2.5.29.35', false, der.sequence(der.tlv(0x80, id))),
  extension('2.5.29.14', false, der.octets(id)),
]

/** What a PCK certificate says of its platform. */
export interface Platform {
  readonly ppid: Bytes
  readonly components: readonly number[]
  readonly pcesvn: number
  readonly cpusvn: Bytes
  readonly pceid: Bytes
  readonly fmspc: Bytes
  readonly type: number
  readonly instanceId?: Bytes
  /** dynamicPlatform, cachedKeys, smtEnabled. */
  readonly configuration?: readonly boolean[]
}

export const PLATFORM: Platform = {
  ppid: new Uint8Array(16).fill(0xa1),
  components: [14, 14, 3, 3, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  pcesvn: 13,
  cpusvn: new Uint8Array(16).fill(0xb2),
  pceid: Uint8Array.of(0, 1),
  fmspc: Uint8Array.of(0, 0x60, 0x6a, 0, 0, 0),
  type: 1,
  instanceId: new Uint8Array(16).fill(0xc3),
  configuration: [true, false, true],
}

export const sgxItem = (arcs: string, value: Bytes): Bytes => der.sequence(der.objectId(`${SGX}.${arcs}`), value)

/** The items of the SGX extension, in their order. */
export const sgxItems = ({
  ppid,
  components,
  pcesvn,
  cpusvn,
  pceid,
  fmspc,
  type,
  instanceId,
  configuration,
}: Platform): readonly Bytes[] => [
  sgxItem('1', der.octets(ppid)),
  sgxItem('2', der.sequence(...tcbItems(components, pcesvn, cpusvn))),
  sgxItem('3', der.octets(pceid)),
  sgxItem('4', der.octets(fmspc)),
  sgxItem('5', der.enumerated(type)),
  ...(instanceId === undefined ? [] : [sgxItem('6', der.octets(instanceId))]),
  ...(configuration === undefined
    ? []
    : [sgxItem('7', der.sequence(...configuration.map((is, i) => sgxItem(`7.${i + 1}`, der.boolean(is)))))]),
]

export const tcbItems = (components: readonly number[], pcesvn: number, cpusvn: Bytes): readonly Bytes[] => [
  ...[...components, pcesvn].map((svn, i) => sgxItem(`2.${i + 1}`, der.integer(svn))),
  sgxItem('2.18', der.octets(cpusvn)),
]

export const sgxExtension = (items: readonly Bytes[]): Bytes => extension(SGX, false, der.sequence(...items))

/** A certificate's parts, each as DER; see `certificate`. */
export interface CertificateParts {
  readonly version: Bytes
  readonly serial: Bytes
  readonly algorithm: Bytes
  readonly issuer: Bytes
  readonly validity: Bytes
  readonly subject: Bytes
  readonly spki: Bytes
  readonly extensions: readonly Bytes[]
  /** Behind the extensions. */
  readonly tail: Bytes
  readonly outerAlgorithm: Bytes
  /** The whole BIT STRING. */
  readonly signature: Bytes
}

export const validity = (notBefore: number, notAfter: number): Bytes => der.sequence(der.time(notBefore), der.time(notAfter))

const NOTHING = /* @__PURE__ */ new Uint8Array(0)
const V3: Bytes = /* @__PURE__ */ der.explicit(0, der.integer(2))

/** A certificate with the parts given, signed with `keys` unless a signature is among them. */
export const certificate = (
  keys: Keys,
  parts: Partial<CertificateParts> & Pick<CertificateParts, 'issuer' | 'validity' | 'subject' | 'spki'>,
): Bytes => {
  const { version = V3, serial = der.integer(1), extensions = [basicConstraints(false)], tail = NOTHING } = parts
  const tbs = der.sequence(
    ...[version, serial, parts.algorithm ?? algorithm, parts.issuer, parts.validity, parts.subject, parts.spki],
    der.explicit(3, der.sequence(...extensions)),
    tail,
  )
  return der.sequence(tbs, parts.outerAlgorithm ?? algorithm, parts.signature ?? der.bits(signed(tbs, keys)))
}

/** A revoked certificate's entry; with no reason it has no extensions. */
export const revokedEntry = (serial: Bytes, at: number, reason?: number): Bytes =>
  der.sequence(serial, der.time(at), ...(reason === undefined ? [] : [der.sequence(extension('2.5.29.21', false, der.enumerated(reason)))]))

export interface CrlParts {
  readonly version: Bytes
  readonly algorithm: Bytes
  readonly issuer: Bytes
  readonly thisUpdate: Bytes
  readonly nextUpdate: Bytes
  /** The entries; none is no list. */
  readonly revoked: readonly Bytes[]
  readonly extensions: readonly Bytes[]
  readonly tail: Bytes
  readonly outerAlgorithm: Bytes
  readonly signature: Bytes
}

const CRL_EXTENSIONS: readonly Bytes[] = /* @__PURE__ */ [
  extension('2.5.29.20', false, der.integer(1)),
  extension('2.5.29.35', false, der.sequence(der.tlv(0x80, new Uint8Array(20).fill(7)))),
]

/** A CRL with the parts given, signed with `keys` unless a signature is among them. */
export const crl = (keys: Keys, parts: Partial<CrlParts> & Pick<CrlParts, 'issuer' | 'thisUpdate' | 'nextUpdate'>): Bytes => {
  const { version = der.integer(1), revoked = [], extensions = CRL_EXTENSIONS, tail = NOTHING } = parts
  const tbs = der.sequence(
    ...[version, parts.algorithm ?? algorithm, parts.issuer, parts.thisUpdate, parts.nextUpdate],
    revoked.length === 0 ? NOTHING : der.sequence(...revoked),
    der.explicit(0, der.sequence(...extensions)),
    tail,
  )
  return der.sequence(tbs, parts.outerAlgorithm ?? algorithm, parts.signature ?? der.bits(signed(tbs, keys)))
}
