// What a webrtc-direct server learns from the first STUN request of a dial, there being no signalling (libp2p specs, webrtc-direct).
// The USERNAME of that request is `server ufrag:client ufrag`, and who dialled chose both.

/** ICE credentials of one side (RFC 8839 section 5.4). */
export interface Credentials {
  readonly ufrag: string
  readonly password: string
}

/** The credentials of both sides, as the dialling side has set them. */
export interface Dial {
  readonly version: 1 | 2
  readonly server: Credentials
  readonly client: Credentials
}

/** The browser's own ufrag and password were replaced by one text, which is the server's too. */
const V1 = 'libp2p+webrtc+v1/'
/** The browser keeps its own, and what follows is its password. */
const V2 = 'libp2p+webrtc+v2/'

// The native ICE stack ends the process on a credential that is none, and a line break in one would write lines of SDP.
const UFRAG = /^[A-Za-z0-9+/]{4,256}$/
const PASSWORD = /^[A-Za-z0-9+/]{22,256}$/

/**
 * Whom to answer, or null for what no dial of a known version says: a version is never guessed.
 * @param server the part of USERNAME before the colon
 * @param client the part after it
 */
export const readDial = (server: unknown, client: unknown): Dial | null => {
  if (typeof server !== 'string' || typeof client !== 'string' || !PASSWORD.test(server) || !UFRAG.test(client)) return null
  const own: Credentials = { ufrag: server, password: server }
  if (server.startsWith(V1)) return server === client ? { version: 1, server: own, client: own } : null
  if (!server.startsWith(V2)) return null
  const password = server.slice(V2.length)
  return PASSWORD.test(password) ? { version: 2, server: own, client: { ufrag: client, password } } : null
}

/** An SDP with the credentials in it, whatever its own were. */
export const withCredentials = (sdp: string, { ufrag, password }: Credentials): string =>
  sdp.replace(/^a=ice-ufrag:[^\r\n]*/m, `a=ice-ufrag:${ufrag}`).replace(/^a=ice-pwd:[^\r\n]*/m, `a=ice-pwd:${password}`)
