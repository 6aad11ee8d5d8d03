import { multiaddr } from '@multiformats/multiaddr'
import { base64urlnopad } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isError } from '../../client/error.ts'
import { type Address, asAddress, mayDial, peerIdOf, peerOf, readAddress } from '../../client/network/address.ts'
import { fixed } from '../../client/network/candidates.ts'
import { readIp6 } from '../../client/network/ip.ts'

// PROTOCOL.md section 5 and issue 7, "Security": what strangers tell is read strictly, and dialled only where it may lead.

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
const ID = peerIdOf(KEY)
const hashOf = (seed: number): string => `u${base64urlnopad.encode(Uint8Array.from([0x12, 0x20, ...Array<number>(32).fill(seed)]))}`
const HASH = hashOf(7)

const problemOf = (text: string): unknown => {
  try {
    readAddress(text)
  } catch (error) {
    return isError(error, 'Network.AddressError') ? [error.facts.offset, error.facts.problem] : error
  }
  throw new Error(`${text} was read`)
}

describe('readAddress', () => {
  it.each([
    [`/ip4/93.184.216.34/tcp/4001/p2p/${ID}`, 'tcp', '93.184.216.34', 4001, 'public'],
    [`/ip4/127.0.0.1/tcp/65535/ws/p2p/${ID}`, 'ws', '127.0.0.1', 65_535, 'loopback'],
    [`/dns4/member.example/tcp/443/wss/p2p/${ID}`, 'wss', 'member.example', 443, 'name'],
    [`/dns/member.example/tcp/443/tls/ws/p2p/${ID}`, 'wss', 'member.example', 443, 'name'],
    [`/ip4/127.0.0.1/tcp/443/tls/sni/member.example/ws/p2p/${ID}`, 'wss', 'member.example', 443, 'name'],
    [`/ip6/2a00:1450::1/udp/1/webrtc-direct/certhash/${HASH}/p2p/${ID}`, 'webrtc-direct', '2a00:1450::1', 1, 'public'],
    [`/ip4/10.0.0.1/udp/9/quic-v1/webtransport/certhash/${HASH}/certhash/${hashOf(8)}/p2p/${ID}`, 'webtransport', '10.0.0.1', 9, 'private'],
  ])('reads %s', (text, transport, host, port, reach) => {
    expect(readAddress(text)).toEqual({ text, peer: KEY, transport, host, port, reach })
  })

  it.each([
    ['', 0, /ip4, ip6 or dns/],
    ['nonsense', 0, /ip4/],
    [`/ip4/127.0.0.1/tcp/1/ws`, 23, /\/p2p/],
    [`/ip4/127.0.0.1/tcp/1/ws/p2p/`, 28, /peer id/],
    [`/ip4/127.0.0.1/tcp/1/ws/p2p/${ID}x`, 28, /peer id/],
    [`/ip4/127.0.0.1/tcp/1/ws/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N`, 28, /Ed25519/],
    [`/ip4/127.0.0.1/tcp/1/ws/p2p/${ID}/`, 80, /end here/],
    [`/ip4/127.0.0.1/tcp/1/p2p/${ID}/p2p-circuit/p2p/${ID}`, 77, /end here/],
    [`/ip4/127.0.0.1/tcp/0/ws/p2p/${ID}`, 19, /no port/],
    [`/ip4/127.0.0.1/tcp/65536/ws/p2p/${ID}`, 19, /no port/],
    [`/ip4/127.0.0.1/tcp/080/ws/p2p/${ID}`, 19, /no port/],
    [`/ip4/127.1/tcp/80/ws/p2p/${ID}`, 5, /no IP address/],
    [`/ip4/0177.0.0.1/tcp/80/ws/p2p/${ID}`, 5, /no IP address/],
    [`/ip4/256.0.0.1/tcp/80/ws/p2p/${ID}`, 5, /no IP address/],
    [`/ip6/::1%eth0/tcp/80/ws/p2p/${ID}`, 5, /no IP address/],
    [`/ip6zone/eth0/ip6/::1/tcp/80/ws/p2p/${ID}`, 9, /not known/],
    [`/dnsaddr/member.example/p2p/${ID}`, 9, /not known/],
    [`/dns4/127.0.0.1/tcp/80/ws/p2p/${ID}`, 6, /host name/],
    [`/dns4/0x7f000001/tcp/80/ws/p2p/${ID}`, 6, /host name/],
    [`/dns4/user@host/tcp/80/ws/p2p/${ID}`, 6, /host name/],
    [`/dns4/${'a.'.repeat(130)}a/tcp/80/ws/p2p/${ID}`, 6, /host name/],
    [`/ip4/127.0.0.1/tcp/80/tls/sni/127.0.0.1/ws/p2p/${ID}`, 30, /host name/],
    [`/ip4/127.0.0.1/udp/1/webrtc-direct/p2p/${ID}`, 35, /certhash/],
    [`/ip4/127.0.0.1/udp/1/quic-v1/webtransport/p2p/${ID}`, 42, /certhash/],
    [`/ip4/127.0.0.1/udp/1/quic-v1/webtransport/certhash/uEiAA/p2p/${ID}`, 51, /SHA-256/],
    [`/ip4/127.0.0.1/udp/1/quic-v1/p2p/${ID}`, 29, /webtransport/],
    [`/ip4/127.0.0.1/udp/1/webrtc-direct/certhash/${HASH}/certhash/${HASH}/p2p/${ID}`, 92, /p2p/],
    [`/ip4/127.0.0.1/udp/1/quic-v1/webtransport${`/certhash/${HASH}`.repeat(5)}/p2p/${ID}`, 270, /more than 4/],
    [`/ip4/127.0.0.1/udp/1/ws/p2p/${ID}`, 21, /quic-v1/],
    [`/unix/tmp/tcp/1/p2p/${ID}`, 6, /not known/],
    [`/${'a'.repeat(600)}`, 0, /512/],
  ])('refuses %s', (text, offset, problem) => {
    expect(problemOf(text)).toEqual([offset, expect.stringMatching(problem)])
    expect(asAddress(text)).toBe(null)
  })

  it('reads what a multiaddr library reads too, and the same of it', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    const host = fc.oneof(
      fc.ipV4().map((ip) => `/ip4/${ip}`),
      fc.ipV6().map((ip) => `/ip6/${ip}`),
      fc.domain().map((name) => `/dns4/${name}`),
      fc.tuple(octet, octet, octet, octet).map((ip) => `/ip6/::ffff:${ip.join('.')}`),
    )
    const way = fc.oneof(
      fc.constantFrom('/tcp/1', '/tcp/2/ws', '/tcp/443/wss', '/tcp/443/tls/ws'),
      fc.constantFrom(`/udp/5/webrtc-direct/certhash/${HASH}`, `/udp/6/quic-v1/webtransport/certhash/${HASH}/certhash/${hashOf(1)}`),
    )
    let read = 0
    fc.assert(
      fc.property(host, way, (host, way) => {
        const address = asAddress(`${host}${way}/p2p/${ID}`)
        if (address === null) return
        read += 1
        const components = multiaddr(address.text).getComponents()
        // The library writes an IPv6 address in its own way: the bytes are compared.
        const [read4or6, found] = [address.host.includes(':') ? readIp6 : String, components[0]?.value ?? '']
        expect(read4or6(found)).toEqual(read4or6(address.host))
        expect(Number(components[1]?.value)).toBe(address.port)
        expect(components.at(-1)?.value).toBe(ID)
      }),
      { numRuns: 2_000 },
    )
    expect(read).toBeGreaterThan(500)
  })

  it('answers any text with an address or an AddressError', () => {
    const part = fc.oneof(
      fc.constantFrom(
        'ip4',
        'ip6',
        'dns',
        'tcp',
        'udp',
        'ws',
        'wss',
        'tls',
        'p2p',
        'certhash',
        'quic-v1',
        'webtransport',
        'webrtc-direct',
        ID,
        HASH,
        '1.2.3.4',
        '::1',
        '80',
        '',
      ),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
        const address = asAddress(`/${parts.join('/')}`)
        if (address !== null) expect(peerOf(address.text)).toEqual(address.peer)
      }),
      { numRuns: 5_000 },
    )
  })
})

const reach = (kind: string, ip: string): Address['reach'] | 'nobody' => asAddress(`/${kind}/${ip}/tcp/80/p2p/${ID}`)?.reach ?? 'nobody'

describe('the reach of an address (IANA special-purpose registries)', () => {
  it.each([
    ['loopback', ['127.0.0.1', '127.255.255.254']],
    ['nobody', ['0.0.0.0', '0.1.2.3', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255']],
    [
      'private',
      [
        '10.0.0.1',
        '172.16.0.1',
        '172.31.255.255',
        '192.168.1.1',
        '169.254.169.254',
        '100.64.0.1',
        '100.127.255.255',
        '198.18.0.1',
        '198.19.9.9',
        '192.0.2.1',
        '203.0.113.9',
      ],
    ],
    [
      'public',
      [
        '1.1.1.1',
        '172.15.0.1',
        '172.32.0.1',
        '100.63.0.1',
        '100.128.0.1',
        '192.167.0.1',
        '11.0.0.1',
        '128.0.0.1',
        '223.255.255.1',
        '198.20.0.1',
      ],
    ],
  ])('ip4 %s', (expected, ips) => {
    expect(ips.map((ip) => [ip, reach('ip4', ip)])).toEqual(ips.map((ip) => [ip, expected]))
    // The same behind every way to write an IPv4 address as an IPv6 one.
    for (const ip of ips) {
      const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number)
      const [high, low] = [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)]
      const forms = [`::ffff:${ip}`, `::ffff:${high}:${low}`, `0:0:0:0:0:FFFF:${high}:${low}`, `64:ff9b::${ip}`, `2002:${high}:${low}::1`]
      expect(forms.map((form) => [form, reach('ip6', form)])).toEqual(forms.map((form) => [form, expected]))
    }
  })

  it.each([
    ['loopback', ['::1', '0:0:0:0:0:0:0:1']],
    ['nobody', ['::', 'ff02::1', 'ff0e::1']],
    [
      'private',
      ['fe80::1', 'febf::1', 'fc00::1', 'fd12:3456::1', 'fec0::1', '2001::1', '2001:db8::1', '100::1', '::1.2.3.4', '4000::1', '3fff::1'],
    ],
    ['public', ['2a00:1450:4001::1', '2606:4700::1111', '2001:4860:4860::8888']],
  ])('ip6 %s', (expected, ips) => {
    expect(ips.map((ip) => [ip, reach('ip6', ip)])).toEqual(ips.map((ip) => [ip, expected]))
  })
})

describe('mayDial', () => {
  const all = ['loopback', 'private', 'public', 'name'] as const
  const allowed = (...bootstrap: readonly Address['reach'][]): readonly string[] =>
    all.filter((reach) => mayDial(bootstrap.map((reach) => ({ reach })))({ reach }))

  it('lets peers tell public addresses only', () => {
    expect(allowed('public')).toEqual(['public'])
    expect(allowed('name')).toEqual(['public'])
    expect(allowed()).toEqual(['public'])
    expect(allowed('loopback', 'public')).toEqual(['public'])
    expect(allowed('private', 'name')).toEqual(['public'])
  })

  it('stays where a network of one’s own is', () => {
    expect(allowed('loopback')).toEqual(['loopback', 'public'])
    expect(allowed('private', 'private')).toEqual(['private', 'public'])
    expect(allowed('private', 'loopback')).toEqual(['loopback', 'private', 'public'])
  })
})

describe('fixed', () => {
  it('puts a peer’s addresses together, each once', () => {
    const other = peerIdOf(KEY.map((byte) => byte + 1))
    const [ws, tcp, theirs] = [`/ip4/1.1.1.1/tcp/1/ws/p2p/${ID}`, `/ip4/1.1.1.1/tcp/2/p2p/${ID}`, `/ip4/1.1.1.1/tcp/3/p2p/${other}`]
    expect(fixed([ws, theirs, tcp, ws]).list()).toEqual([
      { peer: KEY, addresses: [ws, tcp] },
      { peer: KEY.map((byte) => byte + 1), addresses: [theirs] },
    ])
    expect(() => fixed([ws, 'nonsense'])).toThrow(/at 0/)
  })
})
