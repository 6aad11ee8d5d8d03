import type { StreamMuxerFactory, Transport, Upgrader } from '@libp2p/interface'
import { webTransport as library } from '@libp2p/webtransport'

// @libp2p/webtransport 6.0.39 with two of its gaps closed. Both are closed where it hands a session over to be used, which is the one place
// where the session can be had.

/** What is used of the library's own objects. */
interface Session {
  readonly closed: Promise<unknown>
}
interface SessionMuxer {
  readonly webTransport: Session
  onCreateStream(options: unknown): Promise<SessionStream>
}
interface SessionStream {
  readonly reader: { releaseLock: () => void }
}

type Factory = ReturnType<typeof library>
type Components = Parameters<Factory>[0]
type Outbound = Upgrader['upgradeOutbound']
type Raw = Parameters<Outbound>[0]

/** The library's transport. A session that ends closes its connection, and a stream that was paused can be read on. */
export const webTransport =
  () =>
  (components: Components): Transport => {
    const transport = library()(components)
    const dial = transport.dial.bind(transport)
    transport.dial = (address, options) => dial(address, { ...options, upgrader: mended(options.upgrader) })
    return transport
  }

const mended = (upgrader: Upgrader): Upgrader => {
  const upgradeOutbound = (raw: Raw, options: { readonly muxerFactory?: StreamMuxerFactory }) => {
    const { muxerFactory } = options
    const own = muxerFactory && { ...muxerFactory, createStreamMuxer: (inner: Raw) => mend(raw, muxerFactory.createStreamMuxer(inner)) }
    return upgrader.upgradeOutbound(raw, { ...options, muxerFactory: own } as Parameters<Outbound>[1])
  }
  return Object.assign(Object.create(upgrader) as Upgrader, { upgradeOutbound })
}

const mend = <M>(raw: Raw, muxer: M): M => {
  const { webTransport: session } = muxer as unknown as SessionMuxer
  const end = (): void => raw.abort(new Error('the session has ended'))
  // The library notes the end of a session and tells nobody: the connection would look open for ever.
  session.closed.then(end, end)
  const open = (muxer as unknown as SessionMuxer).onCreateStream.bind(muxer)
  const onCreateStream = async (options: unknown): Promise<SessionStream> => {
    const stream = await open(options)
    // It lets go of its reader when it is paused and reads on from the same one, which fails then and resets the stream.
    stream.reader.releaseLock = () => {}
    return stream
  }
  return Object.assign(muxer as object, { onCreateStream }) as M
}
