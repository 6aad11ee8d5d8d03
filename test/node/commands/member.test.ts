import { readdir, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { silent } from '../../../client/log.ts'
import { run } from '../../../node/commands/member.ts'
import { handshakeFile, memberFolder } from '../../../node/devnet/handshake.ts'
import { openFolder } from '../../../node/members/folder.ts'
import { committeeOf, NO_CHAIN } from '../committee.ts'
import { scratch } from '../folder.ts'

const coalition = async (...argv: readonly string[]) => {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await run(argv, { out: (text) => void out.push(text), err: (text) => void err.push(text) })
  return { code, out, err }
}

/** A committee of two on disk, and `start` of its first member with more options. */
const committee = async () => {
  const folder = await scratch()
  await committeeOf(2, folder)
  const start = (...more: readonly string[]) =>
    coalition('start', memberFolder(folder, 0), '--config', handshakeFile(folder), '--rpc', NO_CHAIN, '--log-level', 'error', ...more)
  return { folder, start }
}

/** A port that somebody has. */
const taken = async (): Promise<{ readonly port: number } & AsyncDisposable> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

describe('coalition member init', () => {
  it('prints the public halves, as a roster takes them, and the same ones again', async () => {
    const folder = join(await scratch(), 'member')
    const { code, out } = await coalition('init', folder, '--json')
    const keys = JSON.parse(out.join('\n')) as Record<string, string>
    expect([code, Object.keys(keys)]).toEqual([0, ['peer', 'vote']])
    for (const key of Object.values(keys)) expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(await coalition('init', folder)).toMatchObject({ code: 0, out: [`peer ${keys.peer}\nvote ${keys.vote}`] })
    expect((await stat(join(folder, 'link.key'))).mode & 0o777).toBe(0o600)
  })

  it('says in one line where it can make none', async () => {
    const file = join(await scratch(), 'file')
    await writeFile(file, '')
    const { code, err } = await coalition('init', file)
    expect([code, err]).toEqual([1, [expect.stringMatching(/^Member\.FolderError: .*cannot be made.*$/)]])
  })
})

describe('coalition member start', () => {
  it('refuses in one line a folder that another process runs', async () => {
    const { folder, start } = await committee()
    const open = await openFolder(memberFolder(folder, 0), silent)
    const { code, out, err } = await start()
    await open.close()
    expect([code, out]).toEqual([1, []])
    expect(err).toEqual([expect.stringMatching(/^Storage\.StoreError: store .* in use by another process$/)])
  })

  it('refuses in one line keys that have no seat', async () => {
    const { folder } = await committee()
    const stranger = join(folder, 'stranger')
    await coalition('init', stranger)
    const { code, err } = await coalition('start', stranger, '--config', handshakeFile(folder), '--rpc', NO_CHAIN)
    expect([code, err]).toEqual([1, [expect.stringMatching(/^Member\.SeatlessError: .*no seat in the roster.*$/)]])
  })

  it.each([
    ['/ip4/127.0.0.1/tcp/PORT', /^Network\.ListenError: cannot listen on \/ip4\/127\.0\.0\.1\/tcp\/\d+: the port is in use.*$/],
    ['/ip4/127.0.0.1/tcp/PORT/ws', /^Network\.ListenError: cannot listen on \/ip4\/127\.0\.0\.1\/tcp\/\d+\/ws: the port is in use.*$/],
    ['/ip4/203.0.113.7/tcp/0', /^Network\.ListenError: .*no such address.*$/],
    [
      '/ip4/127.0.0.1/udp/4000/quic-v1',
      /^Network\.ListenError: .*only tcp with or without ws, udp with webrtc-direct and udp with quic-v1\/webtransport.*$/,
    ],
    ['4000', /^Network\.ListenError: cannot listen on 4000: is no multiaddr.*$/],
  ])('refuses in one line to listen on %s, and lets go of the folder', async (address, line) => {
    await using somebody = await taken()
    const { folder, start } = await committee()
    const { code, err } = await start('--listen', address.replace('PORT', String(somebody.port)))
    expect([code, err]).toEqual([1, [expect.stringMatching(line)]])
    await (await openFolder(memberFolder(folder, 0), silent)).close()
  })

  it('refuses in one line a health port that somebody has', async () => {
    await using somebody = await taken()
    const { folder, start } = await committee()
    const { code, err } = await start('--http', `127.0.0.1:${somebody.port}`)
    expect([code, err.at(-1)]).toEqual([1, expect.stringMatching(/^Member\.HealthError: .*the port is in use.*$/)])
    expect(await readdir(memberFolder(folder, 0))).not.toContain('http.json')
  })

  it('refuses in one line a ticket that the config does not ask for', async () => {
    const { start } = await committee()
    const { code, err } = await start('--ticket', 'ticket', '--collateral', 'http://127.0.0.1:9')
    expect([code, err]).toEqual([1, [expect.stringMatching(/^Member\.UngatedError: .*asks for none.*$/)]])
  })

  it('refuses in one line the address of nobody', async () => {
    const { start } = await committee()
    const { code, err } = await start('--peer', '/ip4/127.0.0.1/tcp/4000')
    expect([code, err]).toEqual([1, [expect.stringMatching(/^Member\.PeerError: .*peer id$/)]])
  })

  it('refuses in one line to announce where nobody would find it, and lets go of the folder', async () => {
    const { folder, start } = await committee()
    const { code, err } = await start('--announce', '/dns4/member.example/tcp/443/wss', '--announce', '/ip4/192.0.2.7/udp/1/webrtc-direct')
    expect([code, err]).toEqual([1, [expect.stringMatching(/^Member\.AnnounceError: .*webrtc-direct.*nothing listens on that here$/)]])
    await (await openFolder(memberFolder(folder, 0), silent)).close()
  })

  it.each<readonly [string, readonly string[], RegExp]>([
    ['a config that is not there', ['--config', '/nowhere/config.json', '--rpc', NO_CHAIN], /^cannot read \/nowhere\/config\.json/],
    ['no chain', ['--config', 'FILE'], /^start needs --config and --rpc/],
    ['an RPC URL that is none', ['--config', 'FILE', '--rpc', 'nonsense'], /^--rpc: /],
    ['an RPC URL of another protocol', ['--config', 'FILE', '--rpc', 'ws://127.0.0.1:1'], /^--rpc: .*http/],
    ['a level that is none', ['--config', 'FILE', '--rpc', NO_CHAIN, '--log-level', 'loud'], /^--log-level is one of/],
    ['a health address without a port', ['--config', 'FILE', '--rpc', NO_CHAIN, '--http', 'localhost'], /^--http takes HOST:PORT/],
    [
      'a ticket without collateral',
      ['--config', 'FILE', '--rpc', NO_CHAIN, '--ticket', 'ticket'],
      /^--ticket and --collateral go together/,
    ],
    ['a proxy by its name', ['--config', 'FILE', '--rpc', NO_CHAIN, '--proxy', 'proxy.example'], /^--proxy takes an IP address/],
    ['an option that is none', ['--config', 'FILE', '--rpc', NO_CHAIN, '--quiet'], /--quiet/],
  ])('ends with 2 for %s', async (_, argv, line) => {
    const { folder } = await committee()
    const { code, out, err } = await coalition(
      'start',
      memberFolder(folder, 0),
      ...argv.map((word) => (word === 'FILE' ? handshakeFile(folder) : word)),
    )
    expect([code, out]).toEqual([2, []])
    expect(err.join('\n').split('\n')[0]).toMatch(line)
  })
})
