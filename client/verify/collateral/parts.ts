import type { Certificate } from '../../../wasm/certificate.ts'
import type { Crl } from '../../../wasm/crl.ts'
import { FormatError } from '../../../wasm/reading.ts'
import { type Bytes, equal } from '../../primitives/bytes.ts'
import { type Json, ParseError } from '../../primitives/json-value.ts'
import { type ChainKind, dateProblems, readChain, verifyChain } from './chain.ts'
import type { Collateral } from './content.ts'
import { readCrlAt, verifyCrl } from './crls.ts'
import { readJson } from './json.ts'
import { type QeIdentity, readQeIdentity } from './qe-identity.ts'
import { readTcbInfo, type TcbInfo } from './tcb-info.ts'
import { CollateralFormatError, type CollateralOptions } from './verified.ts'

/** A part of collateral whose verification was started. */
export interface Part<T> {
  /** What it says, verified or not; null when it cannot be read. */
  readonly value: T | null
  /** What is wrong with it. */
  readonly problems: Promise<readonly string[]>
  /** True when there is nobody to check its signature against. */
  readonly isOpen: boolean
}

type Chain = readonly Certificate[]

export interface Parts {
  readonly authority: Part<Chain>
  readonly tcbSigner: Part<Chain>
  readonly qeSigner: Part<Chain>
  readonly pck: Part<Chain> | null
  readonly rootCrl: Part<Crl>
  readonly pckCrl: Part<Crl>
  readonly tcbInfo: Part<TcbInfo>
  readonly qeIdentity: Part<QeIdentity>
}

/**
 * Reads every part and starts all their signature checks: those of chains and lists first, so that a host with threads of its own is at work
 * while the documents are read here.
 *
 * @throws UnsupportedError where there is no WebAssembly with SIMD
 */
export const startParts = (collateral: Collateral, options: CollateralOptions): Parts => {
  const { tcbInfoIssuerChain, qeIdentityIssuerChain, pckCertificateChain } = collateral
  const authority = startChain(collateral.pckCrlIssuerChain, 'pck_crl_issuer_chain', 'authority', options)
  const tcbSigner = startChain(tcbInfoIssuerChain, 'tcb_info_issuer_chain', 'signer', options)
  // Intel sends one chain with both documents.
  const qeSigner = isSameChain(tcbInfoIssuerChain, qeIdentityIssuerChain)
    ? tcbSigner
    : startChain(qeIdentityIssuerChain, 'qe_identity_issuer_chain', 'signer', options)
  const [intermediate, root] = authority.value ?? []
  return {
    authority,
    tcbSigner,
    qeSigner,
    pck: pckCertificateChain === null ? null : startChain(pckCertificateChain, 'pck_certificate_chain', 'pck', options),
    rootCrl: startCrl(collateral.rootCaCrl, 'root_ca_crl', root, options),
    pckCrl: startCrl(collateral.pckCrl, 'pck_crl', intermediate, options),
    tcbInfo: startDocument(
      {
        path: 'tcb_info',
        bytes: collateral.tcbInfo,
        signature: collateral.tcbInfoSignature,
        signer: tcbSigner.value?.[0],
        read: readTcbInfo,
      },
      options,
    ),
    qeIdentity: startDocument(
      {
        path: 'qe_identity',
        bytes: collateral.qeIdentity,
        signature: collateral.qeIdentitySignature,
        signer: qeSigner.value?.[0],
        read: readQeIdentity,
      },
      options,
    ),
  }
}

const isSameChain = (a: readonly Bytes[], b: readonly Bytes[]): boolean =>
  a.length === b.length && a.every((der, i) => equal(der, b[i] as Bytes))

const NONE: Promise<readonly string[]> = /* @__PURE__ */ Promise.resolve([])

const startChain = (documents: readonly Bytes[], path: string, kind: ChainKind, { root, at, ecdsa }: CollateralOptions): Part<Chain> => {
  const { value, problem } = attempt(() => readChain(documents, path))
  if (value === null) return unreadable(problem)
  return { value, problems: verifyChain(value, { kind, path, root, at, ecdsa }), isOpen: false }
}

const startCrl = (der: Bytes, path: string, issuer: Certificate | undefined, { at, ecdsa }: CollateralOptions): Part<Crl> => {
  const { value, problem } = attempt(() => readCrlAt(der, path))
  if (value === null) return unreadable(problem)
  if (issuer === undefined) return { value, problems: NONE, isOpen: true }
  return { value, problems: verifyCrl(value, { path, issuer, at, ecdsa }), isOpen: false }
}

interface Document<T> {
  readonly path: string
  readonly bytes: Bytes
  readonly signature: Bytes
  readonly signer: Certificate | undefined
  readonly read: (json: Json) => T
}

/** The signature is over the bytes as they came; what they say is read beside it. */
const startDocument = <T extends TcbInfo | QeIdentity>(
  { path, bytes, signature, signer, read }: Document<T>,
  { at, ecdsa }: CollateralOptions,
): Part<T> => {
  const valid = signer === undefined ? true : ecdsa(signer.publicKey, signature, bytes)
  const { value, problem } = attempt(() => read(readJson(bytes, path)))
  const known = value === null ? [problem] : dateProblems(path, value.issueDate, value.nextUpdate, at)
  const problems = async (): Promise<readonly string[]> =>
    (await valid) ? known : [`${path}_signature: does not hold under the key of ${signer?.subject.commonName}`, ...known]
  return { value, problems: problems(), isOpen: signer === undefined }
}

const unreadable = (problem: string): Part<never> => ({ value: null, problems: Promise.resolve([problem]), isOpen: false })

/** What `run` gives, or why it cannot be read. Whatever else is thrown is no fault of the bytes, and is thrown on. */
export const attempt = <T>(
  run: () => T,
): { readonly value: T; readonly problem: '' } | { readonly value: null; readonly problem: string } => {
  try {
    return { value: run(), problem: '' }
  } catch (thrown) {
    if (isUnreadable(thrown)) return { value: null, problem: thrown.message }
    throw thrown
  }
}

const isUnreadable = (thrown: unknown): thrown is Error =>
  thrown instanceof CollateralFormatError || thrown instanceof ParseError || thrown instanceof FormatError
