import { PeerConnection } from 'node-datachannel'
import { RTCDataChannel, RTCDataChannelEvent, RTCPeerConnection } from 'node-datachannel/polyfill'
import type { Certificate } from '../webtransport/certificate.ts'
import { type Dial, withCredentials } from './credentials.ts'

// The one file that imports the native library: whoever loads it finds out whether this platform has one.

/** Largest message, in bytes, that a webrtc-direct peer may send (libp2p specs, webrtc): what go-libp2p and rust-libp2p can take. */
const MESSAGE = 16 * 1024

export interface AnswererOptions {
  readonly certificate: Certificate
  /** The listener's, which it shares. */
  readonly port: number
  /** Data channels that the other side may have open. */
  readonly channels: number
}

/**
 * The server's end of one dial. Nothing was signalled, so it is told both sides' ICE credentials; the DTLS fingerprint of the other side is
 * checked by the noise handshake, whose prologue holds it.
 */
export class Answerer extends RTCPeerConnection {
  readonly #native: PeerConnection
  readonly #dial: Dial
  #channels = 0

  constructor(dial: Dial, { certificate, port, channels }: AnswererOptions) {
    const native = new PeerConnection('webrtc-direct', {
      // Without this line of its own the library's caller would ask public STUN servers who it is.
      iceServers: [],
      certificatePemFile: certificate.certificate,
      keyPemFile: certificate.key,
      disableAutoNegotiation: true,
      disableFingerprintVerification: true,
      enableIceUdpMux: true,
      // libjuice takes the first of the process's shared sockets when it is not told which.
      portRangeBegin: port,
      portRangeEnd: port,
      maxMessageSize: MESSAGE,
    })
    super({ peerConnection: native })
    this.#native = native
    this.#dial = dial
    // In place of the polyfill's own, which keeps every channel that ever was until the connection ends.
    native.onDataChannel((channel) => {
      if (this.#channels >= channels) return channel.close()
      this.#channels++
      const opened = new RTCDataChannel(channel)
      opened.addEventListener('close', () => this.#channels--, { once: true })
      this.dispatchEvent(new RTCDataChannelEvent('datachannel', { channel: opened }))
    })
    // The native object is freed only when it is closed a second time, after it has closed (node-datachannel issue 366).
    this.addEventListener('connectionstatechange', () => this.connectionState === 'closed' && native.close())
  }

  override setRemoteDescription({ type, sdp }: { readonly type: 'offer'; readonly sdp: string }): Promise<void> {
    return super.setRemoteDescription({ type, sdp: withCredentials(sdp, this.#dial.client) })
  }

  override createAnswer(): Promise<unknown> {
    const { ufrag, password } = this.#dial.server
    this.#native.setLocalDescription('answer', { iceUfrag: ufrag, icePwd: password })
    return super.createAnswer() as Promise<unknown>
  }

  /** Of the certificate that the other side's DTLS handshake showed. */
  remoteFingerprint(): { readonly value: string; readonly algorithm: string } {
    return this.#native.remoteFingerprint()
  }
}
