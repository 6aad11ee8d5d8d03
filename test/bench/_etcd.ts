import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../../node/devnet/ports.ts'

/** Why etcd cannot be measured here, or null. Debian's package is installed when this is root. */
export const etcdMissing = (): string | null => {
  if (spawnSync('etcd', ['--version']).status === 0) return null
  if (process.getuid?.() !== 0) return 'etcd is not installed, and only root may install it'
  const { status } = spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'etcd-server'], { stdio: 'ignore' })
  return status === 0 ? null : 'etcd is not installed, and apt-get could not'
}

export interface Etcd extends AsyncDisposable {
  readonly put: (value: Uint8Array) => Promise<void>
  /** Ends the leader, or a follower that is not the one asked. */
  readonly kill: (who: 'leader' | 'follower') => Promise<void>
}

interface Node {
  readonly name: string
  readonly client: number
  readonly peer: number
  process: ChildProcess | null
}

/** n etcd processes on loopback, each with a folder of its own, at Debian's defaults. */
export const startEtcd = async (n: number): Promise<Etcd> => {
  const folder = await mkdtemp(join(tmpdir(), 'coalition-etcd-'))
  const nodes: Node[] = []
  for (let i = 0; i < n; i++) nodes.push({ name: `e${i}`, client: await freePort(), peer: await freePort(), process: null })
  const cluster = nodes.map(({ name, peer }) => `${name}=http://127.0.0.1:${peer}`).join(',')
  for (const node of nodes) node.process = spawn('etcd', argsOf(node, folder, cluster), { stdio: 'ignore' })
  await healthy(nodes)
  let asked = nodes[0] as Node
  let session = await open(asked)
  let count = 0
  return {
    put: (value) => put(session, `bench/${count++ % 10_000}`, value),
    kill: async (who) => {
      const leader = await leaderOf(nodes)
      const victim = nodes.find((node) => (who === 'leader' ? node === leader : node !== leader && node !== asked))
      if (victim === asked) {
        // The client must not die with the one it talks to: what is measured is the cluster.
        const before = session
        asked = nodes.find((node) => node !== victim) as Node
        session = await open(asked)
        before.close()
      }
      victim?.process?.kill('SIGKILL')
    },
    [Symbol.asyncDispose]: async () => {
      session.destroy()
      for (const { process: child } of nodes) child?.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const open = async ({ client }: Node): Promise<ClientHttp2Session> => {
  const session = connectHttp2(`http://127.0.0.1:${client}`)
  session.on('error', () => {})
  await new Promise((resolve) => session.once('connect', resolve))
  return session
}

const argsOf = ({ name, client, peer }: Node, folder: string, cluster: string): string[] => [
  ...[
    '--name',
    name,
    '--data-dir',
    join(folder, name),
    '--initial-cluster',
    cluster,
    '--initial-cluster-state',
    'new',
    '--log-level',
    'error',
  ],
  ...['--listen-client-urls', `http://127.0.0.1:${client}`, '--advertise-client-urls', `http://127.0.0.1:${client}`],
  ...['--listen-peer-urls', `http://127.0.0.1:${peer}`, '--initial-advertise-peer-urls', `http://127.0.0.1:${peer}`],
]

const healthy = async (nodes: readonly Node[]): Promise<void> => {
  for (let tries = 0; tries < 200; tries++) {
    if ((await leaderOf(nodes).catch(() => undefined)) !== undefined) return
    await delay(100)
  }
  throw new Error('etcd did not elect a leader in 20 s')
}

const leaderOf = async (nodes: readonly Node[]): Promise<Node | undefined> => {
  for (const node of nodes) {
    const answer = await fetch(`http://127.0.0.1:${node.client}/v3/maintenance/status`, { method: 'POST', body: '{}' }).catch(() => null)
    const status = (await answer?.json().catch(() => null)) as { leader?: string; header?: { member_id?: string } } | null | undefined
    if (status?.leader !== undefined && status.leader !== '0' && status.leader === status.header?.member_id) return node
  }
  return undefined
}

/** One etcdserverpb.KV/Put over gRPC: a frame of one protobuf message, { key = 1, value = 2 }, both bytes. */
const put = (session: ClientHttp2Session, key: string, value: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    const name = Buffer.from(key)
    const message = Buffer.concat([Uint8Array.of(0x0a, name.length), name, Uint8Array.of(0x12), varint(value.length), value])
    const head = Buffer.alloc(5)
    head.writeUInt32BE(message.length, 1)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/etcdserverpb.KV/Put',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    let status = ''
    stream.on('trailers', (trailers) => {
      status = String(trailers['grpc-status'])
    })
    stream.on('error', reject)
    stream.on('close', () => (status === '0' ? resolve() : reject(new Error(`grpc-status ${status}`))))
    stream.resume()
    stream.end(Buffer.concat([head, message]))
  })

const varint = (value: number): Uint8Array => (value < 128 ? Uint8Array.of(value) : Uint8Array.of((value & 127) | 128, value >> 7))
