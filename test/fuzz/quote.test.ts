import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { concat, toHex, utf8 } from '../../client/primitives/bytes.ts'
import { inspectAttestation } from '../../client/verify/quote/index.ts'
import { joinDer, joinQuote, ORDER, otherS, type QuoteParts, splitDer, splitQuote } from './_quote-parts.ts'
import { mocks, type Original, originalOf } from './_quote-seeds.ts'
import { type Attested, CLASSES, type Class, decodeAttested, explain, knownOf } from './_quote-value.ts'

// docs/quotes.md, "What may differ and still be the same", by hand: the fuzz says that nothing else passes, this that the list is no longer
// than it must be.

const candidates = mocks()
const named = async (name: string): Promise<Original> => {
  const candidate = candidates.find((one) => one.name === name)
  const found = candidate && (await originalOf(candidate))
  if (!found) throw new Error(`no accepted quote ${name}`)
  return found
}

type Members = Readonly<Record<string, string>>
type Change = (original: Original, other: Original) => Attested

const members = ({ collateral }: Attested): Members => JSON.parse(Buffer.from(collateral).toString())
const inText =
  (change: (text: string) => string): Change =>
  ({ quote, collateral }) => ({ quote, collateral: utf8(change(Buffer.from(collateral).toString())) })
const inMembers =
  (change: (all: Members, other: Members) => object): Change =>
  (original, other) => ({ quote: original.quote, collateral: utf8(JSON.stringify(change(members(original), members(other)))) })
const inQuote =
  (change: (parts: QuoteParts) => Partial<QuoteParts>): Change =>
  ({ quote, collateral }) => {
    const parts = splitQuote(quote)
    if (parts === null) throw new Error('no quote')
    return { quote: joinQuote({ ...parts, ...change(parts) }), collateral }
  }

const bytesOf = (hex = ''): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(hex, 'hex'))
const otherOf = (der: Uint8Array<ArrayBuffer>): string => {
  const parts = splitDer(der)
  return toHex(parts ? joinDer({ ...parts, s: ORDER - parts.s }) : der)
}
const reversed = (pem = ''): string =>
  pem
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .reverse()
    .join('')

const SAME: readonly (readonly [name: Class, change: Change])[] = [
  ['bytes behind the quote', inQuote(({ trailing }) => ({ trailing: concat(trailing, Uint8Array.of(1, 2, 3)) }))],
  ['high and low s', inQuote(({ value }) => ({ value: otherS(value) }))],
  ['high and low s', inQuote(({ qeSignature }) => ({ qeSignature: otherS(qeSignature) }))],
  ['high and low s', inMembers((all) => ({ ...all, tcb_info_signature: toHex(otherS(bytesOf(all.tcb_info_signature))) }))],
  ['high and low s', inMembers((all) => ({ ...all, pck_crl: otherOf(bytesOf(all.pck_crl)) }))],
  ['hex case', inMembers((all) => ({ ...all, root_ca_crl: all.root_ca_crl?.toUpperCase() }))],
  ['JSON white space', inText((text) => ` ${text.replace('{', '{\r\n\t')}\n`)],
  ['JSON escapes', inText((text) => text.replace('Intel', '\\u0049ntel').replace('pck_crl', 'p\\u0063k_crl').replaceAll('/', '\\/'))],
  ['order of members', inMembers((all) => Object.fromEntries(Object.entries(all).reverse()))],
  ['null for a missing member', inMembers((all) => ({ ...all, pck_certificate_chain: null }))],
  ['PEM white space', inMembers((all) => ({ ...all, pck_crl_issuer_chain: all.pck_crl_issuer_chain?.replaceAll('\n', ' \r\n\t') }))],
  ['PEM white space', inQuote(({ pck }) => ({ pck: utf8(Buffer.from(pck).toString().trimEnd()) }))],
  ['zeros behind PEM', inQuote(({ pck }) => ({ pck: concat(pck, new Uint8Array(2)) }))],
  ['order of certificates', inMembers((all) => ({ ...all, tcb_info_issuer_chain: reversed(all.tcb_info_issuer_chain) }))],
  ['PCK data that is not used', inMembers((all, other) => ({ ...all, pck_certificate_chain: other.pck_certificate_chain }))],
  ["another original's part", inMembers((all, other) => ({ ...all, pck_crl: other.pck_crl }))],
]

describe('what may differ and still be the same', () => {
  it.each(SAME.map(([name, change], i) => [i, name, change] as const))('%i: %s', async (_, name, change) => {
    const original = await named('v4')
    const other = await named('v4 with its chain in the collateral, issued anew')
    const mutant = change(original, other)
    expect(mutant).not.toEqual({ quote: original.quote, collateral: original.collateral })
    expect((await inspectAttestation(mutant.quote, mutant.collateral, original.options)).accepted).toBe(true)
    expect(explain(original.decoded, decodeAttested(mutant), knownOf([original.decoded, other.decoded]))).toEqual([name])
  })

  it('every class is listed in docs/quotes.md, in this order, and shown here', () => {
    const text = readFileSync(new URL('../../docs/quotes.md', import.meta.url), 'utf8')
    const section = text.split('## What may differ and still be the same')[1]?.split('\n## ')[0] ?? ''
    const rows = [...section.matchAll(/^\| ([^|]+) \|/gm)].map(([, name]) => name).filter((name) => name !== 'class')
    expect(rows).toEqual([...CLASSES])
    expect([...new Set(SAME.map(([name]) => name))]).toEqual([...CLASSES])
  })
})

describe('the judge of the fuzz', () => {
  const judged = async (change: Change): Promise<readonly Class[] | string> => {
    const original = await named('v4')
    return explain(original.decoded, decodeAttested(change(original, original)), knownOf([original.decoded]))
  }

  it.each<readonly [string, Change, RegExp]>([
    ['a bit of the body', inQuote(({ signed }) => ({ signed: signed.with(60, 1) })), /another quote:/],
    ['a bit of a key', inQuote(({ key }) => ({ key: key.with(0, (key[0] as number) ^ 1) })), /another quote:/],
    ['another auth', inQuote(() => ({ auth: new Uint8Array(1) })), /another quote\.qe:/],
    ['a space inside of a document', inMembers((all) => ({ ...all, tcb_info: `${all.tcb_info} ` })), /another tcb_info:/],
    [
      'words before PEM',
      inMembers((all) => ({ ...all, pck_crl_issuer_chain: `x${all.pck_crl_issuer_chain}` })),
      /another pck_crl_issuer_chain:/,
    ],
    ['a member too many', inMembers((all) => ({ ...all, more: '1' })), /another more:/],
    ['a missing CRL', inMembers(({ pck_crl: _, ...rest }) => rest), /another pck_crl:/],
    ['a byte behind DER', inMembers((all) => ({ ...all, pck_crl: `${all.pck_crl}00` })), /another pck_crl:/],
  ])('would find %s', async (_, change, problem) => {
    expect(await judged(change)).toMatch(problem)
  })

  it('would find bytes that differ in no class', async () => {
    expect(await judged(inText((text) => text))).toMatch(/in no class/)
  })
})
