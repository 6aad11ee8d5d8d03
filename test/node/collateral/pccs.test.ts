import { describe, expect, it } from 'vitest'
import { type Bytes, fromHex, toHex, utf8 } from '../../../client/primitives/bytes.ts'
import { collateralHash, readCollateral } from '../../../client/verify/collateral/index.ts'
import { collateralOf, type PccsAnswer, readHeaders } from '../../../node/collateral/pccs.ts'
import { newPki, pem, writeCollateral } from '../../verify/_collateral-writer.ts'
import { quoteCases } from '../../verify/quote/_cases.ts'
import { type CollateralJson, escaped, pccsFiles } from './_pccs-writer.ts'

// TDX.md section 5: collateral by a PCCS's answers is the same, byte for byte of what was signed, as in one object.

const AT = Date.UTC(2026, 5, 1) / 1000
const pki = newPki(AT)
const json: CollateralJson = JSON.parse(writeCollateral(pki, { members: { pck_certificate_chain: pem(pki.pck, pki.authority, pki.root) } }))

const text = (bytes: Bytes | undefined): string => new TextDecoder().decode(bytes)

const answersOf = (files: ReadonlyMap<string, Bytes>): ReadonlyMap<string, PccsAnswer> =>
  new Map(
    [...files]
      .filter(([name]) => !name.endsWith('.headers'))
      .map(([name, body]) => [name, { body, headers: readHeaders(text(files.get(`${name}.headers`)), `${name}.headers`) }]),
  )

/** The set with some files in place of the right ones; null takes one out. */
const withFiles = (changes: Readonly<Record<string, Bytes | string | null>>): ReadonlyMap<string, PccsAnswer> => {
  const files = pccsFiles(json)
  for (const [name, content] of Object.entries(changes)) {
    if (content === null) files.delete(name)
    else files.set(name, typeof content === 'string' ? utf8(content) : content)
  }
  return answersOf(files)
}

const hashOf = (answers: ReadonlyMap<string, PccsAnswer>): string => toHex(collateralHash(collateralOf(answers)))
const whole = toHex(collateralHash(readCollateral(JSON.stringify(json))))
const pemCrl = (hex: string): string =>
  `-----BEGIN X509 CRL-----\n${Buffer.from(hex, 'hex').toString('base64').replace(/.{64}/g, '$&\n')}\n-----END X509 CRL-----\n`

describe('a set of answers', () => {
  it('is the collateral that the same parts make in one object', () => {
    expect(hashOf(withFiles({}))).toBe(whole)
  })

  it.each([
    ['CRLs as PEM', { pckcrl: pemCrl(json.pck_crl as string), rootcacrl: pemCrl(json.root_ca_crl as string) }],
    ['CRLs as hex in upper case and on two lines', { pckcrl: `${json.pck_crl?.toUpperCase().replace(/^.{64}/, '$&\n')}\n` }],
    ['the root CRL as DER', { rootcacrl: fromHex(json.root_ca_crl as string) }],
    [
      'the chain under the name of version 3',
      { 'tcb.headers': `SGX-TCB-Info-Issuer-Chain: ${escaped(json.tcb_info_issuer_chain as string)}\n` },
    ],
    ['a redirect before the answer', { 'tcb.headers': `HTTP/2 301\nLocation: /v4\n\n${text(pccsFiles(json).get('tcb.headers'))}` }],
    ['a key with an escape in it', { tcb: text(pccsFiles(json).get('tcb')).replace('"tcbInfo"', '"tcbInf\\u006f"') }],
    ['the signature before the document', { qe: `{"signature":"${json.qe_identity_signature}","enclaveIdentity":${json.qe_identity}}` }],
  ] as const)('is the same with %s', (_, changes) => {
    expect(hashOf(withFiles(changes))).toBe(whole)
  })

  it('keeps white space and order inside of a document, which are signed, and braces and quotes in its strings', () => {
    const document = '{ "id" : "}\\"{" ,\n  "z":[{"a":"]"}], "a": 1 }'
    const { tcbInfo } = collateralOf(withFiles({ tcb: `{"tcbInfo":  ${document}\n,"signature":"${json.tcb_info_signature}"}` }))
    expect(text(tcbInfo)).toBe(document)
  })

  it('has no PCK chain where no answer holds one', () => {
    expect(collateralOf(withFiles({ pckcert: null, 'pckcert.headers': null })).pckCertificateChain).toBeNull()
  })
})

describe('what is no set of answers is refused, and the message says where', () => {
  const chain = escaped(json.tcb_info_issuer_chain as string)
  it.each([
    [
      'two TCB infos',
      { again: text(pccsFiles(json).get('tcb')), 'again.headers': `TCB-Info-Issuer-Chain: ${chain}` },
      /^again: is a TCB info, as tcb is/,
    ],
    ['no QE identity', { qe: null, 'qe.headers': null }, /^QE identity: is missing: .*sgx-enclave-identity-issuer-chain/],
    ['no root CRL', { rootcacrl: null }, /^root CA CRL: is missing$/],
    ['a document whose header was lost', { rootcacrl: null, 'tcb.headers': null }, /^tcb: is JSON, and no header/],
    [
      'a chain sent twice',
      { 'tcb.headers': `TCB-Info-Issuer-Chain: ${chain}\nTCB-Info-Issuer-Chain: ${chain}` },
      /^tcb\.headers\.tcb-info-issuer-chain at \d+:/,
    ],
    [
      'two chains that differ',
      { 'tcb.headers': `TCB-Info-Issuer-Chain: ${chain}\nSGX-TCB-Info-Issuer-Chain: x` },
      /sgx-tcb-info-issuer-chain differ/,
    ],
    [
      'headers of two parts',
      { 'tcb.headers': `TCB-Info-Issuer-Chain: ${chain}\nSGX-PCK-CRL-Issuer-Chain: x` },
      /^tcb: has the headers of TCB info and PCK CRL/,
    ],
    ['a broken escape', { 'tcb.headers': 'TCB-Info-Issuer-Chain: %2' }, /percent-encoded/],
    ['a chain that is too long', { 'tcb.headers': `TCB-Info-Issuer-Chain: ${'%20'.repeat(65_537)}` }, /196611 characters/],
    ['headers that are too long', { 'tcb.headers': `x: ${'a'.repeat(262_144)}` }, /^tcb\.headers: 262147 characters/],
    ['an answer that failed', { 'tcb.headers': 'HTTP/1.1 404 Not Found\r\n' }, /^tcb\.headers: the answer has status 404/],
    ['a line that is no header', { 'tcb.headers': 'TCB-Info\n folded' }, /^tcb\.headers: line 1 is no header/],
    ['a member beside the two', { tcb: `{"tcbInfo":{},"signature":"","more":1}` }, /^tcb: no member is called "more"/],
    ['a key that stands twice', { tcb: `{"tcbInfo":{},"tcbInfo":{"a":1},"signature":""}` }, /^tcb: a key stands twice/],
    ['a document that is text', { tcb: `{"tcbInfo":"{}","signature":"00"}` }, /^tcb\.tcbInfo: is no JSON object/],
    ['no document', { tcb: `{"signature":"00"}` }, /^tcb\.tcbInfo: is no JSON object/],
    ['no signature', { tcb: `{"tcbInfo":{}}` }, /^tcb\.signature: is no text/],
    ['a signature of another length', { tcb: `{"tcbInfo":{},"signature":"00"}` }, /^tcb\.signature: is not 128 hex digits/],
    ['a list', { tcb: '[]' }, /^tcb at 0: is no JSON object/],
    ['deep nesting', { tcb: `{"tcbInfo":${'['.repeat(100_000)}` }, /^tcb at \d+: nested deeper than 32/],
    ['a document that is too large', { tcb: ' '.repeat(266_241) }, /^tcb at 266240: 266241 bytes/],
    ['an empty CRL', { pckcrl: '' }, /^pckcrl: is empty/],
    ['a CRL of half a byte', { pckcrl: '308' }, /^pckcrl: hex of 3 digits/],
    [
      'a PEM CRL with bits left over',
      { pckcrl: '-----BEGIN X509 CRL-----\nMB==\n-----END X509 CRL-----' },
      /^pckcrl: base64 that does not end/,
    ],
    ['a CRL that is too large', { pckcrl: new Uint8Array(327_681) }, /^pckcrl: a CRL of 327681 bytes/],
  ] as const)('%s', (_, changes, message) => {
    expect(() => collateralOf(withFiles(changes))).toThrow(
      expect.objectContaining({ name: 'Verify.CollateralFormatError', message: expect.stringMatching(message) }),
    )
  })
})

const real = quoteCases().filter(({ group }) => group !== 'synthetic')
describe.skipIf(real.length === 0)('collateral of the corpus, taken apart into answers', () => {
  it.each(real.map((one) => [one.name, one.collateral] as const))('%s', (_, collateral) => {
    const files = pccsFiles(JSON.parse(collateral) as CollateralJson)
    expect(hashOf(answersOf(files))).toBe(toHex(collateralHash(readCollateral(collateral))))
  })
})
