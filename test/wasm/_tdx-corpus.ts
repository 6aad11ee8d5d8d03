import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type Bytes, fromHex } from '../../client/primitives/bytes.ts'

// Quotes and collateral that lie beside the checkout, read in place.

/** A certificate or CRL, by where it was found: `case/part` and, in a chain, its place. */
export interface Document {
  readonly from: string
  readonly der: Bytes
}

/** A case: its folder, its quote, every certificate of every chain in quote and collateral, and its CRLs. */
export interface Case {
  readonly group: 'cases' | 'synthetic' | 'intel-sample'
  readonly name: string
  readonly quote: Bytes
  readonly certificates: readonly Document[]
  readonly crls: readonly Document[]
}

const ROOT = new URL('../../../shared/data/tdx/', import.meta.url)
const GROUPS = ['cases', 'synthetic', 'intel-sample'] as const

/** All of them, and none, said aloud, where there is no corpus. */
export const corpus = (): readonly Case[] => {
  if (!existsSync(ROOT)) {
    console.warn('no shared/data/tdx beside the checkout: what needs real quotes is skipped')
    return []
  }
  return GROUPS.flatMap((group) => {
    const folder = new URL(`${group}/`, ROOT)
    const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return names.map(({ name }) => caseOf(group, name, new URL(`${name}/`, folder)))
  })
}

const caseOf = (group: Case['group'], name: string, folder: URL): Case => {
  const quote = readFileSync(new URL('quote.bin', folder))
  const collateral: Record<string, string> = JSON.parse(readFileSync(new URL('collateral.json', folder), 'utf8'))
  const parts = Object.entries(collateral)
  return {
    group,
    name,
    quote: new Uint8Array(quote),
    certificates: [
      ...chain(`${name}/quote`, quote.toString('latin1')),
      ...parts.filter(([part]) => part.endsWith('_chain')).flatMap(([part, text]) => chain(`${name}/${part}`, text)),
    ],
    crls: parts.filter(([part]) => part.endsWith('_crl')).map(([part, text]) => ({ from: `${name}/${part}`, der: fromHex(text) })),
  }
}

const chain = (from: string, text: string): Document[] =>
  [...text.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)].map(([, body = ''], i) => ({
    from: `${from} ${i}`,
    der: new Uint8Array(Buffer.from(body, 'base64')),
  }))
