import { noise } from '@libp2p/noise'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { asByteStream } from '../../client/network/link.ts'
import { webTransport } from '../../worker/webtransport.ts'

// In a Worker of the page: js-libp2p's own dialer against our listener. Answers { id, call, … } with { id, value } or { id, error }.

interface Call {
  readonly id: number
  readonly call: 'dial' | 'echo' | 'hold' | 'sip' | 'open' | 'close'
  readonly address: string
  readonly size: number
}

let node: Libp2p | null = null
const connect = async (address: string) => {
  node ??= await createLibp2p({
    transports: [webTransport()],
    connectionEncrypters: [noise()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
  })
  return node.dial(multiaddr(address))
}

/** Sends `size` bytes and reads as many back. Gives the sum of what came. */
const echo = async (address: string, size: number): Promise<number> => {
  const stream = asByteStream(await (await connect(address)).newStream('/echo/1'))
  const sending = (async () => {
    for (let left = size; left > 0; left -= 65_536) await stream.write(new Uint8Array(Math.min(left, 65_536)).fill(left & 0xff))
    await stream.finish()
  })()
  let sum = 0
  let received = 0
  for await (const chunk of stream.chunks) {
    received += chunk.length
    for (const byte of chunk) sum += byte
  }
  await sending
  if (received !== size) throw new Error(`${received} bytes of ${size} came back`)
  return sum
}

let held: { readonly chunks: AsyncIterator<Uint8Array>; received: number } | null = null

/** Asks for `size` bytes and reads the first of them. */
const hold = async (address: string, size: number): Promise<void> => {
  const stream = asByteStream(await (await connect(address)).newStream('/flood/1'))
  await stream.write(new TextEncoder().encode(`${size}`))
  const chunks = stream.chunks[Symbol.asyncIterator]()
  const { value } = await chunks.next()
  held = { chunks, received: value?.length ?? 0 }
}

/** Reads on to the end. Gives how many bytes there were. */
const sip = async (): Promise<number> => {
  if (held === null) throw new Error('nothing is held')
  for (;;) {
    const { done, value } = await held.chunks.next()
    if (done) return held.received
    held.received += value.length
  }
}

const run = async ({ call, address, size }: Call): Promise<unknown> => {
  if (call === 'dial') return (await connect(address)).remotePeer.toString()
  if (call === 'echo') return echo(address, size)
  if (call === 'hold') return hold(address, size)
  if (call === 'sip') return sip()
  if (call === 'open') return Promise.all(Array.from({ length: size }, () => echo(address, 1_000))).then((sums) => sums.length)
  await node?.stop()
  node = null
  return null
}

addEventListener('message', ({ data }: MessageEvent<Call>) => {
  run(data).then(
    (value) => postMessage({ id: data.id, value }),
    (error: unknown) => postMessage({ id: data.id, error: String(error) }),
  )
})
