import type { CreateStreamOptions, MultiaddrConnection, StreamMuxerFactory } from '@libp2p/interface'
import { AbstractStreamMuxer } from '@libp2p/utils'
import type { Session } from './session.ts'
import { WebTransportStream } from './stream.ts'
import type { WireStream } from './wire.ts'

const PROTOCOL = '/webtransport'

/** A session's streams as those of a libp2p connection: QUIC multiplexes them, so that nothing is framed here. */
class WebTransportMuxer extends AbstractStreamMuxer<WebTransportStream> {
  readonly #session: Session

  constructor(session: Session, connection: MultiaddrConnection, streams: number) {
    // Streams may come before libp2p listens for them, as many as QUIC allows.
    super(connection, { protocol: PROTOCOL, name: 'muxer', maxEarlyStreams: streams })
    this.#session = session
    session.onStream((wire, head) => this.onRemoteStream(this.#wrap(wire, 'inbound', { head })))
  }

  async onCreateStream(options: CreateStreamOptions): Promise<WebTransportStream> {
    const wire = await this.#session.open()
    const stream = this.#wrap(wire, 'outbound', options)
    // The peer may have made this wait for longer than its caller did.
    if (options.signal?.aborted) {
      stream.sendReset()
      throw options.signal.reason
    }
    return stream
  }

  onData(): void {
    // The connection below carries nothing but the streams.
  }

  #wrap(wire: WireStream, direction: 'inbound' | 'outbound', options: object): WebTransportStream {
    const log = this.log.newScope(`${direction}:${wire.id}`)
    // The options may name a protocol that is yet to be agreed on; a stream that has one already is taken to be past that.
    return new WebTransportStream({ ...options, protocol: '', wire, id: String(wire.id), direction, log })
  }
}

/** @param streams how many the peer may have open */
export const muxerFor = (session: Session, streams: number): StreamMuxerFactory => ({
  protocol: PROTOCOL,
  createStreamMuxer: (connection) => new WebTransportMuxer(session, connection as MultiaddrConnection, streams),
})
