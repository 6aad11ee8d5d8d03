import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatConfig, identify } from '../../../client/lattice/tally/config.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import * as command from '../../../node/commands/id.ts'
import { configOf } from '../../lattice/tally/fixtures.ts'
import { extra, hexOf, members, type Vector, vectors } from '../../vectors/identity.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coalition-id-'))
})
afterAll(() => rm(folder, { recursive: true }))

const file = async (content: unknown): Promise<string> => {
  const path = join(folder, 'config.json')
  await writeFile(path, typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content))
  return path
}
const run = async (...argv: string[]) => {
  const io = { out: '', err: '' }
  const code = await command.run(argv, {
    out: (text) => {
      io.out += `${text}\n`
    },
    err: (text) => {
      io.err += `${text}\n`
    },
  })
  return { code, ...io }
}
/** Ids by row name, from --json. */
const ids = async (...argv: string[]): Promise<Readonly<Record<string, string>>> => {
  const { code, out, err } = await run('--json', ...argv)
  expect(err).toBe('')
  expect(code).toBe(0)
  const rows = JSON.parse(out) as { name: string; id: string; formula: string }[]
  for (const row of rows) expect(Object.keys(row)).toEqual(['name', 'id', 'formula'])
  return Object.fromEntries(rows.map((row) => [row.name, row.id]))
}
const refs = (list: unknown, role?: string) =>
  (list as (Vector | string)[]).map((each) => ({ ...(role && { role }), ...(typeof each === 'string' ? { stableId: each } : each) }))

describe('coalition id prints the ids of the vectors', () => {
  it('text and derive', async () => {
    for (const vector of members(vectors, 'ids')) {
      expect((await ids('text', '--', String(vector.input))).id).toBe(vector.uniqueId)
      const derived = await ids('derive', '--', String(vector.input), 'module', 'atlas')
      expect([derived.module, derived.atlas]).toEqual([vector.derive_module, vector.derive_module_atlas])
    }
  })

  it('lattice', async () => {
    for (const vector of members(vectors, 'lattices')) {
      const organism = { content: vector.withContentFingerprint, acl: vector.withAclFingerprint }
      const six = { zipnet: organism, unseal: organism, offer: organism, atelier: organism, relay: organism, tally: organism }
      const found = await ids('lattice', await file({ name: vector.instanceName, chainId: vector.chainId, ...six }))
      expect([found.LATTICE, found.citizen_id, found.lattice_id]).toEqual([vector.stableId, vector.citizenId, vector.latticeId])
      for (const o of Object.keys(six)) {
        expect(found[`root(${o})`]).toBe((vector.roots as Vector)[o])
        expect(found[`committee(${o})`]).toBe((vector.committees as Vector)[o])
      }
    }
  })

  it('tally by its own config, and the same inside a lattice', async () => {
    const config = configOf()
    const group = hexOf(identify(UNIVERSE, config).group)
    const published = formatConfig(config)
    const alone = await ids('tally', await file(published))
    expect(alone['committee(tally)']).toBe(group)
    expect((await ids('derive', String(alone['config(tally)']), 'refunds')).refunds).toBe(alone['surface(refunds)'])
    const print = { content: 'ab'.repeat(32), acl: 'cd'.repeat(32) }
    const { lattice, ...values } = published
    const six = { ...lattice, zipnet: print, unseal: print, offer: print, atelier: print, relay: print, tally: values }
    const whole = await ids('lattice', await file(six))
    expect([whole.LATTICE, whole['committee(tally)']]).toEqual([alone.LATTICE, group])
    const coalition = await ids('coalition', await file({ name: 'x', lattices: [six] }))
    expect(coalition['lattices[0]']).toBe(alone.LATTICE)
  })

  it('organism and confluence', async () => {
    for (const vector of members(vectors, 'organisms')) {
      const published = {
        name: vector.instanceName,
        network: vector.networkId,
        content: vector.contentFingerprint,
        acl: vector.aclFingerprint,
      }
      const found = await ids('organism', await file(published))
      expect([found.stable_id, found.citizen_id, found.content_hash, found.committee]).toEqual([
        vector.stableId,
        vector.citizenId,
        vector.contentHash,
        vector.committee,
      ])
    }
    for (const vector of members(vectors, 'confluences')) {
      const published = {
        name: vector.name,
        lattices: refs(vector.lattices),
        organisms: refs(vector.organisms, 'any'),
        content: vector.contentFingerprint,
        acl: vector.aclFingerprint,
      }
      const found = await ids('confluence', await file(published))
      expect([found.CONFLUENCE, found.committee]).toEqual([vector.confluenceId, vector.committee])
    }
  })

  it('coalition, with its modules and issuer', async () => {
    const [intents, ledger] = members(vectors, 'confluences').map((vector) => ({
      name: vector.name,
      lattices: refs(vector.lattices),
      organisms: refs(vector.organisms, 'any'),
      content: vector.contentFingerprint,
      acl: vector.aclFingerprint,
    }))
    for (const vector of members(vectors, 'coalitions').filter((each) => each.ticketIssuer === null)) {
      const confluences = (vector.confluences as string[]).length > 0 ? [intents, ledger] : []
      const published = { name: vector.name, lattices: refs(vector.lattices), organisms: refs(vector.organisms, 'any'), confluences }
      const found = await ids('coalition', await file(published))
      expect([found.COALITION, found.ROOT]).toEqual([vector.coalition, vector.coalitionRoot])
      expect(found.atlas).toBeUndefined()
      expect(found.tickets).toBeUndefined()
    }
    const [issuer] = members(extra, 'issuers')
    const atlas = { name: 'atlas', content: intents?.content, acl: intents?.acl }
    const found = await ids('coalition', await file({ name: 'x', confluences: [atlas], ticketIssuer: issuer }))
    expect(found.issuer_fp).toBe(issuer?.issuerFingerprint)
    expect(Object.keys(found)).toEqual(['COALITION', 'confluences[0]', 'issuer_fp', 'ROOT', 'atlas', 'committee(atlas)', 'tickets'])
    expect((await ids('derive', String(found.ROOT), 'module', 'atlas', 'committee')).committee).toBe(found['committee(atlas)'])
    expect((await ids('derive', String(found.ROOT), 'tickets')).tickets).toBe(found.tickets)
    expect(await ids('confluence', await file(atlas))).toEqual({ CONFLUENCE: found['confluences[0]'] })
  })

  it('fingerprint, issuer, ticket, tdx', async () => {
    for (const vector of members(extra, 'fingerprints'))
      for (const side of ['content', 'acl'])
        expect((await ids('fingerprint', side, String(vector.schema), String(vector.canonical)))[`${side}_fingerprint`]).toBe(vector[side])
    for (const vector of members(extra, 'issuers'))
      expect((await ids('issuer', await file(vector))).issuer_fp).toBe(vector.issuerFingerprint)
    for (const vector of members(extra, 'tickets'))
      expect((await ids('ticket', String(vector.label), String(vector.data))).ticket).toBe(vector.ticketId)
    for (const vector of members(extra, 'reports')) {
      const words = [
        vector.peer,
        vector.network,
        vector.startedAt,
        vector.quotedAt,
        ...(vector.expiresAt === null ? [] : [vector.expiresAt]),
      ].map(String)
      expect((await ids('tdx', 'report', ...words))['report_data[0..32]']).toBe(vector.reportData)
    }
    for (const { signature, ...registers } of members(extra, 'criteria')) {
      const words = Object.entries(registers).map(([name, value]) => `${name}=${value}`)
      expect((await ids('tdx', 'criteria', ...words)).criteria).toBe(signature)
    }
    for (const vector of members(extra, 'validators'))
      expect((await ids('tdx', 'validator', await file(vector))).validator).toBe(vector.signature)
  })
})

describe('coalition id as a command', () => {
  it('each line has the name, the id and the formula with its inputs', async () => {
    const { code, out } = await run('text', 'mosaik.universe')
    expect(code).toBe(0)
    expect(out).toBe('id  b82b6f3b4a1e53d2d56523f5a7b1974e3842ac37a068cc302286065a8853cf43  = H("mosaik.universe")\n')
    const derived = await run('derive', 'mosaik.universe', 'module')
    expect(derived.out.split('\n')[1]).toMatch(/^module {2}a69941a9\w{56} {2}= derive\(b82b6f3b\w{56}, "module"\)$/)
  })

  it('has help with examples, on stdout', async () => {
    for (const flag of ['--help', '-h']) {
      const { code, out } = await run(flag)
      expect(code).toBe(0)
      expect(out).toContain('coalition id text mosaik.universe')
    }
    expect(command.name).toBe('id')
    expect(command.summary).not.toBe('')
  })

  it('exits 2 for what it cannot use', async () => {
    const hex = 'ab'.repeat(32)
    const unusable: readonly (readonly string[])[] = [
      [],
      ['nothing'],
      ['text'],
      ['text', 'a', 'b'],
      ['text', 'a', '--wat'],
      ['derive', 'a'],
      ['fingerprint', 'both', 's', '00'],
      ['fingerprint', 'acl', 's', '0'],
      ['ticket', 'jwt', 'xx'],
      ['lattice', join(folder, 'absent.json')],
      ['lattice', folder],
      ['tdx', 'report', hex, 'net', '1'],
      ['tdx', 'report', 'ab', 'net', '1', '2'],
      ['tdx', 'report', hex, 'net', '1', '-- 2'],
      ['tdx', 'criteria', 'mrtd'],
      ['tdx', 'criteria', 'mrtd=ab'],
      ['tdx', 'criteria', `rtmr4=${'ab'.repeat(48)}`],
      ['tdx', 'wat'],
    ]
    for (const argv of unusable) {
      const { code, out, err } = await run(...argv)
      expect([code, out], argv.join(' ')).toEqual([2, ''])
      expect(err).toContain('coalition id --help')
    }
    for (const content of ['{', '[]', '{"name":"x","chainId":1.5}']) {
      const { code, err } = await run('lattice', await file(content))
      expect([code, err.includes('refused')]).toEqual([2, false])
    }
    // One byte of the name is not UTF-8: read leniently it would be U+FFFD, and the organism another one.
    const organism = Buffer.from(JSON.stringify({ name: '~', content: hex, acl: hex }))
    expect((await run('organism', await file(organism))).code).toBe(0)
    expect((await run('organism', await file(organism.map((byte) => (byte === 0x7e ? 0xff : byte))))).code).toBe(2)
    expect((await run('coalition', await file({ name: 'x', organisms: [{ role: 'r' }] }))).err).toContain('$.organisms[0].stableId')
  })

  it('exits 1 for well-formed input that identity refuses', async () => {
    const hex = 'ab'.repeat(32)
    const organism = { content: hex, acl: hex }
    const refused: readonly (readonly [string, unknown])[] = [
      ['lattice', { name: 'a', chainId: 1, tally: organism }],
      ['organism', { name: 'a|b', ...organism }],
      ['confluence', { name: 'ledger', lattices: [{ stableId: hex }], ...organism }],
      ['coalition', { name: 'x', lattices: [{ stableId: hex }], organisms: [{ role: 'r', stableId: hex }] }],
      ['issuer', { name: 'x', keys: [hex, hex], acl: hex }],
    ]
    for (const [subject, content] of refused) {
      const { code, out, err } = await run(subject, await file(content))
      expect([code, out], subject).toEqual([1, ''])
      expect(err).toMatch(/^coalition id: refused: /)
    }
    expect((await run('fingerprint', 'acl', 'a|b', '00')).code).toBe(1)
  })
})
