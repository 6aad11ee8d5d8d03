/**
 * The Content-Security-Policy of a page that reads through these members: its own scripts, its own Worker, sockets to the members and
 * nothing else. A Worker is held to the policy that comes with its script, so every file carries it.
 * @param bootstrap the members' multiaddrs; what is not reached by WebSocket is left out
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

const HOST =
  /^\/(?:ip4\/([\d.]+)|ip6\/([0-9a-f:]+)|dns[46]?\/([a-z0-9.-]+))\/tcp\/(\d{1,5})\/(ws|wss|tls\/ws|tls\/sni\/[a-z0-9.-]+\/ws)(?:\/|$)/i

// By a strict form: what stands in an address ends up in a header.
const originOf = (address: string): string | null => {
  const [, v4, v6, name, port, kind] = HOST.exec(address) ?? []
  if (port === undefined) return null
  return `${kind === 'ws' ? 'ws' : 'wss'}://${v4 ?? (v6 === undefined ? name : `[${v6}]`)}:${port}`
}
