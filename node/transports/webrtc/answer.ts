import type { WebRTCDirectTransportComponents } from '@libp2p/webrtc'
import { multiaddr } from '@multiformats/multiaddr'
import type { Log } from '../../../client/log.ts'
import type { Answerer } from './answerer.ts'
import type { Entry } from './gate.ts'
import { connect, DataChannelMuxerFactory } from './library.ts'

/** Who dialled: the source of its first STUN request. */
export interface Source {
  readonly host: string
  readonly port: number
}

export interface AnswerContext {
  readonly components: WebRTCDirectTransportComponents
  readonly entry: Entry
  readonly log: Log
  /** Aborts when the listener closes or another dial takes the place. */
  readonly signal: AbortSignal
}

/** Milliseconds until the sender of a STUN request has to have had an answer: as many checks as a forged address is sent at most. */
const PROOF = 5_000
/** Milliseconds from the first STUN request to a libp2p connection: ICE, DTLS, SCTP, noise. */
const HANDSHAKE = 15_000

// There is no read back-pressure on data channels: what a peer sends is in memory until it is read. Requests are small, so a stream that has
// more than this unread is reset. What is written waits in the native library, for each stream on its own.
const CHANNELS = { maxReadBufferLength: 512 * 1024, maxBufferedAmount: 512 * 1024 }

/**
 * From a first STUN request to the end of the connection that comes of it.
 * @param create the server's end; what it throws ends the dial
 * @returns resolves when everything has ended, and never rejects
 */
export const answer = async (create: () => Answerer, ufrag: string, source: Source, context: AnswerContext): Promise<void> => {
  const { entry, log, signal } = context
  const handshake = new AbortController()
  const stop = (): void => handshake.abort(new Error('the listener let go of it'))
  signal.addEventListener('abort', stop, { once: true })
  const deadline = setTimeout(() => handshake.abort(new Error(`no connection within ${HANDSHAKE} ms`)), HANDSHAKE)
  let peer: Answerer | null = null
  try {
    peer = create()
    const ended = watch(peer, entry, handshake)
    await Promise.race([upgrade(peer, ufrag, source, context, handshake.signal), ended])
    clearTimeout(deadline)
    await ended
  } catch (error) {
    log('debug', 'a webrtc-direct connection ended', { ...source, error: String(error) })
  }
  clearTimeout(deadline)
  signal.removeEventListener('abort', stop)
  peer?.close()
  entry.release()
}

/** Rejects when the connection, or what was to become one, has ended. */
const watch = (peer: Answerer, entry: Entry, handshake: AbortController): Promise<never> => {
  const { signal } = handshake
  const proof = setTimeout(() => handshake.abort(new Error('no answer to a STUN request came through')), PROOF)
  peer.addEventListener('iceconnectionstatechange', () => {
    if (peer.iceConnectionState !== 'connected') return
    clearTimeout(proof)
    if (!entry.prove()) handshake.abort(new Error('its address has as many connections as it may'))
  })
  peer.addEventListener('connectionstatechange', () => {
    const { connectionState: state } = peer
    if (state === 'closed' || state === 'failed' || state === 'disconnected') handshake.abort(new Error(`it is ${state}`))
  })
  return new Promise((_, reject) =>
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(proof)
        reject(signal.reason as Error)
      },
      { once: true },
    ),
  )
}

const upgrade = (
  peer: Answerer,
  ufrag: string,
  { host, port }: Source,
  { components }: AnswerContext,
  signal: AbortSignal,
): Promise<void> => {
  const log = components.logger.forComponent('libp2p:webrtc-direct')
  const muxerFactory = new DataChannelMuxerFactory({ peerConnection: peer as never, dataChannelOptions: CHANNELS, log })
  const { logger, upgrader, peerId, privateKey } = components
  return connect(peer as never, muxerFactory, ufrag, {
    role: 'server',
    ...{ log, logger, upgrader, peerId, privateKey, signal },
    // A link-local address comes with its zone, which no multiaddr of this form has.
    remoteAddr: multiaddr(`/ip${host.includes(':') ? 6 : 4}/${host.replace(/%.*$/, '')}/udp/${port}/webrtc-direct`),
    dataChannel: CHANNELS,
  })
}
