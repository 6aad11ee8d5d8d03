import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, fromHex, toHex, utf8 } from '../../../client/primitives/bytes.ts'
import { decodeCollateral } from '../../../client/verify/collateral/codec.ts'
import { type Collateral, collateralBytes, collateralHash, readCollateral } from '../../../client/verify/collateral/index.ts'
import * as pki from './_pki.ts'
import { encodeCollateral } from './_write.ts'

const given = pki.collateral({ pckCertificateChain: [pki.pckCertificate(), pki.authority, pki.root] })
const json = JSON.parse(encodeCollateral(given)) as Record<string, string>
const changed = (fields: Record<string, unknown>): string => JSON.stringify({ ...json, ...fields })

describe('collateral as JSON (MANIFEST.md, "Layout")', () => {
  it('is read from text, from bytes and from its value', () => {
    for (const source of [changed({}), utf8(changed({})), json]) expect(readCollateral(source)).toEqual(given)
  })

  it('is written in one form: no white space, lower case, the documents as they were signed', () => {
    expect(encodeCollateral(given)).toBe(JSON.stringify(json))
    expect(Object.keys(json)).toEqual([
      'pck_crl_issuer_chain',
      'root_ca_crl',
      'pck_crl',
      'tcb_info_issuer_chain',
      'tcb_info',
      'tcb_info_signature',
      'qe_identity_issuer_chain',
      'qe_identity',
      'qe_identity_signature',
      'pck_certificate_chain',
    ])
    expect(json.tcb_info).toBe(new TextDecoder().decode(given.tcbInfo))
    expect(Object.keys(JSON.parse(encodeCollateral(pki.collateral())) as object)).not.toContain('pck_certificate_chain')
  })

  // The byte classes in which two texts may differ and be the same collateral.
  it.each<readonly [what: string, text: string]>([
    ['hex in upper case', changed({ pck_crl: json.pck_crl?.toUpperCase(), tcb_info_signature: json.tcb_info_signature?.toUpperCase() })],
    ['white space between members', JSON.stringify(json, null, 2)],
    ['members in another order', JSON.stringify(Object.fromEntries(Object.entries(json).toReversed()))],
    ['PEM without line feeds and with zeros', changed({ pck_crl_issuer_chain: `${json.pck_crl_issuer_chain?.replaceAll('\n', '')}\0` })],
    ['escapes in strings', changed({}).replace('"root_ca_crl":"3', '"root_ca_crl":"\\u0033')],
  ])('keeps its hash with %s', (_what, text) => {
    expect(text).not.toBe(changed({}))
    expect(collateralHash(readCollateral(text))).toEqual(collateralHash(given))
  })

  it.each<readonly [what: string, source: unknown, message: string]>([
    ['a list', '[]', '$: expected an object, found a list'],
    ['nothing', undefined, '$: expected an object, found undefined'],
    ['text that is not JSON', '{', '$: '],
    ['text without a UTF-8 form', '"\ud800"', '$: lone surrogate at index 1'],
    ['a member that is misspelt', changed({ pck_certificate_chains: '' }), '$: no field is called "pck_certificate_chains"'],
    ['a member of the prototype’s name', `{"__proto__":${changed({})}}`, '$: no field is called "__proto__"'],
    ['a member twice', changed({}).replace('{', '{"pck_crl": "00",'), '$: a key stands twice'],
    ['deep nesting', changed({ x: 0 }).replace('"x":0', `"x":${'['.repeat(40)}`), 'nested deeper than 32'],
    ['3 MB', ' '.repeat(3_145_729), '$: 3145729 characters, at most 3145728 bytes'],
    ['3 MB of bytes', new Uint8Array(3_145_729), '$ at 3145728: 3145729 bytes, at most 3145728'],
    ...['pck_crl_issuer_chain', 'root_ca_crl', 'pck_crl', 'tcb_info', 'qe_identity_signature'].flatMap((field) => [
      [`no ${field}`, changed({ [field]: undefined }), `$.${field}: is missing`] as const,
      [`a number as ${field}`, changed({ [field]: 7 }), `$.${field}: expected text, found number`] as const,
    ]),
    ['a digit that is none', changed({ pck_crl: '3g' }), '$.pck_crl: character 1 is not a hex digit'],
    ['half a byte', changed({ root_ca_crl: '300' }), '$.root_ca_crl: 3 digits do not make whole bytes'],
    ['a prefix', changed({ root_ca_crl: '0x30' }), '$.root_ca_crl: character 1 is not a hex digit'],
    ['a letter that folds to a digit’s', changed({ root_ca_crl: '3\u0141' }), '$.root_ca_crl: character 1 is not a hex digit'],
    ['a CRL that is too long', changed({ pck_crl: '00'.repeat(327_681) }), '$.pck_crl: 655362 hex digits, at most 655360'],
    ['a short signature', changed({ tcb_info_signature: '00'.repeat(63) }), '$.tcb_info_signature: expected 128 hex digits, found 126'],
    [
      'a long signature',
      changed({ qe_identity_signature: '00'.repeat(65) }),
      '$.qe_identity_signature: expected 128 hex digits, found 130',
    ],
    ['a document that is too long', changed({ tcb_info: 'a'.repeat(262_145) }), '$.tcb_info: 262145 characters, at most 262144 bytes'],
    ['a document of too many bytes', changed({ tcb_info: 'é'.repeat(131_073) }), '$.tcb_info: 262146 bytes, at most 262144'],
    ['a document without a UTF-8 form', changed({ qe_identity: '\udc00' }), '$.qe_identity: lone surrogate at index 0'],
    ['a chain of none', changed({ tcb_info_issuer_chain: '' }), '$.tcb_info_issuer_chain at 0: holds no certificate'],
    ['a chain that is no PEM', changed({ pck_certificate_chain: 'AQID' }), '$.pck_certificate_chain at 0: -----BEGIN'],
  ])('is refused as %s', (_what, source, message) => {
    expect(() => readCollateral(source)).toThrow(
      expect.objectContaining({ name: 'Verify.CollateralFormatError', message: expect.stringContaining(message) }),
    )
  })

  it('is not written where a document has no text', () => {
    expect(() => encodeCollateral(pki.collateral({ tcbInfo: Uint8Array.of(0xff) }))).toThrow('$.tcb_info: is not UTF-8')
  })
})

describe('collateral as bytes', () => {
  it('comes back from its decoder', () => {
    for (const one of [given, pki.collateral()]) expect(decodeCollateral(collateralBytes(one))).toEqual(one)
  })

  const bytesUpTo = (max: number) => fc.uint8Array({ maxLength: max }).map((bytes): Bytes => new Uint8Array(bytes))
  // Lengths of one, two and three bytes of ULEB128.
  const sized = (max: number) =>
    fc.oneof(
      bytesUpTo(300),
      fc.constantFrom(127, 128, 16_383, 16_384, max).map((size) => new Uint8Array(size)),
    )
  const chain = fc.array(sized(16_384), { minLength: 1, maxLength: 8 })
  const signature = fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes): Bytes => new Uint8Array(bytes))
  const any: fc.Arbitrary<Collateral> = fc.record({
    ...{ pckCrlIssuerChain: chain, tcbInfoIssuerChain: chain, qeIdentityIssuerChain: chain, pckCertificateChain: fc.option(chain) },
    ...{ rootCaCrl: sized(327_680), pckCrl: sized(327_680), tcbInfo: sized(262_144), qeIdentity: sized(262_144) },
    ...{ tcbInfoSignature: signature, qeIdentitySignature: signature },
  })

  it('agrees with the decoder, whatever is in it', () => {
    fc.assert(
      fc.property(any, (one) => {
        expect(isDeepStrictEqual({ ...decodeCollateral(collateralBytes(one)) }, { ...one })).toBe(true)
      }),
    )
  })

  it('has its parts in the order of the wire, with lengths in ULEB128', () => {
    const [one, long] = [Uint8Array.of(7), new Uint8Array(16_384).fill(9)]
    const [r, s] = [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)]
    const parts = {
      ...{ pckCrlIssuerChain: [one, long], rootCaCrl: one, pckCrl: new Uint8Array(128).fill(3), tcbInfoIssuerChain: [one] },
      ...{ tcbInfo: utf8('{}'), tcbInfoSignature: r, qeIdentityIssuerChain: [one], qeIdentity: utf8('[]'), qeIdentitySignature: s },
    }
    const written = concat(
      ...[fromHex('020107808001'), long, fromHex('01078001'), parts.pckCrl, fromHex('010107027b7d'), r],
      ...[fromHex('010107025b5d'), s],
    )
    expect(collateralBytes({ ...parts, pckCertificateChain: null })).toEqual(concat(written, Uint8Array.of(0)))
    expect(collateralBytes({ ...parts, pckCertificateChain: [one] })).toEqual(concat(written, fromHex('01010107')))
  })

  const flip = (bytes: Bytes): Bytes => bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte))
  const others: readonly Partial<Collateral>[] = [
    ...(['rootCaCrl', 'pckCrl', 'tcbInfo', 'tcbInfoSignature', 'qeIdentity', 'qeIdentitySignature'] as const).map((key) => ({
      [key]: flip(given[key]),
    })),
    ...(['pckCrlIssuerChain', 'tcbInfoIssuerChain', 'qeIdentityIssuerChain'] as const).map((key) => ({
      [key]: [...given[key]].toReversed(),
    })),
    { pckCertificateChain: null },
    { rootCaCrl: given.pckCrl, pckCrl: given.rootCaCrl },
  ]

  it('has a hash of every part', () => {
    const hashes = [given, ...others.map((other) => ({ ...given, ...other }))].map((one) => toHex(collateralHash(one)))
    expect(new Set(hashes).size).toBe(others.length + 1)
  })

  it.each<readonly [what: string, changed: Partial<Collateral>]>([
    ['no certificate in a chain', { pckCrlIssuerChain: [] }],
    ['nine', { tcbInfoIssuerChain: Array.from({ length: 9 }, () => pki.root) }],
    ['a certificate that is too long', { qeIdentityIssuerChain: [new Uint8Array(16_385)] }],
    ['a certificate that is none', { qeIdentityIssuerChain: [pki.root, '' as never] }],
    ['a signature that is too short', { qeIdentitySignature: new Uint8Array(63) }],
    ['a signature that is too long', { tcbInfoSignature: new Uint8Array(65) }],
    ['a list that is too long', { pckCrl: new Uint8Array(327_681) }],
    ['a document that is too long', { tcbInfo: new Uint8Array(262_145) }],
    ['a document as text', { qeIdentity: '{}' as never }],
    ['bytes for a chain', { pckCrlIssuerChain: pki.root as never }],
    ['a chain for bytes', { pckCrl: [pki.root] as never }],
    ['a part left out', { rootCaCrl: undefined as never }],
    ['the chain that may be none left out', { pckCertificateChain: undefined as never }],
  ])('has none with %s', (_what, changed) => {
    const [part] = Object.keys(changed) as [string]
    const refusal = expect.objectContaining({ name: 'Verify.CollateralFormatError', path: expect.stringContaining(`Collateral.${part}`) })
    for (const hash of [collateralHash, collateralBytes]) expect(() => hash({ ...given, ...changed })).toThrow(refusal)
  })
})
