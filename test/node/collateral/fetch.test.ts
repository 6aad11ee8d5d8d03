import { afterEach, describe, expect, it } from 'vitest'
import { collateralBytes, readCollateral } from '../../../client/verify/collateral/index.ts'
import { type FetchOptions, fetchCollateral, type PccsMemory, pccsUrl } from '../../../node/collateral/fetch.ts'
import { newPki, writeCollateral } from '../../verify/_collateral-writer.ts'
import { type PccsServer, startPccs } from './_pccs-server.ts'
import type { CollateralJson } from './_pccs-writer.ts'

const AT = Date.UTC(2026, 5, 1) / 1_000
const pki = newPki(AT)
const jsonOf = (tcbInfo: object = {}): CollateralJson => JSON.parse(writeCollateral(pki, { tcbInfo })) as CollateralJson
const FIRST = jsonOf()
const bytesOf = (json: CollateralJson): Uint8Array => collateralBytes(readCollateral(JSON.stringify(json)))

const host = {
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
const PLATFORM = { fmspc: '00606a000000', ca: 'platform' } as const

let servers: PccsServer[] = []
afterEach(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]()
  servers = []
})
const start = async (prefix = ''): Promise<PccsServer> => {
  const server = await startPccs(FIRST, prefix)
  servers.push(server)
  return server
}

const fetchFrom = (server: PccsServer, memory: PccsMemory = new Map(), options: Partial<FetchOptions> = {}) =>
  fetchCollateral(pccsUrl(server.url), PLATFORM, memory, {
    ...{ host, signal: new AbortController().signal, timeoutMs: 5_000, pausesMs: [] },
    ...options,
  })

describe('collateral from a PCCS (TDX.md, "Shape of the API")', () => {
  it('asks for the four parts of a TDX platform and puts them together', async () => {
    const server = await start()
    expect(collateralBytes(await fetchFrom(server))).toEqual(bytesOf(FIRST))
    expect([...server.asked].sort()).toEqual([
      '/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
      '/sgx/certification/v4/rootcacrl',
      '/tdx/certification/v4/qe/identity',
      '/tdx/certification/v4/tcb?fmspc=00606a000000',
    ])
  })

  it('finds a service that lies below a path', async () => {
    const server = await start('/cache')
    expect(collateralBytes(await fetchFrom(server))).toEqual(bytesOf(FIRST))
  })

  it('is not sent again what did not change, and takes what did', async () => {
    const server = await start()
    const memory: PccsMemory = new Map()
    await fetchFrom(server, memory)
    expect(collateralBytes(await fetchFrom(server, memory))).toEqual(bytesOf(FIRST))
    const { tcb_info = '', tcb_info_signature = '' } = jsonOf({ tcbEvaluationDataNumber: 19 })
    server.collateral = { ...FIRST, tcb_info, tcb_info_signature }
    const changed = await fetchFrom(server, memory)
    expect(new TextDecoder().decode(changed.tcbInfo)).toContain('"tcbEvaluationDataNumber":19')
    await expect.poll(() => [...server.statuses].sort()).toEqual([200, 200, 200, 200, 200, 304, 304, 304, 304, 304, 304, 304])
  })

  it('asks again what a service could not answer at once, and gives up what it does not know', async () => {
    const server = await start()
    let failures = 2
    server.before = (request, response) => {
      if (request.url?.includes('/tcb') !== true || failures-- <= 0) return false
      response.writeHead(503).end()
      return true
    }
    expect(collateralBytes(await fetchFrom(server, new Map(), { pausesMs: [1, 1] }))).toEqual(bytesOf(FIRST))
    server.asked.length = 0
    server.before = (request, response) => request.url?.includes('/tcb') === true && Boolean(response.writeHead(404).end())
    await expect(fetchFrom(server, new Map(), { pausesMs: [1, 1] })).rejects.toMatchObject({
      name: 'Member.PccsError',
      message: expect.stringMatching(/tcb\?fmspc=00606a000000 answers with HTTP status 404$/),
    })
    expect(server.asked.filter((path) => path.includes('/tcb'))).toHaveLength(1)
  })

  it.each<readonly [string, PccsServer['before'], RegExp]>([
    [
      'a body of more than 1 MiB',
      (_, response) => Boolean(response.writeHead(200).end(Buffer.alloc(1_048_577))),
      /sends more than 1048576 bytes/,
    ],
    [
      'a redirect to another origin',
      (_, response) => Boolean(response.writeHead(302, { Location: 'http://127.0.0.2:1/' }).end()),
      /redirects to another origin/,
    ],
    [
      'redirects without end',
      (request, response) => Boolean(response.writeHead(302, { Location: request.url ?? '' }).end()),
      /redirects more than 3 times/,
    ],
    [
      'an answer that breaks off',
      (_, response) => Boolean(response.writeHead(200, { 'Content-Length': 10 }).write('x', () => response.destroy())),
      /cannot be read/,
    ],
    ['no answer in time', () => true, /gives no whole answer in time/],
    ['a 304 that nobody asked for', (_, response) => Boolean(response.writeHead(304).end()), /answers with HTTP status 304/],
    ['what is no document', (_, response) => Boolean(response.writeHead(200).end('<html>')), /CRL|chain/],
  ])('refuses %s', async (_, before, problem) => {
    const server = await start()
    server.before = before
    const timeoutMs = problem.source.includes('in time') ? 300 : 10_000
    await expect(fetchFrom(server, new Map(), { timeoutMs })).rejects.toThrow(problem)
  })

  it('follows a redirect of the same origin', async () => {
    const server = await start('/new')
    server.before = (request, response) =>
      request.url?.startsWith('/new') !== true && Boolean(response.writeHead(301, { Location: `/new${request.url}` }).end())
    const old = { ...server, url: server.url.replace('/new', '') }
    expect(collateralBytes(await fetchFrom(old))).toEqual(bytesOf(FIRST))
  })

  it('ends with the signal, and says where nobody answers', async () => {
    const server = await start()
    const stop = new AbortController()
    server.before = () => {
      stop.abort(new Error('enough'))
      return true
    }
    await expect(fetchFrom(server, new Map(), { signal: stop.signal, pausesMs: [1, 1] })).rejects.toThrow('enough')
    const gone = { ...server, url: 'http://127.0.0.1:9' }
    await expect(fetchFrom(gone)).rejects.toThrow(/127\.0\.0\.1:9\/.* cannot be read: \w+/)
  })

  it.each(['ftp://host/', 'host:8081', '', 'http://user:secret@host/', 'http://host/?key=1', 'http://host/#x'])(
    'takes no %s for an address',
    (text) => {
      expect(() => pccsUrl(text)).toThrow(
        expect.objectContaining({ name: 'Member.PccsError', message: expect.not.stringContaining('secret') as string }),
      )
    },
  )
})
