import { type Bytes, toHex } from '../../../client/primitives/bytes.ts'
import { type Collateral, KINDS, PARTS, type Part } from '../../../client/verify/collateral/content.ts'
import { readText } from '../../../client/verify/collateral/json.ts'
import { fieldOf, PCK_CHAIN } from '../../../client/verify/collateral/read.ts'

/**
 * Collateral as JSON, in one form: keys in the format's order, no white space between them, hex in lower case, PEM in lines of 64.
 *
 * @throws CollateralFormatError for a document that is not UTF-8
 * @see shared/data/tdx/MANIFEST.md, "Layout"
 */
export const encodeCollateral = (collateral: Collateral): string => {
  const fields = PARTS.map((part) => [fieldOf(part), told(collateral, part)])
  const { pckCertificateChain } = collateral
  return JSON.stringify(Object.fromEntries(pckCertificateChain === null ? fields : [...fields, [PCK_CHAIN, writePem(pckCertificateChain)]]))
}

const told = (collateral: Collateral, part: Part): string => {
  const value = collateral[part]
  if (!(value instanceof Uint8Array)) return writePem(value)
  return KINDS[part] === 'document' ? readText(value as Bytes, `$.${fieldOf(part)}`) : toHex(value)
}

/** Certificates as PEM: lines of 64 digits, a line feed behind each. */
export const writePem = (certificates: readonly Bytes[]): string =>
  certificates.map((der) => `-----BEGIN CERTIFICATE-----\n${lines(der)}-----END CERTIFICATE-----\n`).join('')

const lines = (der: Bytes): string =>
  Buffer.from(der)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n')
