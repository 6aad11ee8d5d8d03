import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatConfig, identify } from '../../../client/lattice/tally/config.ts'
import type { RefundItem } from '../../../client/lattice/tally/refund.ts'
import { toHex } from '../../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import * as explain from '../../../node/commands/explain.ts'
import * as read from '../../../node/commands/read.ts'
import * as verify from '../../../node/commands/verify.ts'
import type { NodeHost } from '../../../node/host.ts'
import type { Command } from '../../../node/io.ts'
import { provider } from '../../lattice/tally/fixtures.ts'
import type { Chain } from '../../network/chain.ts'
import { serveTally, tallyChain, tallyOf } from '../../network/tally.ts'

// The three commands over real sockets: four members, two of whose vote keys sign a second history as well.

const config = tallyOf(4)
const group = toHex(identify(UNIVERSE, config).group)
const address = `0x${toHex(provider(3))}`
let folder = ''
let handshake = ''
let hosts: readonly NodeHost[] = []
/** What each member serves. */
const serving: Chain<RefundItem>[] = []

const file = (name: string): string => join(folder, name)
const run = async (command: Pick<Command, 'run'>, ...argv: string[]) => {
  const io = { out: '', err: '' }
  const to = (name: 'out' | 'err') => (text: string) => {
    io[name] += `${text}\n`
  }
  const code = await command.run(argv, { out: to('out'), err: to('err') })
  return { code, ...io }
}
const COMMANDS = { read, verify, explain }
const json = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coalition-read-'))
  const now = Date.now()
  const [honest, other] = [tallyChain(config, now - 60_000), tallyChain(config, now - 60_000)]
  for (const side of [honest, other]) for (let i = 1n; i <= 5n; i++) side.pay(i, { signers: [0, 1, 2, 3] })
  honest.pay(6n, { timeMs: now, signers: [0, 1, 2] })
  other.pay(7n, { timeMs: now, signers: [0, 1, 3] })
  serving.push(honest.chain, honest.chain, honest.chain, other.chain)
  hosts = await Promise.all([0, 1, 2, 3].map((member) => serveTally(member, () => serving[member] as Chain<RefundItem>)))
  const bootstrap = hosts.slice(0, 3).map((host) => host.addresses()[0])
  handshake = file('handshake.json')
  await writeFile(handshake, JSON.stringify({ tally: formatConfig(config), bootstrap }))
  await writeFile(file('config.json'), JSON.stringify(formatConfig(config)))
})
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.close()))
  await rm(folder, { recursive: true })
})

describe('coalition read', () => {
  it('TAL-03 prints the newest refund and its verdict', async () => {
    const { code, out } = await run(read, '--config', handshake, '--json')
    expect(code).toBe(0)
    expect(json(out)).toMatchObject([{ event: 'value', value: { slot: '6' }, verdict: { ok: true, at: { group, index: '6' } } }])
    const text = await run(read, '--config', file('config.json'), '--bootstrap', hosts[1]?.addresses()[0] ?? '')
    expect([text.code, text.out]).toEqual([
      0,
      expect.stringMatching(/^block 6: 1000006 wei, 0x[\s\S]*commit\.signatures: expected 3 of 4 needed/),
    ])
  })

  it('TAL-07 prints all refunds of an address or a block, none too, and exports them for verify', async () => {
    const mine = await run(read, '--config', handshake, '--address', address, '--export', file('mine.json'), '--json')
    expect(mine.code).toBe(0)
    expect(json(mine.out)).toMatchObject([
      { value: [{ slot: '2' }, { slot: '3' }], verdict: { disclosed: expect.stringMatching(/^bucket of/) } },
    ])
    const none = await run(read, '--config', handshake, '--slot', '99', '--json')
    expect(json(none.out)).toMatchObject([{ value: [], verdict: { ok: true } }])

    const offline = await run(verify, file('mine.json'), '--config', handshake, '--json')
    expect(offline.code).toBe(0)
    expect(json(offline.out)).toMatchObject([{ ok: true, pinned: true, group, kind: 'answer', value: [{ slot: '2' }, { slot: '3' }] }])
    expect((await run(verify, file('mine.json'))).out).toContain(`group ${group} of tally.refunds, by the config in the file`)
  })

  it('PROTOCOL 1 Strength: 2 liars withstood reads what all four signed; 3 is refused with its reason', async () => {
    const { out, code } = await run(read, '--config', handshake, '--withstand', '2', '--json')
    expect([code, json(out)]).toMatchObject([0, [{ value: { slot: '5' } }]])
    expect(await run(read, '--config', handshake, '--withstand', '3')).toMatchObject({
      code: 1,
      err: expect.stringContaining('a committee of 4 cannot withstand 3: 5 signatures would be needed'),
    })
  })

  it('exports one refund with its raw evidence; verify accepts it, and refuses it with a bit turned or under another config', async () => {
    expect((await run(read, '--config', handshake, '--export', file('one.json'))).code).toBe(0)
    const { code, out } = await run(verify, file('one.json'), '--config', file('config.json'))
    expect([code, out]).toEqual([0, expect.stringMatching(/passed {3}evidence\.inclusion/)])
    const evidence = JSON.parse(await readFile(file('one.json'), 'utf8')) as { readonly certificate: string }
    const last = evidence.certificate.endsWith('0') ? '1' : '0'
    await writeFile(file('bent.json'), JSON.stringify({ ...evidence, certificate: evidence.certificate.slice(0, -1) + last }))
    expect(await run(verify, file('bent.json'))).toMatchObject({ code: 1, err: expect.stringContaining('commit.signatures') })
    await writeFile(file('other.json'), JSON.stringify(formatConfig(tallyOf(5))))
    const pinned = await run(verify, file('one.json'), '--config', file('other.json'), '--json')
    expect([pinned.code, json(pinned.out)]).toMatchObject([1, [{ ok: false, problem: expect.stringContaining('start.point') }]])
  })

  it('Must show: finds the second history, exports the proof, and verify confirms it offline with names', async () => {
    const all = hosts.flatMap((host) => ['--bootstrap', host.addresses()[0] as string])
    const { code, out, err } = await run(read, '--config', handshake, ...all, '--follow', '--export', file('proof.json'), '--json')
    expect([code, err]).toEqual([1, expect.stringContaining('two certified blocks at index 6')])
    expect(json(out).at(-1)).toMatchObject({ event: 'refused', verdict: { ok: false, integrity: { state: 'red' } } })
    const words = await run(verify, file('proof.json'), '--config', handshake)
    expect(words.code).toBe(0)
    expect(words.out).toMatch(
      /^proof holds: at least 2 members signed two histories\n {2}member 0, operator 0, .*\n {2}member 1, operator 1/,
    )
    expect(words.out).toContain('at least 2 of the committee lied')
    expect(json((await run(verify, file('proof.json'), '--json')).out)).toMatchObject([
      { ok: true, kind: 'equivocation', index: '6', liars: 2, signedBoth: [{ member: 0 }, { member: 1 }] },
    ])
    expect((await run(explain, file('proof.json'))).out).toMatch(/proof that a committee signed two histories[\s\S]*History was rewritten/)
  })
})

describe('coalition explain', () => {
  it('says what a verdict says, alone, with its value or in evidence, and what each check means', async () => {
    const { out } = await run(read, '--config', handshake, '--json')
    const [value] = json(out)
    await writeFile(file('value.json'), JSON.stringify(value))
    await writeFile(file('verdict.json'), JSON.stringify(value?.verdict))
    for (const name of ['value.json', 'verdict.json']) {
      const told = await run(explain, file(name))
      expect(told.code).toBe(0)
      expect(told.out).toMatch(/no check failed\.[\s\S]*Enough members of the roster signed finalize votes/)
    }
    expect(json((await run(explain, file('value.json'), '--json')).out)).toMatchObject([
      { kind: 'value', verdict: { ok: true }, meaning: { 'commit.signatures': { source: expect.stringContaining('PROTOCOL') } } },
    ])
  })

  it('does not let a file write over the terminal, and refuses a verdict that is none', async () => {
    const { out } = await run(read, '--config', handshake, '--json')
    const verdict = json(out)[0]?.verdict as object
    await writeFile(file('evil.json'), JSON.stringify({ ...verdict, assumes: 'nothing\u001b[2J\u009b1A\u202e' }))
    const { code, out: said } = await run(explain, file('evil.json'))
    expect(code).toBe(0)
    expect(said).not.toMatch(/[^\P{C}\n]/u)
    expect(said).toContain('nothing\ufffd[2J\ufffd1A\ufffd')
    await writeFile(file('none.json'), JSON.stringify({ ...verdict, integrity: { checks: [{ name: 'made.up' }] } }))
    expect(await run(explain, file('none.json'))).toMatchObject({ code: 2, err: expect.stringContaining('$.integrity.checks[0].name') })
  })
})

describe('unusable input ends with 2 and one line', () => {
  it.each([
    ['read', []],
    ['read', ['--config', '/nowhere/handshake.json']],
    ['read', ['--config', 'CONFIG']],
    ['read', ['--config', 'HANDSHAKE', '--slot', 'x']],
    ['read', ['--config', 'HANDSHAKE', '--address', '0x12']],
    ['read', ['--config', 'HANDSHAKE', '--slot', '1', '--follow']],
    ['read', ['--config', 'HANDSHAKE', '--withstand', '-1']],
    ['read', ['--nonsense']],
    ['verify', []],
    ['verify', ['/nowhere/file.json']],
    ['verify', ['HANDSHAKE']],
    ['verify', ['/dev/zero']],
    ['explain', []],
    ['explain', ['HANDSHAKE']],
  ] as const)('%s %j', async (name, words) => {
    const argv = words.map((word) => (word === 'CONFIG' ? file('config.json') : word === 'HANDSHAKE' ? handshake : word))
    const { code, err, out } = await run(COMMANDS[name], ...argv)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^coalition (read|verify|explain): .+\ntry: coalition /)
  })

  it('ends with 1 where nobody answers, naming the ids and no cause', async () => {
    const nobody = '/ip4/127.0.0.1/tcp/9/ws/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
    const { code, err } = await run(read, '--config', handshake, '--bootstrap', nobody, '--timeout', '1')
    expect([code, err]).toEqual([1, expect.stringContaining(group)])
  })

  it.each(['read', 'verify', 'explain'] as const)('%s --help shows examples', async (name) => {
    const { code, out } = await run(COMMANDS[name], '--help')
    expect([code, out]).toEqual([0, expect.stringMatching(/\n {2}coalition \w+ .*json/)])
  })
})
