// Golden vectors for the formulas of IDENTITY.md that identity-vectors.json leaves out: fingerprints, ticket issuers, tickets, TDX.
// A second implementation on purpose: it shares a hash function with client/ and nothing else, so agreement is not self-agreement.
// Regenerate: node test/vectors/identity-extra.mjs > test/vectors/identity-extra.json
import { blake3 } from '@noble/hashes/blake3.js'

const H = (...parts) => blake3(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part))))
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const raw = (text) => Buffer.from(text, 'hex')
const filled = (n, byte) => Buffer.alloc(n, byte)

const uleb = (n) => Buffer.from(n < 128 ? [n] : [(n & 127) | 128, n >> 7])
const text = (value) => Buffer.concat([uleb(Buffer.byteLength(value)), Buffer.from(value)])
const le8 = (n) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(n))
  return bytes
}
const chain = (start, steps) => steps.reduce((parent, step) => H(parent, step), start)

const fingerprint = (schema, canonical) => ({
  schema,
  canonical,
  content: hex(H('coalition content v1|', schema, '|', raw(canonical))),
  acl: hex(H('coalition acl v1|', schema, '|', raw(canonical))),
})

const issuer = (name, keys, acl) => {
  const canonical = Buffer.concat([text(name), uleb(keys.length), ...keys.map(raw), raw(acl)])
  return { name, keys, acl, canonical: hex(canonical), issuerFingerprint: hex(H('coalition issuer v1|', canonical)) }
}

const CLASSES = { jwt: H('mosaik.tickets.jwt.v1'), tdx: H('mosaik.tee.tdx.ticket.v1') }
const ticket = (label, data) => {
  const ticketClass = CLASSES[label] ?? H(label)
  return { label, class: hex(ticketClass), data, ticketId: hex(H(ticketClass, raw(data))) }
}

const report = (peer, network, startedAt, quotedAt, expiresAt) => ({
  peer,
  network,
  startedAt,
  quotedAt,
  expiresAt,
  reportData: hex(chain(H('mosaik.tdx.ticket.extra'), [raw(peer), raw(network), le8(startedAt), le8(quotedAt), le8(expiresAt ?? 0)])),
})

const criteria = (values) => {
  const register = (name, filler) => (values[name] ? raw(values[name]) : filled(48, filler))
  const steps = [register('mrtd', 9), register('rtmr0', 1), register('rtmr1', 2), register('rtmr2', 3), register('rtmr3', 4)]
  return { ...values, signature: hex(chain(H('mosaik.tee.tdx.measurements-criteria.v1'), steps)) }
}

const validator = (baseline, variants, limits) => {
  const signatures = [baseline, ...variants].map((values) => raw(criteria(values).signature))
  const { maxAge, notBefore, maxLifetime } = limits
  const signature = hex(chain(CLASSES.tdx, [...signatures, le8(maxAge ?? 0), le8(notBefore ?? 0), le8(maxLifetime ?? 0)]))
  return { baseline, variants, ...limits, signature }
}

const key = (byte) => hex(filled(32, byte))
const register = (byte) => hex(filled(48, byte))
const NETWORK = hex(H('mosaik.universe'))
const ALL = { mrtd: register(0xa0), rtmr0: register(0xa1), rtmr1: register(0xa2), rtmr2: register(0xa3), rtmr3: register(0xa4) }

export const make = () => ({
  fingerprints: [
    fingerprint('tally content@1', ''),
    fingerprint('tally content@1', '00'),
    fingerprint('tally acl@1', '0001fe7f80'),
    fingerprint('γ@2', hex(filled(1_500, 0x5a))),
  ],
  issuers: [
    issuer('superchain-tickets', [key(1)], key(0xac)),
    issuer('superchain-tickets', [key(1), key(2)], key(0xac)),
    issuer('superchain-tickets', [key(2), key(1)], key(0xac)),
    issuer('superchain-tickets', [key(1), key(2)], key(0xad)),
    issuer('выпуск.é', [key(1), key(2)], key(0xac)),
    issuer('n'.repeat(64), Array.from({ length: 16 }, (_, i) => key(0x30 + i)), key(0xff)),
  ],
  tickets: [
    ticket('jwt', ''),
    ticket('jwt', hex(Buffer.from('eyJhbGciOiJFZERTQSJ9.e30.c2ln'))),
    ticket('tdx', hex(filled(4_096, 0x07))),
    ticket('example.ticket.v1', '00ff'),
  ],
  reports: [
    report(key(0x11), NETWORK, '1700000000', '1700000060', '1700086460'),
    report(key(0x11), NETWORK, '1700000000', '1700000060', null),
    report(key(0x12), key(0x77), '0', '18446744073709551615', '1'),
  ],
  criteria: [criteria({}), ...Object.entries(ALL).map(([name, value]) => criteria({ [name]: value })), criteria(ALL)],
  validators: [
    validator({}, [], {}),
    validator({ mrtd: ALL.mrtd }, [], {}),
    validator({ mrtd: ALL.mrtd }, [{ rtmr0: ALL.rtmr0 }, { rtmr1: ALL.rtmr1 }], {}),
    validator({ mrtd: ALL.mrtd }, [{ rtmr1: ALL.rtmr1 }, { rtmr0: ALL.rtmr0 }], {}),
    validator({}, [ALL], { maxAge: '86400' }),
    validator({}, [ALL], { notBefore: '86400' }),
    validator({}, [ALL], { maxLifetime: '86400' }),
    validator(ALL, [], { maxAge: '86400', notBefore: '1700000000', maxLifetime: '604800' }),
  ],
})

if (process.argv[1] === new URL(import.meta.url).pathname) process.stdout.write(`${JSON.stringify(make(), null, 1)}\n`)
