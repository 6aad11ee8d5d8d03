import type { Certificate } from '../../../wasm/certificate.ts'
import { hash } from '../../../wasm/core.ts'
import { isRevoked } from '../../../wasm/crl.ts'
import type { PckSource } from '../../../wasm/quote.ts'
import { equal, toHex } from '../../primitives/bytes.ts'
import type { QuoteCheck, VerifyEcdsa } from '../attestation.ts'
import { readChain, readPem, type VerifiedCollateral, verifyChain } from '../collateral/index.ts'
import { judge } from './checks.ts'

type Chain = readonly [leaf: Certificate, authority: Certificate, root: Certificate]

/** The chain of a platform's certificate, read and not verified. */
export interface PckChain {
  readonly chain: Chain
  /** What it is kept by once it was verified; null for the collateral's, which was verified with it. */
  readonly key: string | null
  /** Whether its signatures held before, under the handle that it was read with. */
  readonly isKnown: boolean
}

/** Where a quote's chain stands, in a problem. */
const PATH = 'quote.signature.certification.pck'

/** Chains kept by a handle: as many platforms as are looked at in one sitting. */
const KEPT = 64

// By handle, so that a chain is forgotten with the authority and the CRLs that it was held against. Only chains that hold are kept, and of
// them the signatures: dates and revocation are looked at each time.
const kept = new WeakMap<VerifiedCollateral, Map<string, Chain>>()

/**
 * The chain of the PCK that a quote names: its own, or the collateral's where the quote carries none.
 *
 * @param handle null where the collateral is not verified yet, or is refused
 * @returns a problem in words where there is none
 * @throws CollateralFormatError for what is no chain; UnsupportedError where there is no WebAssembly with SIMD
 * @see TDX.md section 1
 */
export const readPck = ({ type, data }: PckSource, handle: VerifiedCollateral | null): PckChain | string => {
  if (type === 5) return readOwn(data, handle)
  if (type !== 1 && type !== 4) return `certification data of type ${type} names no certificate`
  const chain = handle?.pckChain ?? null
  return isChain(chain)
    ? { chain, key: null, isKnown: true }
    : `certification data of type ${type}, and the collateral has no pck_certificate_chain`
}

const readOwn = (data: PckSource['data'], handle: VerifiedCollateral | null): PckChain | string => {
  const key = toHex(hash(data))
  const known = handle && kept.get(handle)?.get(key)
  if (known) return { chain: known, key, isKnown: true }
  const chain = readChain(readPem(data, PATH), PATH)
  return isChain(chain) ? { chain, key, isKnown: false } : `${PATH}: expected 3 certificates, found ${chain.length}`
}

const isChain = (chain: readonly Certificate[] | null): chain is Chain => chain !== null && chain.length === 3

/** A Map lists its entries in the order they came: what was used last stands last, and the first one goes. */
const keep = (handle: VerifiedCollateral, key: string, chain: Chain): void => {
  const chains = kept.get(handle) ?? new Map<string, Chain>()
  kept.set(handle, chains)
  chains.delete(key)
  chains.set(key, chain)
  const [oldest] = chains.keys()
  if (chains.size > KEPT && oldest !== undefined) chains.delete(oldest)
}

/**
 * Whether the chain holds at a time.
 *
 * @param leaf the check of the leaf's own signature, where it was started with the quote's
 * @see TDX.md section 3
 */
export const checkChain = async (
  { chain, key }: PckChain,
  handle: VerifiedCollateral,
  { at, ecdsa, leaf }: { readonly at: number; readonly ecdsa: VerifyEcdsa; readonly leaf: Promise<boolean> | null },
): Promise<QuoteCheck> => {
  const { root, intermediate, rootCertificate } = handle
  const isKnown = key === null || kept.get(handle)?.has(key) === true
  const known = isKnown ? chain : [intermediate, rootCertificate]
  const problems = await verifyChain(chain, { kind: 'pck', path: PATH, root, at, ecdsa, known, leaf })
  if (problems.length === 0 && key !== null) keep(handle, key, chain)
  const [pck, authority] = chain
  const found = `${pck.subject.commonName} with serial ${toHex(pck.serial)} of ${authority.subject.commonName}`
  return judge('quote.pckChain', problems, `a PCK certificate under the ${root.development ? 'development root' : 'pinned root'}`, found)
}

/**
 * Whether the collateral's CRLs are those of this chain, and name none of it. A list of another authority says nothing of this one's.
 *
 * @see TDX.md section 4
 */
export const checkRevocation = ({ chain }: PckChain, { intermediate, pckCrl, rootCrl }: VerifiedCollateral): QuoteCheck => {
  const [leaf, authority] = chain
  const isSameAuthority = equal(authority.spki, intermediate.spki) && equal(leaf.issuer.der, pckCrl.issuer.der)
  const problems = [
    ...(isSameAuthority ? [] : [`the PCK CRL is of ${pckCrl.issuer.commonName}, the certificate of ${leaf.issuer.commonName}`]),
    ...(isRevoked(pckCrl, leaf.serial) ? [`the PCK certificate with serial ${toHex(leaf.serial)} is revoked`] : []),
    ...(isRevoked(rootCrl, authority.serial) ? [`${authority.subject.commonName} is revoked`] : []),
  ]
  return judge('quote.revocation', problems, `neither certificate in the CRLs of ${pckCrl.issuer.commonName} and of the root`, 'in neither')
}
