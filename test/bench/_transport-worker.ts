import type { ByteStream, Link } from '../../client/network/host.ts'
import { attachedRtc } from '../../client/rpc/rtc.ts'
import { createWorkerHost, type WorkerHost } from '../../worker/host.ts'
import { installRtc } from '../../worker/rtc/index.ts'
import { CHUNK, ECHO, GET, type Job, PUT } from './_transport.ts'

// The Worker of the transport bench: libp2p as a tab has it, and plain WebSockets beside it.

type Open = (protocol: string) => Promise<ByteStream>
const never = new AbortController().signal
let host: WorkerHost | null = null

/** A way to open streams at an address, and to end them all. */
const connect = async (address: string): Promise<{ readonly open: Open; readonly close: () => Promise<void> }> => {
  if (address.startsWith('ws://')) return { open: (protocol) => plain(`${address}/${protocol.split('/')[2]}`), close: async () => {} }
  host ??= await createWorkerHost()
  const link: Link = await host.dial(address, { signal: never })
  return { open: (protocol) => link.stream(protocol, { signal: never }), close: () => link.close() }
}

/** A WebSocket as a stream: what it is asked for is counted by who asks, and its end is an empty message. */
const plain = async (url: string): Promise<ByteStream> => {
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  const ready: Uint8Array<ArrayBuffer>[] = []
  let wake = (): void => {}
  let isOver = false
  socket.onmessage = ({ data }) => {
    ready.push(new Uint8Array(data as ArrayBuffer))
    wake()
  }
  socket.onclose = () => {
    isOver = true
    wake()
  }
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = reject
  })
  const chunks = async function* () {
    for (;;) {
      const next = ready.shift()
      if (next !== undefined) yield next
      else if (isOver) return
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  }
  return {
    chunks: chunks(),
    write: async (chunk) => {
      socket.send(chunk)
      while (socket.bufferedAmount > 1_048_576) await new Promise((resolve) => setTimeout(resolve, 0))
    },
    finish: async () => socket.send(new Uint8Array(0)),
    abort: () => socket.close(),
  }
}

/** Reads until so many bytes came. */
const take = async ({ chunks }: ByteStream, size: number): Promise<void> => {
  let left = size
  for await (const chunk of chunks) {
    left -= chunk.length
    if (left <= 0) return
  }
  throw new Error(`${left} of ${size} bytes did not come`)
}

const rtt = async (open: Open, trips: number): Promise<number> => {
  const stream = await open(ECHO)
  const iterator = stream.chunks[Symbol.asyncIterator]()
  const times: number[] = []
  for (let i = 0; i < trips; i++) {
    const start = performance.now()
    await stream.write(new Uint8Array(32))
    for (let left = 32; left > 0; ) left -= ((await iterator.next()).value as Uint8Array).length
    times.push(performance.now() - start)
  }
  stream.abort(new Error('measured'))
  return times.sort((a, b) => a - b)[trips >> 1] as number
}

const get = async (open: Open, amount: number): Promise<void> => {
  const stream = await open(GET)
  await stream.write(new Uint8Array(Uint32Array.of(amount).buffer))
  await take(stream, amount)
  stream.abort(new Error('measured'))
}

const put = async (open: Open, amount: number): Promise<void> => {
  const stream = await open(PUT)
  const chunk = new Uint8Array(CHUNK)
  for (let left = amount; left > 0; left -= CHUNK) await stream.write(left < CHUNK ? chunk.slice(0, left) : chunk)
  await stream.finish()
  await take(stream, 1)
  stream.abort(new Error('measured'))
}

/** Milliseconds. */
const run = async ({ what, address, streams, amount }: Job): Promise<number> => {
  const dialled = performance.now()
  const { open, close } = await connect(address)
  try {
    if (what === 'dial') {
      await rtt(open, 1)
      return performance.now() - dialled
    }
    // What a link has learned of its path after a while is a part of it.
    await rtt(open, 3)
    if (what === 'rtt') return await rtt(open, amount)
    const start = performance.now()
    await Promise.all(Array.from({ length: streams }, () => (what === 'get' ? get : put)(open, amount)))
    return performance.now() - start
  } finally {
    await close()
  }
}

addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  const rtc = attachedRtc(data)
  if (rtc !== null) return installRtc(rtc)
  const { id, job } = data as { readonly id: number; readonly job: Job }
  run(job).then(
    (ms) => postMessage({ id, ms }),
    (error: unknown) => postMessage({ id, error: String(error) }),
  )
})
