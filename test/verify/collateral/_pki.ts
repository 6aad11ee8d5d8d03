import { createHash, sign } from 'node:crypto'
import { type Bytes, utf8 } from '../../../client/primitives/bytes.ts'
import type { TrustedRoot } from '../../../client/verify/attestation.ts'
import { type Collateral, createEcdsa, readChain, type SubtleEcdsa } from '../../../client/verify/collateral/index.ts'
import {
  AUTHORITY_USAGE,
  basicConstraints,
  certificate,
  crl,
  type Keys,
  name,
  newKeys,
  PLATFORM,
  revokedEntry,
  SIGNER_USAGE,
  sgxExtension,
  sgxItems,
  validity,
} from '../../pki.ts'
import * as der from '../../wasm/_der-writer.ts'

// Collateral under a mock PKI, right in every part; a test replaces what it wants to have wrong.

export const AT = Date.UTC(2026, 5, 1) / 1000
const DAY = 86_400

export const rootKeys = newKeys()
export const authorityKeys = newKeys()
export const signerKeys = newKeys()
export const pckKeys = newKeys()

export const ROOT = name('Intel SGX Root CA')
export const PLATFORM_CA = name('Intel SGX PCK Platform CA')
export const SIGNER = name('Intel SGX TCB Signing')
export const PCK = name('Intel SGX PCK Certificate')

type Parts = Parameters<typeof certificate>[1]

const LONG = validity(AT - 1_000 * DAY, AT + 1_000 * DAY)
const [ROOT_SERIAL, AUTHORITY_SERIAL, SIGNER_SERIAL, PCK_SERIAL] = [1, 2, 3, 4].map(der.integer) as [Bytes, Bytes, Bytes, Bytes]

/** The serials as a CRL's entries name them. */
export const SERIALS = { authority: AUTHORITY_SERIAL, signer: SIGNER_SERIAL }

export const rootCertificate = (changed: Partial<Parts> = {}, keys: Keys = rootKeys): Bytes =>
  certificate(keys, {
    ...{ issuer: ROOT, subject: ROOT, serial: ROOT_SERIAL, validity: LONG, spki: rootKeys.spki },
    extensions: [AUTHORITY_USAGE, basicConstraints(true, 1)],
    ...changed,
  })

export const authorityCertificate = (changed: Partial<Parts> = {}, keys: Keys = rootKeys): Bytes =>
  certificate(keys, {
    ...{ issuer: ROOT, subject: PLATFORM_CA, serial: AUTHORITY_SERIAL, validity: LONG, spki: authorityKeys.spki },
    extensions: [AUTHORITY_USAGE, basicConstraints(true, 0)],
    ...changed,
  })

export const signerCertificate = (changed: Partial<Parts> = {}, keys: Keys = rootKeys): Bytes =>
  certificate(keys, {
    ...{ issuer: ROOT, subject: SIGNER, serial: SIGNER_SERIAL, validity: LONG, spki: signerKeys.spki },
    extensions: [SIGNER_USAGE, basicConstraints(false)],
    ...changed,
  })

export const pckCertificate = (changed: Partial<Parts> = {}, keys: Keys = authorityKeys): Bytes =>
  certificate(keys, {
    ...{ issuer: PLATFORM_CA, subject: PCK, serial: PCK_SERIAL, validity: LONG, spki: pckKeys.spki },
    extensions: [SIGNER_USAGE, basicConstraints(false), sgxExtension(sgxItems(PLATFORM))],
    ...changed,
  })

export const root: Bytes = rootCertificate()
export const authority: Bytes = authorityCertificate()
export const signer: Bytes = signerCertificate()

type CrlParts = Parameters<typeof crl>[1]

export const listOf = (keys: Keys, issuer: Bytes, changed: Partial<CrlParts> = {}): Bytes =>
  crl(keys, { issuer, thisUpdate: der.time(AT - 10 * DAY), nextUpdate: der.time(AT + 20 * DAY), ...changed })

export const revocation = (...serials: readonly Bytes[]): readonly Bytes[] => serials.map((serial) => revokedEntry(serial, AT - 5 * DAY))

const standing = (tcbStatus: string): object => ({ tcbDate: '2026-03-01T00:00:00Z', tcbStatus })
const zeros = (length: number): string => '00'.repeat(length)

export const components = (...svns: readonly number[]): readonly object[] => Array.from({ length: 16 }, (_, i) => ({ svn: svns[i] ?? 0 }))

export const tcbLevel = (svn: number, tcbStatus: string): Record<string, unknown> => ({
  tcb: { sgxtcbcomponents: components(svn), pcesvn: 11, tdxtcbcomponents: components(5, 0, 4) },
  ...standing(tcbStatus),
})

/** A TCB info as an object, every field of which may be replaced. */
export const tcbInfo = (changed: object = {}): object => ({
  ...{ id: 'TDX', version: 3, issueDate: '2026-05-20T00:00:00Z', nextUpdate: '2026-06-19T00:00:00Z' },
  ...{ fmspc: 'B0C06F000000', pceId: '0000', tcbType: 0, tcbEvaluationDataNumber: 18 },
  tdxModule: { mrsigner: zeros(48), attributes: zeros(8), attributesMask: 'FF'.repeat(8) },
  tdxModuleIdentities: [moduleIdentity('TDX_01'), moduleIdentity('TDX_03')],
  tcbLevels: [tcbLevel(7, 'UpToDate'), tcbLevel(4, 'OutOfDate')],
  ...changed,
})

export const moduleIdentity = (id: string, svns: readonly number[] = [5, 3]): object => ({
  ...{ id, mrsigner: zeros(48), attributes: zeros(8), attributesMask: 'FF'.repeat(8) },
  tcbLevels: svns.map((isvsvn) => ({ tcb: { isvsvn }, ...standing('UpToDate'), advisoryIDs: ['INTEL-SA-00001'] })),
})

export const qeIdentity = (changed: object = {}): object => ({
  ...{ id: 'TD_QE', version: 2, issueDate: '2026-05-21T00:00:00Z', nextUpdate: '2026-06-20T00:00:00Z', tcbEvaluationDataNumber: 17 },
  ...{ miscselect: zeros(4), miscselectMask: 'FFFFFFFF', attributes: `11${zeros(15)}`, attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000' },
  ...{ mrsigner: 'DC'.repeat(32), isvprodid: 2, tcbLevels: [{ tcb: { isvsvn: 4 }, ...standing('UpToDate') }] },
  ...changed,
})

/** r ‖ s over a message. */
export const signature = (message: Bytes, { privateKey }: Keys): Bytes =>
  new Uint8Array(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }))

/** The documents as signed text. */
export const signedInfo = (changed: object = {}, keys: Keys = signerKeys): Pick<Collateral, 'tcbInfo' | 'tcbInfoSignature'> => {
  const text = utf8(JSON.stringify(tcbInfo(changed)))
  return { tcbInfo: text, tcbInfoSignature: signature(text, keys) }
}

export const signedIdentity = (changed: object = {}, keys: Keys = signerKeys): Pick<Collateral, 'qeIdentity' | 'qeIdentitySignature'> => {
  const text = utf8(JSON.stringify(qeIdentity(changed)))
  return { qeIdentity: text, qeIdentitySignature: signature(text, keys) }
}

export const rootCrl: Bytes = listOf(rootKeys, ROOT)
export const pckCrl: Bytes = listOf(authorityKeys, PLATFORM_CA)

const RIGHT: Collateral = {
  pckCrlIssuerChain: [authority, root],
  rootCaCrl: rootCrl,
  pckCrl,
  tcbInfoIssuerChain: [signer, root],
  ...signedInfo(),
  qeIdentityIssuerChain: [signer, root],
  ...signedIdentity(),
  pckCertificateChain: null,
}

export const collateral = (changed: Partial<Collateral> = {}): Collateral => ({ ...RIGHT, ...changed })

export const trusted = (certificateDer: Bytes = root): TrustedRoot => ({
  spkiHash: new Uint8Array(
    createHash('sha256')
      .update(readChain([certificateDer], 'root')[0]?.spki ?? '')
      .digest(),
  ),
  development: true,
})

export const subtle = crypto.subtle as unknown as SubtleEcdsa
export const ecdsa = createEcdsa(subtle)
