import { utf8 } from '../../../../client/primitives/bytes.ts'
import type { NativeConfig, Quiche } from './native.ts'

/** What one connection may use. */
export interface ConnectionLimits {
  /**
   * Streams that the peer may have open at once, at least. It is let open up to twice as many: quiche allows new ones only when half of the
   * old ones are used up, and Chromium fails a stream that it has to wait for.
   */
  readonly streams: number
  /** Bytes of all its streams that the peer may send ahead of their readers: what one connection can make this process keep. */
  readonly window: number
  /** Milliseconds without a packet after which a connection is over. Browsers ping every 15 seconds while a session is open. */
  readonly idle: number
}

/** A certificate and its key, both in PEM. */
export interface Identity {
  readonly certificate: string
  readonly key: string
}

/** The control stream, QPACK's two, one of grease and some that are refused (RFC 9114 section 6.2 wants at least 3). */
const UNI_STREAMS = 8
/** One stream that nobody reads leaves the others three quarters of the connection's window. */
const SHARE = 4
/** HTTP/3's control and QPACK streams carry next to nothing. */
const UNI_WINDOW = 16_384
/** Fits an Ethernet frame with any header below it; what quiche sends by itself is no longer than 1,350. */
const PAYLOAD = 1_500
const SENT_PAYLOAD = 1_350

/** quiche's configuration for the connections that are accepted from now on; those that are open keep theirs. */
export const configFor = (quiche: Quiche, { certificate, key }: Identity, limits: ConnectionLimits): NativeConfig => {
  const config = quiche.Config.withBoringSslCtx(false, false, null, [utf8(key)], [utf8(certificate)], null)
  config.setApplicationProtos(['h3'])
  config.setMaxIdleTimeout(limits.idle)
  config.setMaxRecvUdpPayloadSize(PAYLOAD)
  config.setMaxSendUdpPayloadSize(SENT_PAYLOAD)
  config.setInitialMaxData(limits.window)
  config.setMaxConnectionWindow(limits.window)
  const stream = Math.ceil(limits.window / SHARE)
  config.setInitialMaxStreamDataBidiLocal(stream)
  config.setInitialMaxStreamDataBidiRemote(stream)
  config.setMaxStreamWindow(stream)
  config.setInitialMaxStreamDataUni(UNI_WINDOW)
  // One more for the session's own stream, and one for the handshake of noise, which may not have ended when others begin.
  config.setInitialMaxStreamsBidi(2 * (limits.streams + 2))
  config.setInitialMaxStreamsUni(UNI_STREAMS)
  // WebTransport asks for datagrams to be allowed (RFC 9297); libp2p sends none, and one that comes takes the place of the one before.
  config.enableDgram(true, 1, 1)
  // quiche would say when each packet is due, in a form that the binding cannot read.
  config.enablePacing(false)
  // A browser would probe other networks on its own; one whose address changes under it is followed all the same.
  config.setDisableActiveMigration(true)
  return config
}
