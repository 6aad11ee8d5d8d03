import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { HTTP_FILE, status as run } from '../../../node/commands/member-status.ts'
import { UsageError } from '../../../node/io.ts'
import { toJson } from '../../../node/json-lines.ts'
import { reportOf } from '../../../node/metrics/report.ts'
import { serveHealth } from '../../../node/metrics/server.ts'
import type { MemberStatus } from '../../../node/metrics/status.ts'
import { NOW, statusOf } from '../metrics/status.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coalition-status-'))
})
afterAll(() => rm(folder, { recursive: true }))

let closing: (() => PromiseLike<unknown>)[] = []
afterEach(async () => {
  for (const close of closing) await close()
  closing = []
  await rm(join(folder, HTTP_FILE), { force: true })
})

const ask = async (where: { readonly dir?: string; readonly http?: string }, { json = false, timeoutMs = 5_000 } = {}) => {
  const [out, err]: [string[], string[]] = [[], []]
  const io = { out: (text: string) => void out.push(`${text}\n`), err: (text: string) => void err.push(`${text}\n`) }
  const code = await run({ dir: where.dir, http: where.http, json, timeoutMs }, io)
  return { code, out: out.join(''), err: err.join('') }
}

const member = async (changed: Partial<MemberStatus> = {}): Promise<string> => {
  const server = await serveHealth({ host: '127.0.0.1', port: 0, status: () => statusOf(changed), now: () => NOW })
  closing.push(() => server[Symbol.asyncDispose]())
  return server.url
}

/** Somebody else's server at the member's port. */
const stranger = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const note = (content: string): Promise<void> => writeFile(join(folder, HTTP_FILE), content)

describe('coalition member status', () => {
  it('prints how a member is', async () => {
    const { code, out, err } = await ask({ http: await member() })
    expect([code, err]).toEqual([0, ''])
    expect(out.split('\n')).toEqual([
      'member       1 of a committee of 4, run by Operator B; up for 60.0 s',
      `group        ${'ab'.repeat(32)}`,
      'addresses    /ip4/127.0.0.1/tcp/4000',
      '             /ip4/127.0.0.1/tcp/4001/ws',
      'commit       120, 2.0 s old',
      'view         130, led by member 2',
      'signers      3 of 4 (0, 1, 3), 3 needed',
      'pool         5 commands wait',
      'peers        member 0   up    level',
      '             member 2   up    2 behind',
      '             member 3   down  113 behind',
      'chain        following: agreed up to block 900',
      'readers      6 light streams, 9 connections with those of members',
      'since start  31 proposed, 131 views, 4 nullified, 17 fetched, 3 refused, 1 evidence',
      'voting       yes',
      'health       well',
      '',
    ])
  })

  it('says why a member is not well, what to do, and ends with 1', async () => {
    const url = await member({ voting: 'stopped', problem: 'the disk is full', peers: [], n: 1, quorum: 1, chain: null, index: 0n })
    const { code, out } = await ask({ http: url })
    expect(code).toBe(1)
    expect(out).toContain('peers        none: a committee of one\n')
    expect(out).toContain('chain        not looked at yet\n')
    expect(out).toContain('commit       none yet\n')
    expect(out).toMatch(/\nvoting {7}no\nhealth {7}it votes no more: the disk is full.*\n {13}it has no block yet/)
  })

  it('says whose tickets count where the config asks for them, and until when', async () => {
    const tickets = [
      { member: 0, isAttested: true, expires: Math.floor(NOW / 1_000) + 7_300, problem: null },
      { member: 1, isAttested: false, expires: null, problem: 'no ticket was shown' },
    ]
    const { code, out } = await ask({ http: await member({ tickets }) })
    expect(code).toBe(1)
    expect(out).toMatch(/\ntickets {6}member 0 {3}counts for 2 h more\n {13}member 1 {3}does not count: no ticket was shown\n/)
  })

  it('gives the same as JSON', async () => {
    const { code, out } = await ask({ http: await member({ voting: 'asking' }) }, { json: true })
    expect(code).toBe(1)
    expect(JSON.parse(out)).toEqual(JSON.parse(toJson(reportOf(statusOf({ voting: 'asking' }), NOW))))
  })

  it('finds the member of a folder', async () => {
    await note(JSON.stringify({ url: await member() }))
    expect(await ask({ dir: folder })).toMatchObject({ code: 0, out: expect.stringContaining('Operator B') })
  })

  it('writes no text of others over the screen', async () => {
    const { out } = await ask({ http: await member({ operator: '\u001b[2J\u202eevil\nhealth       well\u0007' }) })
    expect(out).toContain('run by \ufffd[2J\ufffdevil health       well\ufffd; up')
  })

  it('takes a folder or an address, and of an address only http, host and port', async () => {
    await expect(ask({})).rejects.toThrow(UsageError)
    await expect(ask({ dir: folder, http: 'http://127.0.0.1:1' })).rejects.toThrow(UsageError)
    for (const http of [
      '127.0.0.1:9100',
      'https://127.0.0.1',
      'file:///etc/passwd',
      'http://a:b@127.0.0.1',
      'http://127.0.0.1/x',
      'http://h/?q',
    ])
      await expect(ask({ http }), http).rejects.toThrow(UsageError)
  })
})

describe('coalition member status of nobody ends with 2 and one line', () => {
  const refused = async (where: Parameters<typeof ask>[0], pattern: RegExp, options = {}): Promise<void> => {
    const { code, out, err } = await ask(where, options)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^coalition member status: [^\n]+\n$/)
    expect(err).toMatch(pattern)
  }

  it('not running', async () => {
    await refused({ dir: folder }, /there is no .*http\.json: the member is not running/)
    await refused({ dir: join(folder, 'nowhere') }, /not running/)
    const server = await serveHealth({ host: '127.0.0.1', port: 0, status: statusOf })
    await server[Symbol.asyncDispose]()
    // As a member leaves it that was killed.
    await note(JSON.stringify({ url: server.url }))
    await refused({ dir: folder }, /nobody answers: the member is not running/)
    await refused({ http: server.url }, /nobody answers: the member is not running/)
  })

  it.each([
    ['not JSON', 'hello', /not JSON/],
    ['no object', '7', /not what a member writes/],
    ['null', 'null', /not what a member writes/],
    ['a url of another kind', '{"url":7}', /not what a member writes/],
    ['a url with a path', '{"url":"http://127.0.0.1:1/x"}', /not what a member writes/],
    ['a name', '{"url":"http://evil.example"}', /not what a member writes/],
    ['too long', ' '.repeat(5_000), /longer than 4096 bytes/],
  ])('%s in its folder', async (_, content, pattern) => {
    await note(content)
    await refused({ dir: folder }, pattern)
  })

  it.each<readonly [string, RequestListener, RegExp]>([
    ['not JSON', (_, response) => void response.end('<h1>It works!</h1>'), /not JSON/],
    ['not UTF-8', (_, response) => void response.end(Buffer.from([0x22, 0xff, 0x22])), /not JSON/],
    ['JSON of another shape', (_, response) => void response.end('{"status":"ok"}'), /no status: \$\.index: is missing/],
    ['another HTTP status', (_, response) => void response.writeHead(404).end('nothing'), /HTTP status 404/],
    ['nothing, and hangs up', (request) => void request.socket.destroy(), /no answer that can be read/],
    ['too much', (_, response) => void response.end(' '.repeat(65_537)), /longer than 65536 bytes/],
    [
      'too much once unpacked',
      (_, response) => void response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(' '.repeat(1_000_000))),
      /longer than 65536 bytes/,
    ],
    [
      'without end',
      (_, response) => {
        const push = (): void => void (response.write(' '.repeat(10_000)) ? setImmediate(push) : response.once('drain', push))
        push()
      },
      /longer than 65536 bytes/,
    ],
  ])('a stranger who answers %s', async (_, listener, pattern) => {
    await refused({ http: await stranger(listener) }, pattern)
  })

  it('a stranger who answers nothing, or never the end', async () => {
    await refused({ http: await stranger(() => {}) }, /no whole answer within 50 ms/, { timeoutMs: 50 })
    const trickle = await stranger((_, response) => void response.writeHead(200).write('{'))
    await refused({ http: trickle }, /no whole answer within 50 ms/, { timeoutMs: 50 })
  })

  it('a stranger who sends it on to another member', async () => {
    const other = await member()
    const http = await stranger((_, response) => void response.writeHead(302, { Location: `${other}/status` }).end())
    await refused({ http }, /no answer that can be read/)
  })

  it('a stranger who speaks no HTTP', async () => {
    const server = createSocketServer(
      (socket) =>
        void socket
          .on('error', () => {})
          .resume()
          .end('SSH-2.0-x\r\n'),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    await refused({ http: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, /no answer that can be read/)
  })
})
