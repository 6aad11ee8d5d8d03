import { createSocket } from 'node:dgram'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'

/** Where a devnet member listens on loopback: for the other members, for readers, for its operator. */
export interface Ports {
  readonly tcp: number
  readonly ws: number
  /** webrtc-direct, over udp. */
  readonly rtc: number
  /** webtransport, over udp. */
  readonly wt: number
  readonly http: number
}

const FILE = 'ports.json'

/**
 * Ports for each member: those of the run before where they are still free, so that addresses that were given out stay good.
 * Between now and the member's own start somebody else may take one; the member then says so and ends.
 */
export const portsFor = async (folder: string, members: number): Promise<readonly Ports[]> => {
  const file = join(folder, FILE)
  const before = await readFile(file, 'utf8').then(known, () => [])
  const ports: Ports[] = []
  // A port is let go of once it was tried, so the next search may come upon it again.
  const given = new Set<number>()
  const choose = async (wanted: unknown, kind: Kind = 'tcp'): Promise<number> => {
    const port = await freePort(given.has(wanted as number) ? undefined : wanted, kind)
    if (given.has(port)) return choose(undefined, kind)
    given.add(port)
    return port
  }
  for (let member = 0; member < members; member++) {
    const known = before[member]
    ports.push({
      tcp: await choose(known?.tcp),
      ws: await choose(known?.ws),
      rtc: await choose(known?.rtc, 'udp'),
      wt: await choose(known?.wt, 'udp'),
      http: await choose(known?.http),
    })
  }
  await writeFile(file, `${JSON.stringify(ports)}\n`)
  return ports
}

// Our own file, but a person may have edited it: whatever is no port is passed over.
const known = (text: string): readonly Partial<Ports>[] => {
  try {
    const value = JSON.parse(text) as unknown
    return Array.isArray(value) ? (value as readonly Partial<Ports>[]) : []
  } catch {
    return []
  }
}

type Kind = 'tcp' | 'udp'

/** A free port of 127.0.0.1: the wanted one if it can be had. */
export const freePort = async (wanted?: unknown, kind: Kind = 'tcp'): Promise<number> => {
  const tried = kind === 'tcp' ? triedTcp : triedUdp
  const isPort = typeof wanted === 'number' && Number.isInteger(wanted) && wanted > 1_023 && wanted < 65_536
  return (isPort ? await tried(wanted) : null) ?? (await tried(0)) ?? Promise.reject(new Error('no free port on 127.0.0.1'))
}

const triedTcp = (port: number): Promise<number | null> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => {
      const bound = server.address()
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : null))
    })
  })

const triedUdp = (port: number): Promise<number | null> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', () => {
      socket.close()
      resolve(null)
    })
    socket.bind(port, '127.0.0.1', () => {
      const bound = socket.address()
      socket.close(() => resolve(bound.port))
    })
  })
