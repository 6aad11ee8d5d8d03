import { type Bytes, fromHex, utf8 } from '../../client/primitives/bytes.ts'
import { MAX_CRL } from '../../client/verify/collateral/content.ts'
import { type Collateral, CollateralFormatError } from '../../client/verify/collateral/index.ts'
import { MAX_PEM, readPem } from '../../client/verify/collateral/pem.ts'
import { fromBase64, fromText, TextBytesError } from '../text-bytes.ts'
import { type SignedDocument, signedMember } from './signed-json.ts'

// Collateral as a PCCS, or Intel's own service, hands it out: an answer for each part, with the chain of its signer in a header (Intel's "API
// Documentation for the Provisioning Certification Service", version 4). Nothing is verified here, and nothing is fetched.

/** One answer. */
export interface PccsAnswer {
  readonly body: Bytes
  /** By name in lower case, as {@link readHeaders} and `fetch` give them. */
  readonly headers: ReadonlyMap<string, string>
}

/** By name: a file's, or a path's of the service. */
export type PccsAnswers = ReadonlyMap<string, PccsAnswer>

const PARTS = {
  tcbInfo: 'TCB info',
  qeIdentity: 'QE identity',
  pckCrl: 'PCK CRL',
  rootCaCrl: 'root CA CRL',
  pckCertificate: 'PCK certificate',
} as const

type Part = keyof typeof PARTS

/** The headers that carry a chain, in lower case; the first two are of one thing in version 4 and before. */
const CHAIN_HEADERS: Readonly<Record<Exclude<Part, 'rootCaCrl'>, readonly string[]>> = {
  tcbInfo: ['tcb-info-issuer-chain', 'sgx-tcb-info-issuer-chain'],
  qeIdentity: ['sgx-enclave-identity-issuer-chain'],
  pckCrl: ['sgx-pck-crl-issuer-chain'],
  pckCertificate: ['sgx-pck-certificate-issuer-chain'],
}

/**
 * Puts collateral together. Which answer is which part follows from its header, or from its body where the root's CRL has none: names are
 * free. Each part must be there once, but the PCK certificate, which is needed only for quotes that do not carry their own.
 *
 * @throws CollateralFormatError naming the answer, and header or member in it
 */
export const collateralOf = (answers: PccsAnswers): Collateral => {
  const parts = sorted(answers)
  const [info, identity, crl, root] = [need(parts, 'tcbInfo'), need(parts, 'qeIdentity'), need(parts, 'pckCrl'), need(parts, 'rootCaCrl')]
  const tcbInfo = signedMember(info.body, 'tcbInfo', info.name)
  const qeIdentity = signedMember(identity.body, 'enclaveIdentity', identity.name)
  const pck = parts.get('pckCertificate')
  return {
    pckCrlIssuerChain: chainOf('pckCrl', crl),
    rootCaCrl: readCrlBody(root),
    pckCrl: readCrlBody(crl),
    tcbInfoIssuerChain: chainOf('tcbInfo', info),
    tcbInfo: tcbInfo.document,
    tcbInfoSignature: signatureOf(tcbInfo, info.name),
    qeIdentityIssuerChain: chainOf('qeIdentity', identity),
    qeIdentity: qeIdentity.document,
    qeIdentitySignature: signatureOf(qeIdentity, identity.name),
    pckCertificateChain: pck === undefined ? null : [...readPem(pck.body, pck.name), ...chainOf('pckCertificate', pck)],
  }
}

type NamedAnswer = PccsAnswer & { readonly name: string }

const sorted = (answers: PccsAnswers): ReadonlyMap<Part, NamedAnswer> => {
  const parts = new Map<Part, NamedAnswer>()
  for (const [name, answer] of answers) {
    const part = partOf(name, answer)
    const before = parts.get(part)
    // To choose would be to say which of two TCB infos counts.
    if (before !== undefined) throw new CollateralFormatError(name, null, `is a ${PARTS[part]}, as ${before.name} is: one of each is taken`)
    parts.set(part, { ...answer, name })
  }
  return parts
}

const partOf = (name: string, { headers, body }: PccsAnswer): Part => {
  const found = (Object.keys(CHAIN_HEADERS) as (keyof typeof CHAIN_HEADERS)[]).filter((part) =>
    CHAIN_HEADERS[part].some((header) => headers.has(header)),
  )
  if (found.length > 1) throw new CollateralFormatError(name, null, `has the headers of ${found.map((part) => PARTS[part]).join(' and ')}`)
  const [part] = found
  if (part !== undefined) return part
  // `{`, behind white space: a document whose header was lost, not a CRL.
  if (/^\s*\{/.test(new TextDecoder('latin1').decode(body.subarray(0, 64))))
    throw new CollateralFormatError(name, null, 'is JSON, and no header of it carries the chain of its signer')
  return 'rootCaCrl'
}

const need = (parts: ReadonlyMap<Part, NamedAnswer>, part: Exclude<Part, 'pckCertificate'>): NamedAnswer => {
  const found = parts.get(part)
  if (found !== undefined) return found
  const how = part === 'rootCaCrl' ? '' : `: an answer with a header ${CHAIN_HEADERS[part].join(' or ')}`
  throw new CollateralFormatError(PARTS[part], null, `is missing${how}`)
}

const chainOf = (part: Exclude<Part, 'rootCaCrl'>, { name, headers }: NamedAnswer): readonly Bytes[] => {
  const [header = '', more] = CHAIN_HEADERS[part].filter((one) => headers.has(one))
  const path = `${name}.headers.${header}`
  if (more !== undefined && headers.get(more) !== headers.get(header)) throw new CollateralFormatError(path, null, `and ${more} differ`)
  const value = headers.get(header) ?? ''
  // Every byte may have become three by the encoding.
  if (value.length > 3 * MAX_PEM) throw new CollateralFormatError(path, null, `${value.length} characters, at most ${3 * MAX_PEM}`)
  return readPem(utf8(unescaped(value, path)), path)
}

/** A plus is a digit of base64 here, not a space as in a form. */
const unescaped = (value: string, path: string): string => {
  try {
    return decodeURIComponent(value)
  } catch (cause) {
    throw new CollateralFormatError(path, null, 'is not percent-encoded UTF-8', cause)
  }
}

const signatureOf = ({ signature }: SignedDocument, name: string): Bytes => {
  if (!/^[0-9a-f]{128}$/i.test(signature)) throw new CollateralFormatError(`${name}.signature`, null, 'is not 128 hex digits')
  return fromHex(signature)
}

const PEM_CRL = /^\s*-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----\s*$/

/** DER of a CRL from DER, hex (a PCCS's root CRL) or PEM (what version 4 gives unless asked for DER). What stands in it is read later. */
const readCrlBody = ({ name, body }: NamedAnswer): Bytes => {
  if (body.length > 2 * MAX_CRL) throw new CollateralFormatError(name, null, `${body.length} bytes, at most ${2 * MAX_CRL}`)
  try {
    const [, digits] = PEM_CRL.exec(new TextDecoder('latin1').decode(body)) ?? []
    const der = digits === undefined ? (fromText(body) ?? body) : fromBase64(digits.replace(/\s+/g, ''))
    if (der.length === 0) throw new TextBytesError('is empty')
    if (der.length > MAX_CRL) throw new TextBytesError(`a CRL of ${der.length} bytes, at most ${MAX_CRL}`)
    return der
  } catch (thrown) {
    if (!(thrown instanceof TextBytesError)) throw thrown
    throw new CollateralFormatError(name, null, thrown.message, thrown)
  }
}

/** Most bytes of an answer's headers: chains, percent-encoded, have 7 kB. */
export const MAX_HEADERS = 262_144

/**
 * Headers as `curl -D FILE` writes them. Of several answers in a row, as redirects give, the last counts. A name that stands twice has its
 * values joined by ", ", as in `fetch`: a chain that was sent twice is none.
 *
 * @param path what they are called, for the error
 * @throws CollateralFormatError naming the line, and for an answer that says it failed
 */
export const readHeaders = (text: string, path: string): ReadonlyMap<string, string> => {
  if (text.length > MAX_HEADERS) throw new CollateralFormatError(path, null, `${text.length} characters, at most ${MAX_HEADERS}`)
  const headers = new Map<string, string>()
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const [status, code] = /^HTTP\/[0-9.]+ +([0-9]{3})/.exec(line) ?? []
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase()
    if (status !== undefined) {
      headers.clear()
      headers.set(STATUS, code ?? '')
    } else if (/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) {
      const before = headers.get(name)
      const value = line.slice(colon + 1).trim()
      headers.set(name, before === undefined ? value : `${before}, ${value}`)
    } else if (line !== '') throw new CollateralFormatError(path, null, `line ${i + 1} is no header`)
  }
  const code = headers.get(STATUS)
  if (code !== undefined && code !== '200') throw new CollateralFormatError(path, null, `the answer has status ${code}`)
  headers.delete(STATUS)
  return headers
}

/** No header's name: it has a space. */
const STATUS = 'http status'
