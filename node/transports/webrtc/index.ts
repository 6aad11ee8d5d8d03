import { type Transport, transportSymbol } from '@libp2p/interface'
import type { WebRTCDirectTransportComponents } from '@libp2p/webrtc'
import type { Log } from '../../../client/log.ts'
import { utf8 } from '../../../client/primitives/bytes.ts'
import type { HostLimits } from '../limits.ts'
import { type Certificate, DAY, makeCertificate, readCertificate } from '../webtransport/certificate.ts'
import type { CertificateStore } from '../webtransport/rotation.ts'
import { isListenAddress, WebRtcListener } from './listener.ts'

export interface WebRtcOptions {
  readonly limits: HostLimits
  readonly log: Log
  /** Without it the certificate, and with it every address, is a new one each time. */
  readonly certificates?: CertificateStore | undefined
}

/** A browser compares the fingerprint and looks at nothing else (RFC 8827 section 6.5), so a long life keeps addresses as they are. */
const LIFE = 3_650 * DAY
/** What a certificate that is kept has to have left. */
const LEFT = 90 * DAY
/** Bytes of key and certificate: 600 in PEM. */
const MOST = 4_096

/**
 * A libp2p transport that listens on `/ip4|ip6/ADDRESS/udp/PORT/webrtc-direct` and dials nothing: members dial each other over tcp.
 * Takes dials of version 1, where the browser's SDP is changed behind its back, and of version 2, where it is not (libp2p specs,
 * webrtc-direct). node-datachannel is loaded when it is first asked to listen.
 */
export const webRtcDirect =
  ({ limits, log, certificates }: WebRtcOptions) =>
  (components: WebRTCDirectTransportComponents): Transport => {
    let known: Promise<Certificate> | null = null
    const certificate = (): Promise<Certificate> => (known ??= keep(certificates, log))
    return {
      [transportSymbol]: true,
      [Symbol.toStringTag]: 'webrtc-direct-listener',
      createListener: () => new WebRtcListener({ components, certificate, limits, log }),
      listenFilter: (addresses) => addresses.filter(isListenAddress),
      dialFilter: () => [],
      dial: () => Promise.reject(new Error('this transport only listens')),
    }
  }

const keep = async (certificates: CertificateStore | undefined, log: Log): Promise<Certificate> => {
  const bytes = (await certificates?.load()) ?? null
  const kept = bytes === null ? null : read(bytes)
  if (kept !== null && kept.notAfter > Date.now() + LEFT) return kept
  if (bytes !== null)
    log('warn', 'the kept webrtc-direct certificate cannot be used; a new one changes the address', { isDamaged: kept === null })
  const made = makeCertificate(Date.now() - DAY, Date.now() + LIFE)
  await certificates?.store(utf8(`${made.key}${made.certificate}`))
  return made
}

/** Key, then certificate, in PEM. Null for anything else. */
const read = (bytes: Uint8Array): Certificate | null => {
  const text = bytes.length > MOST ? '' : Buffer.from(bytes).toString('latin1')
  const [, key, certificate] =
    /^(-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n)(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n)$/.exec(
      text,
    ) ?? []
  try {
    return key && certificate ? readCertificate(certificate, key) : null
  } catch {
    return null
  }
}
