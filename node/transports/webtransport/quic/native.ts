import { CoalitionError } from '../../../../client/error.ts'

// The parts of Cloudflare's quiche (0.18, BoringSSL) that are used, as @matrixai/quic binds them for Node. Its own classes above the binding
// read streams on their own and keep a TLS context a server; neither lets a reader slow a peer down nor a certificate change.

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** quiche `Connection`. Whatever takes a packet throws an Error whose message is quiche's name for what is wrong. */
export interface NativeConnection {
  recv(data: Uint8Array, info: { readonly from: HostPort; readonly to: HostPort }): number
  /** Null when there is nothing to send. */
  send(data: Uint8Array): readonly [number, { readonly from: HostPort; readonly to: HostPort }] | null
  /** Null when there is nothing to read; otherwise how many bytes, and whether they are the last. */
  streamRecv(id: number, data: Uint8Array): readonly [number, boolean] | null
  /** Null when there is no room. */
  streamSend(id: number, data: Uint8Array, fin: boolean): number | null
  streamShutdown(id: number, direction: number, code: number): null | undefined
  streamFinished(id: number): boolean
  peerStreamsLeftBidi(): number
  readable(): Iterable<number>
  /** Milliseconds until `onTimeout` is due. */
  timeout(): number | null
  onTimeout(): void
  pathEventNext(): unknown
  /** `rtt` in milliseconds, `cwnd` in bytes. */
  pathStats(): readonly { readonly rtt: number; readonly cwnd: number }[]
  /** Bytes that can be sent on it now. */
  streamCapacity(id: number): number
  close(isApplication: boolean, code: number, reason: Uint8Array): null | undefined
  isEstablished(): boolean
  /** Ended by either side, and not yet forgotten. */
  isDraining(): boolean
  isClosed(): boolean
}

/** quiche `Config`. */
export interface NativeConfig {
  setApplicationProtos(protocols: string[]): void
  setMaxIdleTimeout(ms: number): void
  setMaxRecvUdpPayloadSize(size: number): void
  setMaxSendUdpPayloadSize(size: number): void
  setInitialMaxData(bytes: number): void
  setInitialMaxStreamDataBidiLocal(bytes: number): void
  setInitialMaxStreamDataBidiRemote(bytes: number): void
  setInitialMaxStreamDataUni(bytes: number): void
  setInitialMaxStreamsBidi(count: number): void
  setInitialMaxStreamsUni(count: number): void
  setMaxConnectionWindow(bytes: number): void
  setMaxStreamWindow(bytes: number): void
  setDisableActiveMigration(isDisabled: boolean): void
  enableDgram(isEnabled: boolean, receiveQueue: number, sendQueue: number): void
  enablePacing(isEnabled: boolean): void
}

export interface Quiche {
  readonly Shutdown: { readonly Read: number; readonly Write: number }
  readonly Config: {
    withBoringSslCtx(
      verifyPeer: boolean,
      verifyAllowFail: boolean,
      ca: Uint8Array | null,
      keys: Uint8Array[],
      certificates: Uint8Array[],
      algorithms: string | null,
    ): NativeConfig
  }
  readonly Connection: {
    accept(scid: Uint8Array, odcid: Uint8Array | null, local: HostPort, remote: HostPort, config: NativeConfig): NativeConnection
  }
  negotiateVersion(scid: Uint8Array, dcid: Uint8Array, out: Uint8Array): number
  versionIsSupported(version: number): boolean
  retry(scid: Uint8Array, dcid: Uint8Array, newScid: Uint8Array, token: Uint8Array, version: number, out: Uint8Array): number
}

/**
 * Loads the library, on first use only: a host that does not listen on QUIC needs none.
 * @throws NoQuicError where there is no build of it for this platform, linux-arm64 among them
 */
export const loadQuiche = async (): Promise<Quiche> => {
  try {
    const { native } = (await import('@matrixai/quic')) as unknown as { readonly native: { readonly quiche: Quiche } }
    return native.quiche
  } catch (cause) {
    throw new NoQuicError(`${process.platform}-${process.arch}`, cause)
  }
}

/** QUIC cannot be spoken on this machine. */
export class NoQuicError extends CoalitionError {
  declare readonly platform: string

  constructor(platform: string, cause: unknown) {
    const problem = `@matrixai/quic has no QUIC library for ${platform}: leave out the addresses with quic-v1, ws and webrtc-direct need none`
    super('WebTransport.NoQuicError', problem, { platform }, { cause })
  }
}
