import type { QuicConnection } from './quic/connection.ts'
import type { QuicStream } from './quic/stream.ts'

// What HTTP/3 and the session need of QUIC, so that both can be driven without a socket.

export type WireStream = Pick<QuicStream, 'id' | 'isStopped' | 'attach' | 'read' | 'write' | 'queue' | 'finish' | 'reset' | 'stop'>

export interface WireConnection extends Pick<QuicConnection, 'remote' | 'close'> {
  readonly attach: (events: {
    readonly established: () => void
    readonly stream: (stream: WireStream) => void
    readonly closed: () => void
  }) => void
  readonly openUni: () => WireStream
  readonly openBidi: (head: Uint8Array<ArrayBuffer>) => Promise<WireStream>
}
