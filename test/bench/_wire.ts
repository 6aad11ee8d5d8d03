import { type AddressInfo, connect, createServer } from 'node:net'
import type { Host } from '../../client/network/host.ts'

/** A TCP relay to one address that counts what passes, both ways: what a reader's connection costs, handshakes included. */
export interface Meter extends AsyncDisposable {
  /** The multiaddr that leads through the relay. */
  readonly address: string
  readonly bytes: () => number
}

export const meter = async (address: string): Promise<Meter> => {
  const port = Number(/\/tcp\/(\d+)\//.exec(address)?.[1])
  let bytes = 0
  const relay = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true })
    near.setNoDelay(true)
    const count = (chunk: Buffer): void => {
      bytes += chunk.length
    }
    near.on('data', count).pipe(far)
    far.on('data', count).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  const { port: own } = relay.address() as AddressInfo
  return {
    address: address.replace(`/tcp/${port}/`, `/tcp/${own}/`),
    bytes: () => bytes,
    [Symbol.asyncDispose]: () => new Promise((resolve) => relay.close(() => resolve())),
  }
}

/** The same host, with the bytes of its streams counted both ways: what the light protocol itself says, below noise and yamux. */
export const counting = (own: Host): { readonly host: Host; readonly bytes: () => number } => {
  let bytes = 0
  const dial: Host['dial'] = async (address, options) => {
    const link = await own.dial(address, options)
    return {
      ...link,
      stream: async (protocol, open) => {
        const stream = await link.stream(protocol, open)
        return {
          ...stream,
          write: (chunk) => {
            bytes += chunk.length
            return stream.write(chunk)
          },
          chunks: counted(stream.chunks, (length) => {
            bytes += length
          }),
        }
      },
    }
  }
  return { host: { ...own, dial }, bytes: () => bytes }
}

async function* counted<T extends { readonly length: number }>(
  chunks: AsyncIterable<T>,
  count: (length: number) => void,
): AsyncIterable<T> {
  for await (const chunk of chunks) {
    count(chunk.length)
    yield chunk
  }
}
