import { type NextRequest, NextResponse } from 'next/server'
import handshake from './handshake.json'

// What React's development build evaluates, and the styles of Next's error overlay.
const [EVAL, INLINE] = process.env.NODE_ENV === 'development' ? [" 'unsafe-eval'", " 'unsafe-inline'"] : ['', '']

/** The page's own scripts, its own Worker, connections to the members, and nothing else. */
const policyFor = (nonce: string): string =>
  [
    "default-src 'none'",
    // Next writes scripts into the page, and gives them the nonce. The core is WebAssembly.
    `script-src 'self' 'nonce-${nonce}' 'wasm-unsafe-eval'${EVAL}`,
    "worker-src 'self'",
    `style-src 'self'${INLINE}`,
    "img-src 'self'",
    `connect-src 'self' ${[...new Set(handshake.bootstrap.flatMap(originOf))].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

/**
 * `/dns4/member.example/tcp/443/wss/p2p/…` is `wss://member.example:443`; WebTransport's is `https:`, and WebRTC is held to none. A policy
 * cannot name an IPv6 address: its port alone is named.
 */
const originOf = (address: string): string[] => {
  const [, kind, name, , port, transport, then] = address.split('/')
  const host = kind === 'ip6' ? '*' : name
  if (transport === 'ws' || transport === 'wss') return [`${transport}://${host}:${port}`]
  return then === 'webtransport' ? [`https://${host}:${port}`] : []
}

// Without a matcher, so that the Worker's script carries the policy too: a Worker is held to the one that comes with its script.
export const proxy = (request: NextRequest): NextResponse => {
  const policy = policyFor(btoa(crypto.randomUUID()))
  const headers = new Headers(request.headers)
  // Next looks for the nonce in the request.
  headers.set('Content-Security-Policy', policy)
  const response = NextResponse.next({ request: { headers } })
  response.headers.set('Content-Security-Policy', policy)
  return response
}
