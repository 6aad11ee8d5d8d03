import { asAddress } from '../../client/network/address.ts'

/**
 * The Content-Security-Policy of a page that reads through these members: its own scripts, its own Worker, connections to the members and
 * nothing else. A Worker is held to the policy that comes with its script, so every file carries it.
 * @param bootstrap the members' multiaddrs; what a browser does not reach, and what is no address of a peer, is left out
 */
export const policyFor = (bootstrap: readonly string[]): string =>
  [
    "default-src 'none'",
    // The core is WebAssembly. Without the second word all still works, on a library that hashes many times slower; quotes cannot be read.
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    ["connect-src 'self'", ...new Set(bootstrap.flatMap((address) => originOf(address) ?? []))].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    // The library's page names the Worker's script with one; the wallet's templates are made with the other.
    'trusted-types coalition-client lit-html',
  ].join('; ')

/** What a policy calls the origin that a transport connects to. WebRTC is held to none. */
const SCHEMES = { webtransport: 'https', wss: 'wss', ws: 'ws' } as const

// Read strictly: what stands in an address ends up in a header. A policy cannot name an IPv6 address (CSP3 section 2.3.1, "host-part"): its
// port alone is named then.
const originOf = (text: string): string | null => {
  const address = asAddress(text)
  if (address === null || !(address.transport in SCHEMES)) return null
  const { host, port, transport } = address
  return `${SCHEMES[transport as keyof typeof SCHEMES]}://${host.includes(':') ? '*' : host}:${port}`
}
