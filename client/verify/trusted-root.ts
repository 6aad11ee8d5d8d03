import { readCertificate } from '../../wasm/certificate.ts'
import { type Bytes, fromHex, toHex } from '../primitives/bytes.ts'
import { INTEL_ROOT, type TrustedRoot, type VerifyEcdsa } from './attestation.ts'
import { within } from './collateral/chain.ts'
import { CollateralFormatError, readPem, sha256 } from './collateral/index.ts'

/** Intel's SGX Root CA: what a production reader trusts, and nothing else. */
export const intelRoot = (): TrustedRoot => ({ spkiHash: fromHex(INTEL_ROOT), development: false })

/**
 * The root of a PEM text. Intel's own is Intel's by whatever way it comes; every other one is a development root, and every verdict that
 * stands on it says so.
 *
 * @param pem one certificate
 * @param ecdsa from {@link createEcdsa}
 * @throws CollateralFormatError naming the byte; UnsupportedError where there is no WebAssembly with SIMD
 */
export const readRoot = async (pem: Bytes, ecdsa: VerifyEcdsa): Promise<TrustedRoot> => {
  const [der, more] = readPem(pem, 'root')
  if (der === undefined || more !== undefined)
    throw new CollateralFormatError('root', null, 'one certificate is a root, several are a chain')
  const spkiHash = await sha256(within('root', () => readCertificate(der)).spki, ecdsa)
  return { spkiHash, development: toHex(spkiHash) !== INTEL_ROOT }
}
