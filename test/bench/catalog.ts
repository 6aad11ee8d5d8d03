import { createHash, createPrivateKey, type KeyObject, sign as signWith } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { base64urlnopad } from '@scure/base'
import { silent } from '../../client/log.ts'
import { peerIdOf } from '../../client/network/address.ts'
import { Catalog, FULL_LIMITS, LIGHT_LIMITS } from '../../client/network/discovery/catalog.ts'
import { syncCatalog } from '../../client/network/discovery/client.ts'
import { type SignedEntry, signEntry, signedEntryCodec } from '../../client/network/discovery/entry.ts'
import { Heads } from '../../client/network/discovery/heads.ts'
import { CATALOG_PROTOCOL } from '../../client/network/discovery/messages.ts'
import { isOf } from '../../client/network/discovery/page.ts'
import { serveCatalog } from '../../client/network/discovery/server.ts'
import type { Link } from '../../client/network/host.ts'
import { type Bytes, compare } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'
import { print, type Row, row } from './report.ts'

const GROUPS = 6
const MEMBERS = 4
/** Catalogs that are filled at once, so that what one takes stands out from what the process does besides. */
const COPIES = 20

/** What finding peers takes a client that reads one lattice, in bytes. */
interface Cost {
  readonly entries: number
  /** Received and sent, for everything there is. */
  readonly first: number
  /** The same, after each peer said once more that it is there: every four minutes. */
  readonly renewal: number
  readonly heap: number
}

/**
 * `npm run bench -- catalog [--json]`: LAT-17. A light client that reads one lattice of six committees of four, on a universe of 1, 10 and 50
 * of them, beside a client that keeps the whole catalog. Over libp2p; the signatures are real.
 */
export const main = async (args: readonly string[]): Promise<void> => {
  setFlagsFromString('--expose-gc')
  const rows: Row[] = []
  for (const lattices of [1, 10, 50]) {
    const universe = peersOf(lattices)
    const light = await costOf(universe, lattice(0))
    const full = await costOf(universe, [])
    const compare = (what: string, unit: string, of: (cost: Cost) => number): Row =>
      row(`${lattices} lattices, ${what}`, of(light), unit, 'the whole catalog', of(full))
    rows.push(
      compare('entries kept', '', ({ entries }) => entries),
      compare('first look', 'B', ({ first }) => first),
      compare('after all were renewed', 'B', ({ renewal }) => renewal),
      compare('heap', 'kB', ({ heap }) => heap / 1_000),
    )
  }
  print('catalog', rows, args)
}

interface Person {
  readonly peer: Bytes
  readonly secret: KeyObject
  readonly group: Bytes
  readonly port: number
}

const groupOf = (lattice: number, group: number): Bytes => hashed(`group ${lattice} ${group}`)
const hashed = (text: string): Bytes => new Uint8Array(createHash('sha256').update(text).digest())
const lattice = (n: number): readonly Bytes[] => Array.from({ length: GROUPS }, (_, group) => groupOf(n, group))

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

const peersOf = (lattices: number): readonly Person[] =>
  Array.from({ length: lattices * GROUPS * MEMBERS }, (_, i) => {
    const seed = hashed(`peer ${i}`)
    const secret = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
    const jwk = secret.export({ format: 'jwk' })
    const group = groupOf(Math.floor(i / (GROUPS * MEMBERS)), Math.floor(i / MEMBERS) % GROUPS)
    return { secret, peer: base64urlnopad.decode(jwk.x as string) as Bytes, group, port: 10_000 + i }
  })

/** As a member says it that listens on every transport. */
const entryOf = ({ peer, secret, group, port }: Person, startMs: number, updateMs: number): Promise<SignedEntry> => {
  const id = peerIdOf(peer)
  const cert = (name: string): string => `certhash/u${base64urlnopad.encode(Uint8Array.from([0x12, 0x20, ...hashed(`${name} ${port}`)]))}`
  const at = '/ip4/93.184.216.34'
  const addresses = [
    `${at}/udp/${port}/quic-v1/webtransport/${cert('now')}/${cert('next')}/p2p/${id}`,
    `${at}/udp/${port + 1}/webrtc-direct/${cert('rtc')}/p2p/${id}`,
    `${at}/tcp/${port}/ws/p2p/${id}`,
    `${at}/tcp/${port + 1}/p2p/${id}`,
  ]
  const version = { start_ms: BigInt(startMs), update_ms: BigInt(updateMs) }
  const entry = { peer, network: UNIVERSE, version, addresses, tags: ['member'], streams: [], groups: [group], tickets: [] }
  return signEntry(entry, (message) => new Uint8Array(signWith(null, message, secret)))
}

const costOf = async (universe: readonly Person[], groups: readonly Bytes[]): Promise<Cost> => {
  const start = Date.now()
  const server = await hostOf(['/ip4/127.0.0.1/tcp/0/ws'])
  const client = await hostOf([])
  try {
    const known = new Catalog({ network: UNIVERSE, host: server, worth: () => 0, limits: FULL_LIMITS })
    await server.handle(CATALOG_PROTOCOL, serveCatalog({ network: UNIVERSE, catalog: known, heads: new Heads(server), host: server }))
    const renew = async (at: number): Promise<void> => {
      for (const person of universe) await known.offer(await entryOf(person, start, at), null)
    }
    const { signal } = new AbortController()
    const link = await client.dial(server.addresses()[0] as string, { signal })
    const own = catalogOf(client, groups)
    const look = () => bytesOf(link, () => syncCatalog(link, { host: client, network: UNIVERSE, catalog: own, groups, signal }))
    await renew(start)
    const first = await look()
    await renew(start + 1)
    const renewal = await look()
    const expected = groups.length === 0 ? universe.length : GROUPS * MEMBERS
    if (own.size !== expected) throw new Error(`${own.size} entries instead of ${expected}`)
    return { entries: own.size, first, renewal, heap: await heapOf(client, groups, own) }
  } finally {
    await client.close()
    await server.close()
  }
}

const catalogOf = (host: NodeHost, groups: readonly Bytes[]): Catalog =>
  new Catalog({
    network: UNIVERSE,
    host,
    worth: (entry) => (isOf(entry, groups) ? 1 : null),
    limits: groups.length === 0 ? FULL_LIMITS : LIGHT_LIMITS,
  })

const hostOf = (listen: readonly string[]): Promise<NodeHost> =>
  createNodeHost({ seed: crypto.getRandomValues(new Uint8Array(32)), listen, log: silent })

const bytesOf = async ({ bytes }: Link, run: () => Promise<unknown>): Promise<number> => {
  const before = bytes.received + bytes.sent
  await run()
  return bytes.received + bytes.sent - before
}

/** What a filled catalog keeps alive, from many of them that share nothing. */
const heapOf = async (host: NodeHost, groups: readonly Bytes[], filled: Catalog): Promise<number> => {
  const wire = filled.all().map((signed) => encode(signedEntryCodec, signed))
  const trusting = { now: host.now, verify: async () => true }
  const catalogs: Catalog[] = []
  const before = used()
  for (let i = 0; i < COPIES; i++) {
    const catalog = catalogOf({ ...host, ...trusting }, groups)
    for (const bytes of wire) await catalog.offer(decode(signedEntryCodec, bytes), null)
    catalogs.push(catalog)
  }
  const after = used()
  if (catalogs.some(({ size }) => size !== filled.size) || compare(wire[0] as Bytes, wire.at(-1) as Bytes) >= 0)
    throw new Error('not filled')
  return (after - before) / COPIES
}

const used = (): number => {
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
