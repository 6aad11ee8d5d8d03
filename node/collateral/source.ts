import { decodeTdxTicket } from '../../client/coalition/tickets/tdx-ticket.ts'
import type { Host } from '../../client/network/host.ts'
import { type Bytes, toHex } from '../../client/primitives/bytes.ts'
import { type Collateral, CollateralFormatError, readPem } from '../../client/verify/collateral/index.ts'
import { readCertificate } from '../../wasm/certificate.ts'
import { readQuote } from '../../wasm/quote.ts'
import { fetchCollateral, type PccsMemory, type PccsPlatform, pccsUrl } from './fetch.ts'
import { readCollateralAt } from './folder.ts'
import type { KeepOptions } from './keep.ts'

/** Milliseconds between two looks at a file. */
const FILE_MS = 10_000

export interface LoaderOptions {
  readonly host: Pick<Host, 'after'>
  /** Data of the member's ticket, whose quote names the platform; null while there is none. */
  readonly ticket: () => Bytes | null
}

/**
 * Where a member's collateral comes from: a file, a folder of a PCCS's answers, or a PCCS.
 *
 * @throws PccsError for an address that is none
 */
export const loaderOf = (from: string, { host, ticket }: LoaderOptions): Pick<KeepOptions, 'load' | 'every'> => {
  if (!/^https?:\/\//i.test(from)) return { load: () => readCollateralAt(from), every: FILE_MS }
  const base = pccsUrl(from)
  const memory: PccsMemory = new Map()
  const load = async (signal: AbortSignal): Promise<Collateral> => {
    const data = ticket()
    if (data === null) throw new CollateralFormatError('ticket', null, 'is not there yet: its quote names the platform to ask for')
    return fetchCollateral(base, platformOf(data), memory, { host, signal })
  }
  return { load, every: null }
}

/**
 * The platform that a ticket's quote was made on, by the PCK certificate in it. Not verified: who lies asks for the wrong collateral.
 *
 * @throws DecodeError, QuoteFormatError, CollateralFormatError
 */
export const platformOf = (ticket: Bytes): PccsPlatform => {
  const { type, data } = readQuote(decodeTdxTicket(ticket).quote).signature.certification.pck
  const path = 'ticket.quote.signature.certification.pck'
  const [leaf] = type === 5 ? readPem(data, path) : []
  if (leaf === undefined)
    throw new CollateralFormatError(path, null, `is of type ${type}: only a chain of certificates, type 5, names a platform`)
  const { sgx, issuer } = readCertificate(leaf)
  if (sgx === null) throw new CollateralFormatError(path, null, 'begins with a certificate that names no platform')
  return { fmspc: toHex(sgx.fmspc), ca: /\bProcessor\b/.test(issuer.commonName ?? '') ? 'processor' : 'platform' }
}
