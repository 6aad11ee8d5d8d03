import { createHash, sign } from 'node:crypto'
import { type Bytes, toHex, utf8 } from '../../client/primitives/bytes.ts'
import type { TrustedRoot } from '../../client/verify/attestation.ts'
import {
  AUTHORITY_USAGE,
  basicConstraints,
  certificate,
  crl,
  type Keys,
  name,
  newKeys,
  PLATFORM as PLATFORM_OF_PKI,
  type Platform,
  revokedEntry,
  SIGNER_USAGE,
  sgxExtension,
  sgxItems,
  validity,
} from '../pki.ts'
import * as der from '../wasm/_der-writer.ts'

// A mock of Intel's service: a root of its own, and collateral under it in the form of a PCCS's answers put together. Every part may be
// another one, so that a test can have each thing wrong for itself.

const DAY = 86_400

/** Keys and certificates (DER) of a mock PKI, and the platform that its PCK certificate is of. */
export interface MockPki {
  readonly keys: { readonly root: Keys; readonly authority: Keys; readonly signer: Keys; readonly pck: Keys }
  readonly root: Bytes
  readonly authority: Bytes
  readonly signer: Bytes
  readonly pck: Bytes
  readonly platform: Platform
  /** Unix seconds: what is issued is valid from some days before to some days after. */
  readonly at: number
}

export const NAMES = {
  root: name('Intel SGX Root CA'),
  authority: name('Intel SGX PCK Platform CA'),
  signer: name('Intel SGX TCB Signing'),
  pck: name('Intel SGX PCK Certificate'),
} as const

const SERIALS = { root: 1, authority: 2, signer: 3, pck: 4 } as const

/** The serial of each certificate, as DER, for a CRL's entries. */
export const serialOf = (one: keyof typeof SERIALS): Bytes => der.integer(SERIALS[one])

type CertificateParts = Parameters<typeof certificate>[1]

/** What of a certificate is another thing than it should be. */
export type MockChanges = { readonly [one in keyof typeof SERIALS]?: Partial<CertificateParts> & { readonly signedBy?: Keys } }

export const PLATFORM: Platform = PLATFORM_OF_PKI

export const newPki = (at: number, changed: MockChanges = {}, platform: Platform = PLATFORM): MockPki => {
  const keys = { root: newKeys(), authority: newKeys(), signer: newKeys(), pck: newKeys() }
  const issue = (one: keyof typeof SERIALS, by: 'root' | 'authority', extensions: readonly Bytes[]): Bytes => {
    const { signedBy = keys[by], ...parts } = changed[one] ?? {}
    return certificate(signedBy, {
      ...{ issuer: NAMES[by], subject: NAMES[one], serial: serialOf(one), spki: keys[one].spki, extensions },
      validity: validity(at - 1_000 * DAY, at + 1_000 * DAY),
      ...parts,
    })
  }
  return {
    keys,
    root: issue('root', 'root', [AUTHORITY_USAGE, basicConstraints(true, 1)]),
    authority: issue('authority', 'root', [AUTHORITY_USAGE, basicConstraints(true, 0)]),
    signer: issue('signer', 'root', [SIGNER_USAGE, basicConstraints(false)]),
    pck: issue('pck', 'authority', [SIGNER_USAGE, basicConstraints(false), sgxExtension(sgxItems(platform))]),
    platform,
    at,
  }
}

/** The root to trust, as a reader's config has it: a development root. */
export const trustedRoot = ({ keys }: MockPki): TrustedRoot => ({
  spkiHash: new Uint8Array(createHash('sha256').update(keys.root.spki).digest()),
  development: true,
})

export const pem = (...certificates: readonly Bytes[]): string =>
  certificates
    .map(
      (one) => `-----BEGIN CERTIFICATE-----\n${Buffer.from(one).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    )
    .join('')

/** r ‖ s over a message. */
export const signature = (message: Bytes, { privateKey }: Keys): Bytes =>
  new Uint8Array(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }))

/** A time as Intel's documents write it. */
export const dateText = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')

/** What of the collateral is another thing than it should be. */
export interface CollateralChanges {
  /** Fields of TCB info and QE identity in place of the right ones. */
  readonly tcbInfo?: object
  readonly qeIdentity?: object
  /** Serials, as DER, in the two lists. */
  readonly revoked?: { readonly root?: readonly Bytes[]; readonly pck?: readonly Bytes[] }
  readonly pckCrl?: Partial<Parameters<typeof crl>[1]>
  readonly signedBy?: Keys
  /** Members of the JSON in place of the right ones. */
  readonly members?: Readonly<Record<string, unknown>>
}

/** Collateral as JSON text, issued ten days before the PKI's time and valid until twenty days after. */
export const writeCollateral = (pki: MockPki, changes: CollateralChanges = {}): string => {
  const { keys, root, authority, signer, at } = pki
  const list = (by: Keys, issuer: Bytes, serials: readonly Bytes[], changed: object = {}): string => {
    const revoked = serials.map((serial) => revokedEntry(serial, at - 20 * DAY))
    return toHex(crl(by, { issuer, thisUpdate: der.time(at - 10 * DAY), nextUpdate: der.time(at + 20 * DAY), revoked, ...changed }))
  }
  const tcbInfo = JSON.stringify({ ...mockTcbInfo(pki), ...changes.tcbInfo })
  const qeIdentity = JSON.stringify({ ...mockQeIdentity(pki), ...changes.qeIdentity })
  const sealed = (text: string): string => toHex(signature(utf8(text), changes.signedBy ?? keys.signer))
  return JSON.stringify({
    pck_crl_issuer_chain: pem(authority, root),
    root_ca_crl: list(keys.root, NAMES.root, changes.revoked?.root ?? []),
    pck_crl: list(keys.authority, NAMES.authority, changes.revoked?.pck ?? [], changes.pckCrl),
    tcb_info_issuer_chain: pem(signer, root),
    tcb_info: tcbInfo,
    tcb_info_signature: sealed(tcbInfo),
    qe_identity_issuer_chain: pem(signer, root),
    qe_identity: qeIdentity,
    qe_identity_signature: sealed(qeIdentity),
    ...changes.members,
  })
}

const zeros = (length: number): string => '00'.repeat(length)
const documentOf = ({ at }: MockPki): object => ({ issueDate: dateText(at - 10 * DAY), nextUpdate: dateText(at + 20 * DAY) })
const standing = ({ at }: MockPki, tcbStatus: string): object => ({ tcbDate: dateText(at - 90 * DAY), tcbStatus })
const svns = (list: readonly number[]): readonly object[] => Array.from({ length: 16 }, (_, i) => ({ svn: list[i] ?? 0 }))

/** Least SVNs of a TCB level, with its status. */
export interface MockLevel {
  readonly sgx: readonly number[]
  readonly pcesvn: number
  readonly tdx: readonly number[]
  readonly status: string
  readonly advisories?: readonly string[]
}

export const tcbLevel = (pki: MockPki, { sgx, pcesvn, tdx, status, advisories = [] }: MockLevel): object => ({
  tcb: { sgxtcbcomponents: svns(sgx), pcesvn, tdxtcbcomponents: svns(tdx) },
  ...standing(pki, status),
  advisoryIDs: advisories,
})

/** A level of QE or module. */
export const svnLevel = (pki: MockPki, isvsvn: number, status: string, advisories: readonly string[] = []): object => ({
  tcb: { isvsvn },
  ...standing(pki, status),
  advisoryIDs: advisories,
})

export const moduleIdentity = (pki: MockPki, id: string, levels: readonly object[]): object => ({
  ...{ id, mrsigner: zeros(48), attributes: zeros(8), attributesMask: 'FF'.repeat(8) },
  tcbLevels: levels.length > 0 ? levels : [svnLevel(pki, 5, 'UpToDate'), svnLevel(pki, 3, 'OutOfDate', ['INTEL-SA-00003'])],
})

/** The TCB info of the PKI's platform: what {@link PLATFORM} and a right quote have is UpToDate, the level below it OutOfDate. */
export const mockTcbInfo = (pki: MockPki): object => {
  const { components, pcesvn, fmspc, pceid } = pki.platform
  const lower = components.map((svn) => Math.max(0, svn - 2))
  return {
    ...{ id: 'TDX', version: 3, ...documentOf(pki), fmspc: toHex(fmspc), pceId: toHex(pceid), tcbType: 0, tcbEvaluationDataNumber: 18 },
    tdxModule: { mrsigner: zeros(48), attributes: zeros(8), attributesMask: 'FF'.repeat(8) },
    tdxModuleIdentities: [moduleIdentity(pki, 'TDX_01', [])],
    tcbLevels: [
      tcbLevel(pki, { sgx: components, pcesvn, tdx: [5, 0, 6], status: 'UpToDate' }),
      tcbLevel(pki, { sgx: lower, pcesvn: pcesvn - 2, tdx: [3, 0, 4], status: 'OutOfDate', advisories: ['INTEL-SA-00002'] }),
    ],
  }
}

export const MOCK_QE_SIGNER = 'dc'.repeat(32)

export const mockQeIdentity = (pki: MockPki): object => ({
  ...{ id: 'TD_QE', version: 2, ...documentOf(pki), tcbEvaluationDataNumber: 17 },
  ...{ miscselect: zeros(4), miscselectMask: 'FFFFFFFF', attributes: `11${zeros(15)}`, attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000' },
  ...{
    mrsigner: MOCK_QE_SIGNER,
    isvprodid: 2,
    tcbLevels: [svnLevel(pki, 4, 'UpToDate'), svnLevel(pki, 2, 'OutOfDate', ['INTEL-SA-00001'])],
  },
})
