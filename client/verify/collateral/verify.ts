import type { Certificate } from '../../../wasm/certificate.ts'
import type { Crl } from '../../../wasm/crl.ts'
import { type Bytes, toHex } from '../../primitives/bytes.ts'
import type { QuoteCheck, TrustedRoot } from '../attestation.ts'
import { type CollateralCheckName, collateralCheck } from './checks.ts'
import { type Collateral, canonical, hashOf } from './content.ts'
import { revoked } from './crls.ts'
import { dateText, expectTime } from './fields.ts'
import { checkRollback } from './memory.ts'
import { attempt, type Part, type Parts, startParts } from './parts.ts'
import type { QeIdentity } from './qe-identity.ts'
import { readCollateral } from './read.ts'
import type { TcbInfo } from './tcb-info.ts'
import { CollateralError, type CollateralOptions, type CollateralVerdict, type VerifiedCollateral } from './verified.ts'

/**
 * Verifies collateral: chains to the pinned root, both CRLs, both documents, and that it does not go back behind what was accepted before.
 * Six signatures, side by side, and a seventh under each root that is new to `ecdsa`.
 *
 * @param source collateral, or its JSON as text or UTF-8 bytes
 * @returns every check with what was expected and found, and the handle when none of them failed
 * @throws TypeError for an `at` that is no time; UnsupportedError where there is no WebAssembly with SIMD
 * @see TDX.md sections 3 to 5
 */
export const inspectCollateral = async (source: Collateral | Bytes | string, options: CollateralOptions): Promise<CollateralVerdict> => {
  const { at, root, memory } = options
  expectTime(at)
  const shape = attempt(() => {
    const collateral = typeof source === 'string' || source instanceof Uint8Array ? readCollateral(source) : source
    return { collateral, pieces: canonical(collateral) }
  })
  if (shape.value === null)
    return { checks: [collateralCheck('collateral.shape', 'failed', shape.problem), ...LATER.map(unasked)], verified: null }
  const { collateral, pieces } = shape.value
  const parts = startParts(collateral, options)
  const hash = hashOf(pieces)
  const checks = [collateralCheck('collateral.shape', 'passed', `content hash ${toHex(hash)}`), ...(await checkParts(parts, options))]
  if (checks.some(({ state }) => state !== 'passed')) return { checks: [...checks, unasked('collateral.rollback')], verified: null }
  const handle = { hash, root, at, ...contentOf(parts) }
  const rollback = memory
    ? await checkRollback(memory, handle)
    : collateralCheck('collateral.rollback', 'unproven', 'no memory of earlier collateral was given')
  const all = [...checks, rollback]
  return { checks: all, verified: rollback.state === 'failed' ? null : { ...handle, checks: all } }
}

/**
 * The same, for who wants the handle or an error.
 *
 * @throws CollateralError with the checks, when one of them failed
 */
export const verifyCollateral = async (source: Collateral | Bytes | string, options: CollateralOptions): Promise<VerifiedCollateral> => {
  const { checks, verified } = await inspectCollateral(source, options)
  if (verified === null) throw new CollateralError(checks)
  return verified
}

const LATER = ['collateral.chains', 'collateral.crls', 'collateral.tcbInfo', 'collateral.qeIdentity', 'collateral.rollback'] as const

const unasked = (name: CollateralCheckName): QuoteCheck =>
  collateralCheck(name, 'unproven', 'not looked at: the collateral is refused before')

const checkParts = async (parts: Parts, { root }: CollateralOptions): Promise<readonly QuoteCheck[]> => {
  const { tcbInfo, qeIdentity } = parts
  return Promise.all([
    checkOn('collateral.chains', chainsOf(parts), () => chainsText(parts, root)),
    checkOn(
      'collateral.crls',
      [parts.rootCrl, parts.pckCrl],
      () => crlsText(parts),
      () => revocations(parts),
    ),
    checkOn('collateral.tcbInfo', [tcbInfo], () => `FMSPC ${toHex((tcbInfo.value as TcbInfo).fmspc)}, ${documentText(tcbInfo)}`),
    checkOn('collateral.qeIdentity', [qeIdentity], () => documentText(qeIdentity)),
  ])
}

/** Each chain once: Intel sends one with both documents. */
const chainsOf = ({ authority, tcbSigner, qeSigner, pck }: Parts): readonly Part<readonly Certificate[]>[] => [
  ...new Set([authority, tcbSigner, qeSigner, ...(pck === null ? [] : [pck])]),
]

/** A check over parts. `told` and `between` are asked once all of them can be read: for what to say of them, and for problems between them. */
const checkOn = async (
  name: CollateralCheckName,
  parts: readonly Part<unknown>[],
  told: () => string,
  between: () => readonly string[] = () => [],
): Promise<QuoteCheck> => {
  const own = (await Promise.all(parts.map(({ problems }) => problems))).flat()
  const isReadable = parts.every(({ value }) => value !== null)
  const problems = isReadable ? [...own, ...between()] : own
  if (problems.length > 0) return collateralCheck(name, 'failed', problems.join('; '))
  if (parts.some(({ isOpen }) => isOpen))
    return collateralCheck(name, 'unproven', 'the certificate to check a signature with cannot be read')
  return collateralCheck(name, 'passed', told())
}

/** Who of those that were needed here is revoked. Whether a PCK certificate is, is asked of `pckCrl` with the quote that stands on it. */
const revocations = (parts: Parts): readonly string[] => {
  const issued = chainsOf({ ...parts, pck: null }).flatMap(({ value }) => value?.slice(0, 1) ?? [])
  return revoked(parts.rootCrl.value as Crl, issued)
}

const chainsText = ({ authority, tcbSigner }: Parts, { development, spkiHash }: TrustedRoot): string => {
  const names = [authority, tcbSigner].map(({ value }) => value?.[0]?.subject.commonName)
  return `${names.join(' and ')} under ${development ? `development root ${toHex(spkiHash)}` : "Intel's root"}`
}

const crlsText = ({ rootCrl, pckCrl }: Parts): string => {
  const told = ({ value }: Part<Crl>): string => `${(value?.revoked.length ?? 0) / 2} revoked until ${dateText(value?.nextUpdate ?? 0)}`
  return `root: ${told(rootCrl)}; PCK authority: ${told(pckCrl)}`
}

const documentText = ({ value }: Part<TcbInfo | QeIdentity>): string => {
  const { id, version, evaluation, issueDate, nextUpdate } = value as TcbInfo | QeIdentity
  return `${id} version ${version}, number ${evaluation}, from ${dateText(issueDate)} to ${dateText(nextUpdate)}`
}

/** What a handle holds, when every part was found to be right. */
const contentOf = (parts: Parts): Omit<VerifiedCollateral, 'hash' | 'root' | 'at' | 'checks'> => {
  const [intermediate, rootCertificate] = parts.authority.value as readonly [Certificate, Certificate]
  const rootCrl = parts.rootCrl.value as Crl
  const pckCrl = parts.pckCrl.value as Crl
  const tcbInfo = parts.tcbInfo.value as TcbInfo
  const qeIdentity = parts.qeIdentity.value as QeIdentity
  const certificates = chainsOf(parts).flatMap(({ value }) => value ?? [])
  const periods = [
    ...certificates.map(({ notBefore, notAfter }) => [notBefore, notAfter] as const),
    ...[rootCrl, pckCrl].map(({ thisUpdate, nextUpdate }) => [thisUpdate, nextUpdate] as const),
    ...[tcbInfo, qeIdentity].map(({ issueDate, nextUpdate }) => [issueDate, nextUpdate] as const),
  ]
  return {
    notBefore: Math.max(...periods.map(([from]) => from)),
    expires: Math.min(...periods.map(([, until]) => until)),
    ...{ intermediate, rootCertificate, rootCrl, pckCrl, tcbInfo, qeIdentity },
    pckChain: parts.pck?.value ?? null,
  }
}
