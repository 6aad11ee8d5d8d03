import { type Bytes, toHex } from '../../primitives/bytes.ts'
import type { Collateral } from './content.ts'
import { readText } from './json.ts'
import { writePem } from './pem.ts'
import { FORMS, fieldOf, PARTS, type Part, PCK_CHAIN } from './read.ts'

/**
 * Collateral as JSON again, in one form: keys in the format's order, no white space between them, hex in lower case, PEM in lines of 64.
 * {@link readCollateral} gives the same collateral back, with the same hash.
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
  return FORMS[part] === 'document' ? readText(value as Bytes, `$.${fieldOf(part)}`) : toHex(value)
}
