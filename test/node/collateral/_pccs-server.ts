import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { readHeaders } from '../../../node/collateral/pccs.ts'
import { type CollateralJson, pccsFiles } from './_pccs-writer.ts'

// A PCCS on loopback: what a request gets is collateral that may change, and whatever a test puts in front of it.

const NAMES = [
  ['/tdx/certification/v4/tcb', 'tcb'],
  ['/tdx/certification/v4/qe/identity', 'qe'],
  ['/sgx/certification/v4/pckcrl', 'pckcrl'],
  ['/sgx/certification/v4/rootcacrl', 'rootcacrl'],
] as const

export interface PccsServer extends AsyncDisposable {
  readonly url: string
  /** Paths with their queries, as they were asked for. */
  readonly asked: string[]
  /** Statuses that were answered, in step with `asked`. */
  readonly statuses: number[]
  collateral: CollateralJson
  /** Answers a request in place of the service; false leaves it to the service. */
  before: (request: IncomingMessage, response: ServerResponse) => boolean
}

export const startPccs = async (collateral: CollateralJson, prefix = ''): Promise<PccsServer> => {
  const http = createServer((request, response) => {
    server.asked.push(request.url ?? '')
    response.on('finish', () => server.statuses.push(response.statusCode))
    if (!server.before(request, response)) answer(server.collateral, prefix, request, response)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const server: PccsServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}${prefix}`,
    ...{ asked: [], statuses: [], collateral, before: () => false },
    [Symbol.asyncDispose]: () => {
      http.closeAllConnections()
      return new Promise((resolve) => http.close(() => resolve()))
    },
  }
  return server
}

const answer = (collateral: CollateralJson, prefix: string, request: IncomingMessage, response: ServerResponse): void => {
  const files = pccsFiles(collateral)
  const path = (request.url ?? '').slice(prefix.length).split('?')[0]
  const name = NAMES.find(([known]) => known === path)?.[1]
  const body = name === undefined ? undefined : files.get(name)
  if (body === undefined) return void response.writeHead(404).end()
  const etag = `"${tagOf(body)}"`
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end()
  const chain = [...readHeaders(new TextDecoder().decode(files.get(`${name}.headers`)), 'headers')].filter(([key]) =>
    key.endsWith('-chain'),
  )
  response.writeHead(200, { ...Object.fromEntries(chain), ETag: etag }).end(body)
}

const tagOf = (body: Bytes): number => body.reduce((sum, byte, i) => (sum + byte * (i + 1)) % 1_000_003, body.length)
