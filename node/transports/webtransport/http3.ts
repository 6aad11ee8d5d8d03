import { concat } from '../../../client/primitives/bytes.ts'
import { H3, Http3Error } from './codes.ts'
import { FRAME, writeFrame } from './frames.ts'
import { type Bidi, serveBidi } from './request-stream.ts'
import { Session } from './session.ts'
import { writeSettings } from './settings.ts'
import { serveUni, type Taken } from './uni-stream.ts'
import { writeVarint } from './varint.ts'
import type { WireConnection, WireStream } from './wire.ts'

/** What the owner of a connection decides and is told. */
export interface Http3Init {
  /** Whether a session may be opened at a path, its query included. */
  readonly accepts: (path: string) => boolean
  /** The peer has opened the session, and it was told so. */
  readonly opened: (session: Session) => void
  readonly closed: () => void
  /** Calls once after so many milliseconds; the function that it gives calls it off. */
  readonly after: (ms: number, run: () => void) => () => void
}

/** Requests that are refused before the connection is: a browser sends one, and it is right. */
const REFUSALS = 4

/**
 * The server's side of HTTP/3 on a connection (RFC 9114), as much of it as one WebTransport session needs. What a peer does wrong throws
 * Http3Error, with which its connection is closed.
 */
export const serveHttp3 = (connection: WireConnection, init: Http3Init): void => {
  const taken: Taken = new Set()
  let session: Session | null = null
  let refusals = 0
  const bidi: Bidi = {
    session: () => session,
    request: (stream, { method, path, protocol }) => {
      if (session === null && method === 'CONNECT' && protocol === 'webtransport' && init.accepts(path)) {
        session = new Session({ connection, stream, after: init.after })
        return session
      }
      refusals += 1
      if (refusals > REFUSALS) throw new Http3Error(H3.excessiveLoad, 'requests', 0, `more than ${REFUSALS} that are refused`)
      return null
    },
    opened: init.opened,
  }
  connection.attach({
    established: () => openControl(connection),
    stream: (stream: WireStream) => ((stream.id & 2) === 0 ? serveBidi(stream, bidi) : serveUni(stream, taken)),
    closed: () => {
      session?.closed()
      init.closed()
    },
  })
}

/**
 * The control stream (RFC 9114 section 6.2.1), which stays open: closing it is an error. QPACK's two are not opened, as an encoder and a
 * decoder without a table have nothing to say on them.
 */
const openControl = (connection: WireConnection): void => {
  const control = connection.openUni()
  control.queue(concat(writeVarint(0), writeFrame(FRAME.settings, writeSettings())))
}
