import { type Bytes, fromHex, utf8 } from '../../../client/primitives/bytes.ts'

// Answers of a PCCS, as files, from collateral in one JSON object.

export type CollateralJson = Readonly<Record<string, string>>

/** Every byte but digits and letters escaped, as Intel's service escapes a chain. */
export const escaped = (pem: string): string =>
  encodeURIComponent(pem).replace(/[-'()*!.~_]/g, (one) => `%${one.charCodeAt(0).toString(16)}`)

const headers = (name: string, value: string): Bytes =>
  utf8(`HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n${name}: ${value}\r\n\r\n`)

/** Five bodies and the headers of all but the root's CRL. The documents are put in as text: what is signed stays as it is. */
export const pccsFiles = (json: CollateralJson): Map<string, Bytes> => {
  const of = (name: string): string => json[name] ?? ''
  const files = new Map<string, Bytes>([
    ['tcb', utf8(`{"tcbInfo":${of('tcb_info')},"signature":"${of('tcb_info_signature')}"}`)],
    ['tcb.headers', headers('TCB-Info-Issuer-Chain', escaped(of('tcb_info_issuer_chain')))],
    ['qe', utf8(`{ "enclaveIdentity" : ${of('qe_identity')} ,\n "signature" : "${of('qe_identity_signature')}" }\n`)],
    ['qe.headers', headers('SGX-Enclave-Identity-Issuer-Chain', escaped(of('qe_identity_issuer_chain')))],
    ['pckcrl', fromHex(of('pck_crl'))],
    ['pckcrl.headers', headers('sgx-pck-crl-issuer-chain', escaped(of('pck_crl_issuer_chain')))],
    ['rootcacrl', utf8(of('root_ca_crl'))],
  ])
  const pck = json.pck_certificate_chain
  if (pck === undefined) return files
  const [leaf = '', ...issuers] = pck.split(/(?<=-----END CERTIFICATE-----\n)/)
  files.set('pckcert', utf8(leaf))
  return files.set('pckcert.headers', headers('SGX-PCK-Certificate-Issuer-Chain', escaped(issuers.join(''))))
}
