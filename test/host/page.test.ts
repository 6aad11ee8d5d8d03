import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PageServer, servePage } from '../../node/devnet/page.ts'
import { policyFor } from '../../node/devnet/policy.ts'

const MEMBER = '/ip4/127.0.0.1/tcp/4001/ws/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
let outside: string
let server: PageServer

beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), 'page-'))
  const folder = join(outside, 'built')
  await mkdir(join(folder, 'assets'), { recursive: true })
  await writeFile(join(outside, 'secret.json'), 'secret')
  await writeFile(join(folder, 'index.html'), '<!doctype html>')
  await writeFile(join(folder, 'assets/a-1234.js'), 'export {}')
  await writeFile(join(folder, 'key.pem'), 'secret')
  await symlink(join(outside, 'secret.json'), join(folder, 'link.json'))
  server = await servePage({ folder, handshake: { bootstrap: [MEMBER], tally: { any: '1' } } })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(outside, { recursive: true })
})

interface Got {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** Without the URL parser between: it would tidy the paths that are under test. */
const get = (path: string, options: { readonly method?: string; readonly host?: string } = {}): Promise<Got> => {
  const { hostname, port, host } = new URL(server.url)
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method: options.method ?? 'GET', headers: { host: options.host ?? host } }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
      .on('error', reject)
      .end()
  })
}

describe('the page server', () => {
  it.each([
    ['/', 'text/html; charset=utf-8', '<!doctype html>', 'no-store'],
    ['/?x=1', 'text/html; charset=utf-8', '<!doctype html>', 'no-store'],
    ['/assets/a-1234.js', 'text/javascript; charset=utf-8', 'export {}', 'public, max-age=31536000, immutable'],
    ['/handshake.json', 'application/json; charset=utf-8', JSON.stringify({ bootstrap: [MEMBER], tally: { any: '1' } }), 'no-store'],
  ])('serves %s as what it is, under a policy', async (path, type, body, cache) => {
    const got = await get(path)
    expect(got).toMatchObject({
      status: 200,
      body,
      headers: { 'content-type': type, 'cache-control': cache, 'x-content-type-options': 'nosniff' },
    })
    expect(got.headers['content-security-policy']).toBe(policyFor([MEMBER]))
  })

  it.each([
    '/../secret.json',
    '/%2e%2e/secret.json',
    '/..%2fsecret.json',
    '/assets/../../secret.json',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.json',
    '//etc/passwd',
    '/..\\secret.json',
    '/link.json',
    '/key.pem',
    '/assets',
    '/assets/',
    '/%',
    '/%00.html',
    'http://127.0.0.1/../secret.json',
  ])('gives nothing away for %s', async (path) => {
    const got = await get(path)
    expect([400, 404]).toContain(got.status)
    expect(got.body).toBe('')
  })

  it('refuses other names for itself, other methods, and sends no body for HEAD', async () => {
    expect((await get('/', { host: 'attacker.example' })).status).toBe(421)
    expect((await get('/', { method: 'POST' })).status).toBe(405)
    expect(await get('/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
  })

  it('reads a handshake file anew', async () => {
    const handshake = join(outside, 'handshake.json')
    await writeFile(handshake, JSON.stringify({ bootstrap: [] }))
    await using other = await servePage({ folder: join(outside, 'built'), handshake })
    expect(await (await fetch(`${other.url}handshake.json`)).json()).toEqual({ bootstrap: [] })
    await writeFile(handshake, JSON.stringify({ bootstrap: [MEMBER] }))
    expect(await (await fetch(`${other.url}handshake.json`)).json()).toEqual({ bootstrap: [MEMBER] })
  })

  it('says what to do when there is no page, or no port', async () => {
    const handshake = { bootstrap: [] }
    await expect(servePage({ folder: outside, handshake })).rejects.toThrow('npm run build')
    const port = Number(new URL(server.url).port)
    await expect(servePage({ folder: join(outside, 'built'), handshake, port })).rejects.toThrow(`port ${port}`)
  })
})

const PEER = MEMBER.slice(MEMBER.indexOf('/p2p/'))
const HASH = `/certhash/u${Buffer.from([0x12, 0x20, ...Array<number>(32).fill(7)]).toString('base64url')}`

describe('the policy', () => {
  it('lets the Worker compile the core, and nothing evaluate text', () => {
    expect(policyFor([])).toContain("script-src 'self' 'wasm-unsafe-eval';")
  })

  it.each([
    [MEMBER, 'ws://127.0.0.1:4001'],
    [`/ip6/::1/tcp/4001/ws${PEER}`, 'ws://*:4001'],
    [`/ip6/2001:db8::7/udp/4001/quic-v1/webtransport${HASH}${PEER}`, 'https://*:4001'],
    [`/dns4/member.example/tcp/443/wss${PEER}`, 'wss://member.example:443'],
    [`/dns/member.example/tcp/443/tls/ws${PEER}`, 'wss://member.example:443'],
    [`/ip4/127.0.0.1/udp/4001/quic-v1/webtransport${HASH}${PEER}`, 'https://127.0.0.1:4001'],
  ])('lets the page reach %s', (address, origin) => {
    expect(policyFor([address])).toContain(`connect-src 'self' ${origin};`)
  })

  const lost = [`/ip4/127.0.0.1/tcp/4001${PEER}`, `/ip4/127.0.0.1/udp/4001/webrtc-direct${HASH}${PEER}`, '/ip4/127.0.0.1/tcp/4001/ws']
  const hosts = ['a;b', 'a b', '*', 'a,b', "'self'"].map((host) => `/dns4/${host}/tcp/1/ws${PEER}`)
  it.each([...lost, ...hosts, 'x; script-src *', ''])('leaves out %j', (address) => {
    expect(policyFor([address])).toBe(policyFor([]))
  })
})
