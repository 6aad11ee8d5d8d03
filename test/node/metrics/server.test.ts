import { connect, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { readReport } from '../../../node/metrics/report.ts'
import { type HealthOptions, type HealthServer, serveHealth } from '../../../node/metrics/server.ts'
import type { MemberStatus } from '../../../node/metrics/status.ts'
import { NOW, statusOf } from './status.ts'

let opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of opened.reverse()) await each[Symbol.asyncDispose]()
  opened = []
})

let status: () => MemberStatus = statusOf
const serve = async (options: Partial<HealthOptions> = {}): Promise<HealthServer> => {
  status = statusOf
  const server = await serveHealth({ host: '127.0.0.1', port: 0, status: () => status(), now: () => NOW, ...options })
  opened.push(server)
  return server
}

/** A connection, and all that came over it until the other side closed it. */
const dial = (url: string): { readonly socket: Socket; readonly all: Promise<string> } => {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  opened.push({ [Symbol.asyncDispose]: async () => void socket.destroy() })
  let text = ''
  socket.on('data', (data) => {
    text += data.toString()
  })
  // Bytes that were still on their way when the server closed come back as a reset.
  socket.on('error', () => {})
  return { socket, all: new Promise((resolve) => socket.once('close', () => resolve(text))) }
}
const say = (url: string, text: string): Promise<string> => {
  const { socket, all } = dial(url)
  socket.write(text)
  return all
}
const ask = (url: string, head: string): Promise<string> => say(url, `${head}\r\nConnection: close\r\n\r\n`)
const HEALTHZ = 'GET /healthz HTTP/1.1\r\nHost: localhost'
/** Settles with the first bytes of an answer: then the connection is open on the server's side too. */
const answered = ({ socket }: { readonly socket: Socket }): Promise<unknown> => {
  socket.write(`${HEALTHZ}\r\n\r\n`)
  return new Promise((resolve) => socket.once('data', resolve))
}
const codeOf = (answer: string): string | undefined => /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]

describe('health server (OPR-07)', () => {
  it('answers a monitor', async () => {
    const { url } = await serve()
    const well = await fetch(`${url}/healthz`)
    expect([well.status, await well.text()]).toEqual([200, '{"ok":true}'])
    status = () => statusOf({ voting: 'stopped', problem: 'the disk is full' })
    const ill = await fetch(`${url}/healthz?from=monitor`)
    expect(ill.status).toBe(503)
    expect(await ill.json()).toEqual({ ok: false, reasons: [expect.stringContaining('the disk is full')] })
  })

  it('gives metrics and status, however the member is', async () => {
    const { url } = await serve()
    status = () => statusOf({ voting: 'stopped' })
    const metrics = await fetch(`${url}/metrics`)
    expect([metrics.status, metrics.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    expect(await metrics.text()).toContain('\ncoalition_commit_index 120\n')
    const found = await fetch(`${url}/status`)
    expect(found.status).toBe(200)
    expect(readReport(await found.json())).toMatchObject({ index: 120n, now: NOW, health: { ok: false } })
  })

  it('answers HEAD with the head alone', async () => {
    const { url } = await serve()
    const answer = await ask(url, 'HEAD /metrics HTTP/1.1\r\nHost: localhost')
    expect(codeOf(answer)).toBe('200')
    expect(answer).toMatch(/Content-Length: [1-9]\d{3,}\r\n/)
    expect(answer).toMatch(/\r\n\r\n$/)
  })

  it.each([
    ['GET / HTTP/1.1', '404'],
    ['GET /constructor HTTP/1.1', '404'],
    ['GET http://elsewhere.example/status HTTP/1.1', '404'],
    ['GET /%73tatus HTTP/1.1', '404'],
    ['DELETE /status HTTP/1.1', '405'],
    ['OPTIONS /status HTTP/1.1', '405'],
    ['GARBAGE', '400'],
  ])('refuses %s', async (line, code) => {
    const { url } = await serve()
    const answer = await ask(url, `${line}\r\nHost: 127.0.0.1`)
    expect(codeOf(answer)).toBe(code)
    expect(answer.includes('\r\nAllow: GET, HEAD\r\n')).toBe(code === '405')
  })

  it('is known on loopback by its own names only (DNS rebinding)', async () => {
    const { url } = await serve()
    const host = async (name: string) => codeOf(await ask(url, `GET /status HTTP/1.1\r\nHost: ${name}`))
    for (const own of ['127.0.0.1', '127.0.0.1:9100', 'localhost:1', 'LocalHost', '[::1]:80']) expect(await host(own)).toBe('200')
    for (const strange of [
      'evil.example',
      'localhost.evil.example:80',
      '127.0.0.1.evil.example',
      '127.1',
      '0.0.0.0',
      '192.0.2.1',
      '',
      '[::1',
    ])
      expect(await host(strange), strange).toBe('421')
    expect(codeOf(await say(url, 'GET /status HTTP/1.0\r\n\r\n'))).toBe('421')
  })

  const outside = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address
  it.skipIf(outside === undefined)(
    'is known by any name where others reach it, and refuses strange ones on loopback all the same',
    async () => {
      const { url } = await serve({ host: '0.0.0.0' })
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      expect(codeOf(await ask(url.replace('127.0.0.1', outside as string), 'GET /healthz HTTP/1.1\r\nHost: member-1.example'))).toBe('200')
      expect(codeOf(await ask(url, 'GET /healthz HTTP/1.1\r\nHost: member-1.example'))).toBe('421')
    },
  )

  it('reads no body and ends the connection', async () => {
    const { url } = await serve()
    const endless = (head: string): Promise<string> => {
      const { socket, all } = dial(url)
      const push = (): void => {
        while (!socket.destroyed && socket.write('1000\r\n'.padEnd(4_096, 'x')));
      }
      socket.on('drain', push)
      socket.write(`${head}\r\nHost: localhost\r\n\r\n`)
      socket.once('data', push)
      return all
    }
    expect(codeOf(await endless('GET /status HTTP/1.1\r\nContent-Length: 1000000000000'))).toBe('413')
    expect(codeOf(await endless('GET /status HTTP/1.1\r\nTransfer-Encoding: chunked'))).toBe('413')
    expect(codeOf(await endless('POST /status HTTP/1.1\r\nContent-Length: 1000000000000'))).toBe('405')
    expect(codeOf(await endless('GET /status HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5'))).toBe('413')
  })

  it('cuts whoever is slow, silent or long-winded', async () => {
    const { url } = await serve({ patienceMs: 50 })
    const head = 'GET /status HTTP/1.1\r\nHost: localhost\r\n'
    expect(codeOf(await say(url, `${head}X-Slow: `))).toBe('408')
    expect(codeOf(await say(url, ''))).not.toBe('200')
    expect(codeOf(await say(url, `${head}X-Long: ${'x'.repeat(10_000)}\r\n\r\n`))).toBe('431')
  })

  it('keeps 32 connections and lets the next in when one ends', async () => {
    const { url } = await serve()
    const taken = Array.from({ length: 32 }, () => dial(url))
    await Promise.all(taken.map(answered))
    expect(await ask(url, HEALTHZ)).toBe('')
    taken[0]?.socket.end()
    await taken[0]?.all
    await expect.poll(async () => codeOf(await ask(url, HEALTHZ))).toBe('200')
  })

  it('goes on after a status that cannot be read', async () => {
    const logged: unknown[] = []
    const { url } = await serve({ log: (_, __, facts) => void logged.push(facts) })
    status = () => {
      throw new Error('a detail that stays inside')
    }
    for (const path of ['/healthz', '/metrics', '/status']) {
      const answer = await fetch(`${url}${path}`)
      expect(answer.status).toBe(500)
      expect(await answer.text()).not.toContain('detail')
    }
    expect(logged).toEqual(Array(3).fill({ problem: 'a detail that stays inside' }))
    status = statusOf
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('says in one line why it cannot listen', async () => {
    const { url } = await serve()
    const port = Number(new URL(url).port)
    await expect(serve({ port })).rejects.toMatchObject({
      name: 'Member.HealthError',
      message: `health cannot be served at 127.0.0.1:${port}: the port is in use: name another, or end the process that has it`,
    })
    await expect(serve({ host: '192.0.2.1' })).rejects.toMatchObject({
      name: 'Member.HealthError',
      message: expect.not.stringContaining('\n'),
    })
  })

  it('ends with connections open', async () => {
    const server = await serve()
    const connection = dial(server.url)
    await answered(connection)
    await server[Symbol.asyncDispose]()
    await connection.all
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
  })
})
