import '../../worker/polyfill.ts'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webRTCDirect } from '@libp2p/webrtc'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { asByteStream } from '../../client/network/link.ts'
import { concat } from '../../client/primitives/bytes.ts'
import { attachedRtc } from '../../client/rpc/rtc.ts'
import { installRtc } from '../../worker/rtc/index.ts'
import { sumOf } from './_rtc-sum.ts'

// The Worker of webrtc.test.ts: libp2p over webrtc-direct alone.

const create = () =>
  createLibp2p({
    transports: [webRTCDirect({ rtcConfiguration: { iceServers: [] } })],
    connectionEncrypters: [noise()],
    services: { ping: ping() },
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
  })

let node: ReturnType<typeof create> | null = null
const connected = async (address: string, wait = 10_000) => {
  node ??= create()
  return (await node).dial(multiaddr(address), { signal: AbortSignal.timeout(wait) })
}

const read = async (chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return concat(...parts)
}

const CALLS = {
  /** What this Worker has of its own. */
  kinds: async () => [typeof RTCDataChannel, typeof (globalThis as { readonly RTCPeerConnection?: unknown }).RTCPeerConnection],
  dial: async (address: string, wait?: number) => (await connected(address, wait)).remotePeer.toString(),
  ping: async (address: string) => (await (await node)?.services.ping.ping((await connected(address)).remotePeer)) ?? -1,
  /** Sends bytes, and gives the sum that the other side has of them beside the own. */
  put: async (address: string, size: number) => {
    const stream = asByteStream(await (await connected(address)).newStream('/test/put/1'))
    const bytes = new Uint8Array(size).map((_, i) => (i * 7 + (i >> 9)) & 255)
    for (let at = 0; at < size; at += 65_536) await stream.write(bytes.slice(at, at + 65_536))
    await stream.finish()
    return [(await read(stream.chunks)).join(), sumOf(bytes).join()]
  },
  /** Asks for so many bytes, and gives length and sum of what comes. */
  get: async (address: string, size: number) => {
    const stream = asByteStream(await (await connected(address)).newStream('/test/get/1'))
    await stream.write(new Uint8Array(Uint32Array.of(size).buffer))
    await stream.finish()
    const bytes = await read(stream.chunks)
    return [bytes.length, ...sumOf(bytes)]
  },
  /** How many connections are open. */
  count: async () => (await node)?.getConnections().length ?? 0,
  hangUp: async () => {
    for (const connection of (await node)?.getConnections() ?? []) await connection.close()
  },
} as const

type Call = (...args: readonly unknown[]) => Promise<unknown>

addEventListener('message', ({ data }: { readonly data: Readonly<Record<string, unknown>> }) => {
  const port = attachedRtc(data)
  if (port !== null) return installRtc(port, { version: data.version as 1 | 2 })
  const { id, name, args } = data as { readonly id: number; readonly name: keyof typeof CALLS; readonly args: readonly unknown[] }
  ;(CALLS[name] as Call)(...args).then(
    (value) => postMessage({ id, value }),
    (error: unknown) => postMessage({ id, error: String(error) }),
  )
})
