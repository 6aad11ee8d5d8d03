import '../../../node/polyfill.ts'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { dialling } from '../../transports/webrtc/_nodes.ts'
import { dialFrom } from '../../transports/webtransport/_dialer.ts'
import type { Target, Way } from './kind.ts'

// Attackers that have proven a key: real links, over which every protocol of a member can be reached.

export type Connection = Awaited<ReturnType<Libp2p['dial']>>

/** Milliseconds until a member that does not answer is given up. */
const PATIENCE = 10_000

/** One connection a member and transport, dialled again when it has ended. */
export interface Links extends AsyncDisposable {
  readonly to: (way: Way, target: Target) => Promise<Connection>
}

export const openLinks = async (routes: Routes): Promise<Links> => {
  // One node a transport: libp2p takes the connection that it has to a peer, over whichever.
  const nodes: Readonly<Record<Way, Libp2p>> = {
    tcp: await attacker(),
    ws: await attacker(),
    webtransport: await dialFrom(() => {}, { from: '127.0.0.2' }),
    // Its ICE agent names no source address: these few count for the address of the honest.
    'webrtc-direct': await dialling(),
  }
  const open = new Map<string, Promise<Connection>>()
  const dial = async (way: Way, address: string, key: string): Promise<Connection> => {
    const connection = await nodes[way].dial(multiaddr(await routes.through(address)), { signal: AbortSignal.timeout(PATIENCE) })
    connection.addEventListener('close', () => open.delete(key))
    return connection
  }
  return {
    to: (way, { addresses }) => {
      const key = `${way} ${addresses[way]}`
      const known = open.get(key)
      if (known !== undefined) return known
      const dialled = dial(way, addresses[way], key)
      open.set(key, dialled)
      dialled.catch(() => open.delete(key))
      return dialled
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(Object.values(nodes).map((node) => node.stop()))
    },
  }
}

/** A node of its own, with a new key. */
export const attacker = (muxer: typeof yamux = yamux): Promise<Libp2p> =>
  createLibp2p({
    transports: [tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer()],
    connectionMonitor: { enabled: false },
    connectionGater: { denyDialMultiaddr: () => false },
  })

/** Ways to members from other addresses than this process's own: libp2p does not let its caller choose where it dials from. */
export interface Routes extends AsyncDisposable {
  /** The same address through a relay; as it is where there is nothing to relay. */
  readonly through: (address: string) => Promise<string>
}

export const openRoutes = (from: () => string): Routes => {
  const relays = new Map<string, Promise<Server>>()
  return {
    through: async (address) => {
      const port = /\/tcp\/(\d+)/.exec(address)?.[1]
      if (port === undefined) return address
      const relay = relays.get(port) ?? relayTo(Number(port), from)
      relays.set(port, relay)
      return address.replace(`/tcp/${port}`, `/tcp/${((await relay).address() as AddressInfo).port}`)
    },
    [Symbol.asyncDispose]: async () => {
      for (const relay of relays.values()) (await relay).close()
    },
  }
}

const relayTo = async (port: number, from: () => string): Promise<Server> => {
  const relay = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1', localAddress: from(), noDelay: true })
    near.setNoDelay(true)
    near.pipe(far).pipe(near)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  return relay
}
