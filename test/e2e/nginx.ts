import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { vi } from 'vitest'
import { freePort } from '../../node/devnet/ports.ts'
import { DAY, makeCertificate } from '../../node/transports/webtransport/certificate.ts'

// nginx on loopback, which speaks TLS in front of members that speak WebSocket. docs/guide.md, "Behind a proxy", has the same lines.

const PROGRAM = ['nginx', '/usr/sbin/nginx'].find((name) => spawnSync(name, ['-v'], { stdio: 'ignore' }).status === 0)
export const hasNginx = PROGRAM !== undefined

export interface Nginx extends AsyncDisposable {
  /** Where each upstream is reached under TLS, in their order. */
  readonly ports: readonly number[]
}

/** What nginx shows, and what Chromium is told to accept of it. */
export interface Shown {
  readonly certificate: string
  readonly key: string
  /** SHA-256 of the key, base64, as `--ignore-certificate-errors-spki-list` takes it. */
  readonly spki: string
}

export const selfSigned = (): Shown => {
  const { certificate, key } = makeCertificate(Date.now() - DAY, Date.now() + 30 * DAY)
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  return { certificate, key, spki: createHash('sha256').update(spki).digest('base64') }
}

const serverOf = (port: number, upstream: number): string => `
  server {
    listen 127.0.0.1:${port} ssl;
    location / {
      limit_conn readers 32;
      limit_req zone=dials burst=32 nodelay;
      proxy_pass http://127.0.0.1:${upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_buffering off;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }
  }`

// One process, which is the one that is ended; its files are all in the folder.
const configOf = (folder: string, servers: readonly string[]): string => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  limit_conn_zone $binary_remote_addr zone=readers:1m;
  limit_req_zone $binary_remote_addr zone=dials:1m rate=8r/s;
  ssl_certificate ${folder}/certificate.pem;
  ssl_certificate_key ${folder}/key.pem;
${servers.join('\n')}
}
`

/** Starts it before these ports of 127.0.0.1, each under a port of its own. */
export const startNginx = async (folder: string, upstreams: readonly number[], { certificate, key }: Shown): Promise<Nginx> => {
  const ports: number[] = []
  for (const _ of upstreams) ports.push(await freePort())
  await writeFile(join(folder, 'certificate.pem'), certificate)
  await writeFile(join(folder, 'key.pem'), key, { mode: 0o600 })
  const servers = upstreams.map((upstream, i) => serverOf(ports[i] as number, upstream))
  await writeFile(join(folder, 'nginx.conf'), configOf(folder, servers))
  const words = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]
  const child = spawn(PROGRAM as string, words, { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  await Promise.race([
    Promise.all(ports.map((port) => vi.waitUntil(() => isOpen(port), { timeout: 10_000, interval: 50 }))),
    ended.then(([code]) => Promise.reject(new Error(`nginx ended with ${code}`))),
  ])
  return { ports, [Symbol.asyncDispose]: () => end(child, ended) }
}

const end = async (child: ChildProcess, ended: Promise<unknown>): Promise<void> => {
  child.kill('SIGTERM')
  await ended
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const settle = (open: boolean) => (): void => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', settle(true)).once('error', settle(false))
  })
