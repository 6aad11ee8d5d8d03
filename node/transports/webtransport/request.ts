import { H3, Http3Error } from './codes.ts'
import type { Field } from './static-table.ts'

// The request that opens a session: an extended CONNECT (RFC 9220) for the protocol `webtransport`.

export interface Request {
  readonly method: string
  readonly path: string
  /** What an extended CONNECT asks for, null for any other request. */
  readonly protocol: string | null
}

const PSEUDO: readonly string[] = [':method', ':scheme', ':authority', ':path', ':protocol']
// RFC 9110 section 5.6.2, without capitals: HTTP/3 has none in names (RFC 9114 section 4.2).
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
// Section 5.5.
const FORBIDDEN = /[\0\r\n]/
/** Fields of a connection, which HTTP/3 has not (RFC 9114 section 4.2). */
const HOP_BY_HOP: readonly string[] = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']

/** @throws Http3Error with H3_MESSAGE_ERROR for a malformed request (RFC 9114 section 4.1.2) */
export const readRequest = (fields: readonly Field[]): Request => {
  const pseudo = new Map<string, string>()
  let isRegular = false
  for (const [at, [name, value]] of fields.entries()) {
    if (FORBIDDEN.test(value)) throw malformed(at, 'has a value with a control character')
    if (!name.startsWith(':')) {
      isRegular = true
      if (!NAME.test(name) || HOP_BY_HOP.includes(name)) throw malformed(at, 'has a name that is not allowed')
      continue
    }
    if (isRegular || pseudo.has(name) || !PSEUDO.includes(name)) throw malformed(at, 'is a pseudo-field out of place')
    pseudo.set(name, value)
  }
  const method = pseudo.get(':method')
  const path = pseudo.get(':path')
  if (!method) throw malformed(fields.length, 'there is no :method')
  // A plain CONNECT asks a proxy for a tunnel and has no path; it is refused like any other request.
  if (path === undefined ? method !== 'CONNECT' : path === '') throw malformed(fields.length, 'there is no :path')
  return { method, path: path ?? '', protocol: pseudo.get(':protocol') ?? null }
}

const malformed = (at: number, problem: string): Http3Error => new Http3Error(H3.message, `field ${at} of a request`, 0, problem)
