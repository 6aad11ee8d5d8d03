import './polyfill.ts'
import { noise } from '@libp2p/noise'
import { webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { atLeast, type Log } from '../client/log.ts'
import { readAddress, TRANSPORTS } from '../client/network/address.ts'
import type { Host } from '../client/network/host.ts'
import { type Dials, dialLink } from '../client/network/link.ts'
import { STREAMS, sparingNoise, sparingYamux } from '../client/network/sparing.ts'
import { wakes } from '../client/network/wake.ts'
import { createVerify, type SubtleVerify } from '../client/primitives/ed25519.ts'
import { type Audience, createAudience } from '../client/rpc/audience.ts'
import { createEcdsa, type SubtleEcdsa } from '../client/verify/collateral/index.ts'
import { openStorage } from './storage.ts'
import { webTransport } from './webtransport.ts'

export interface WorkerHost extends Host {
  readonly close: () => Promise<void>
}

/** What each transport needs of the platform. Workers have no RTCPeerConnection: a page lends its own (worker/rtc/). */
const NEEDED = { webtransport: 'WebTransport', 'webrtc-direct': 'RTCPeerConnection', wss: 'WebSocket', ws: 'WebSocket' } as const
type Dialled = keyof typeof NEEDED

/**
 * A Host in a Worker: libp2p over WebTransport, WebRTC and WebSocket, noise, yamux, under a key that lives as long as the Worker and never leaves it.
 * @param audience the pages that look at what comes of it
 */
export const createWorkerHost = async (audience: Audience = createAudience(() => 0)): Promise<WorkerHost> => {
  // With the first dial: what was kept is read and shown meanwhile.
  let node: ReturnType<typeof createNode> | null = null
  const dials = async (): Promise<Dials<Multiaddr>> => {
    node ??= createNode()
    return (await node).services.dials
  }
  return {
    ...time,
    random: (n) => crypto.getRandomValues(new Uint8Array(n)),
    // Looked at: Chromium 156 fires no `online` event in a Worker.
    onWake: wakes(time, { isOnline: () => navigator.onLine, news: audience.onReturn }),
    isSaving: () => (navigator as typeof navigator & SavingNavigator).connection?.saveData === true,
    isUnseen: audience.isAway,
    // Without a secure context there is no WebCrypto; signatures are then checked by @noble/curves.
    verify: await createVerify((crypto as Partial<Crypto>).subtle as unknown as SubtleVerify | undefined),
    ecdsa: createEcdsa((crypto as Partial<Crypto>).subtle as unknown as SubtleEcdsa | undefined),
    log,
    storage: openStorage(),
    transports: TRANSPORTS.filter((name) => name in NEEDED && NEEDED[name as Dialled] in globalThis),
    ready: dials,
    dial: async (address, { signal }) => dialLink(await dials(), multiaddr(readAddress(address).text), address, signal),
    close: async () => (await node)?.stop(),
  }
}

const time: Pick<Host, 'now' | 'after'> = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** https://wicg.github.io/savedata/: not everywhere, and not in the types. */
interface SavingNavigator {
  readonly connection?: { readonly saveData?: boolean }
}

const createNode = () =>
  createLibp2p({
    // The default asks public STUN servers who we are.
    transports: [webTransport(), webRTCDirect({ rtcConfiguration: { iceServers: [] } }), webSockets()],
    connectionEncrypters: [sparingNoise(noise())],
    streamMuxers: [sparingYamux(yamux(STREAMS))],
    services: {
      // Not the manager itself: as a service it would be started twice.
      dials: ({ transportManager }: { readonly transportManager: Dials<Multiaddr> }): Dials<Multiaddr> => ({
        dial: (address, options) => transportManager.dial(address, options),
      }),
    },
    // The default sends the browser's own user agent to every peer.
    nodeInfo: { userAgent: 'coalition' },
    connectionMonitor: { enabled: false },
    // The default resolves dnsaddr names at Google and Cloudflare.
    connectionManager: { resolvers: {} },
    // Whom to dial is decided above (client/network/dialer.ts), and dialled below this. What peers say of themselves is not dialled by libp2p,
    // so that no peer can make a browser knock on doors of its own network.
    connectionGater: { denyDialMultiaddr: () => true },
  })

const log: Log = atLeast('warn', (level, message, facts) => console[level](message, facts ?? {}))
