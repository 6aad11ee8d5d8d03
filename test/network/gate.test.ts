import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { tdxGate } from '../../client/coalition/tickets/tdx-gate.ts'
import { tdx } from '../../client/coalition/tickets/tdx-validator.ts'
import type { HeldTicket } from '../../client/groups/source.ts'
import { identify } from '../../client/lattice/tally/config.ts'
import { type Refunds, read as readTally, type TallyConfig } from '../../client/lattice/tally/index.ts'
import { silent } from '../../client/log.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { TDX_CLASS } from '../../client/network/tickets/ticket.ts'
import { type Bytes, equal, fromHex, toHex, utf8 } from '../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { INTEL_ROOT } from '../../client/verify/attestation.ts'
import { collateralBytes, readCollateral } from '../../client/verify/collateral/index.ts'
import type { Check, EvidenceError } from '../../client/verify/verdict.ts'
import { openNetwork } from '../../node/connect.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'
import { hash } from '../../wasm/core.ts'
import { gateOf, MRTD, ticketFor, type Wrong } from '../devnet/_quoting.ts'
import { newPki, writeCollateral } from '../verify/_collateral-writer.ts'
import { type TallyChain, tallyChain, tallyOf } from './tally.ts'

// TDX.md, "Tickets of a committee": a reader counts only those signers whose tickets verify now, by its own checks, whoever brought them.

const ALL = [0, 1, 2, 3]
const AT = Math.floor(Date.now() / 1_000)
const pki = newPki(AT)
const collateral = collateralBytes(readCollateral(writeCollateral(pki)))

const gated = (gate = gateOf(pki)): TallyConfig => {
  const { acl, ...config } = tallyOf(4)
  return { ...config, acl: { ...acl, admission: { kind: 'tdx', value: gate } } }
}

const ticketsOf = (config: TallyConfig, wrong: Readonly<Record<number, Wrong | 'none'>>): readonly HeldTicket[] => {
  const { group, roster } = identify(UNIVERSE, config)
  return roster.members.flatMap(({ peer, vote }, seat) => {
    if (wrong[seat] === 'none') return []
    const request = { seat, peer: toHex(peer), network: toHex(UNIVERSE), group: toHex(group), epoch: 0, voteKey: toHex(vote) }
    const data = ticketFor(pki, request as never, { at: AT, lifetime: 3_600, wrong: (wrong[seat] as Wrong | undefined) ?? null })
    return [{ member: seat, class: TDX_CLASS, data, collateral: [hash(collateral)] }]
  })
}

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

interface Scene {
  readonly tally: TallyChain
  /** @param storage a folder to keep in */
  readonly read: (storage?: string, timeout?: number) => Promise<Refunds>
  /** Ends the servers of all members. */
  readonly leave: () => Promise<unknown>
}

const sceneOf = async (
  wrong: Readonly<Record<number, Wrong | 'none'>>,
  signers: readonly number[] = ALL,
  config = gated(),
): Promise<Scene> => {
  const tally = tallyChain(config, Date.now() - 10_000)
  for (let block = 1n; block <= 3n; block++) tally.pay(block, { signers })
  tally.chain.commit([], { timeMs: Date.now(), signers })
  const tickets = ticketsOf(config, wrong)
  const source = () => ({
    ...tally.chain.source(),
    tickets: () => tickets,
    blob: async (wanted: Bytes) => (equal(wanted, hash(collateral)) ? collateral : tally.chain.source().blob(wanted)),
  })
  const hosts: NodeHost[] = []
  for (const member of ALL) {
    const host = await createNodeHost({ seed: hash(utf8(`peer ${member}`)), listen: ['/ip4/127.0.0.1/tcp/0/ws'], log: silent })
    open.push(() => host.close())
    await host.handle(
      LIGHT_PROTOCOL,
      serveLight(() => [source()], host),
    )
    hosts.push(host)
  }
  const bootstrap = hosts.map((host) => host.addresses()[0] as string)
  const beat = setInterval(() => tally.chain.commit([], { timeMs: Date.now(), signers }), 1_000)
  open.push(async () => clearInterval(beat))
  return {
    tally,
    read: async (storage, timeout = 15_000) => {
      const network = await openNetwork({ bootstrap, ...(storage !== undefined && { storage }) })
      open.push(async () => network[Symbol.asyncDispose]())
      return readTally(network, config, { timeout })
    },
    leave: () => Promise.all(hosts.map((host) => host.close())),
  }
}

const quoteCheck = (checks: readonly Check[]): Check | undefined => checks.find(({ name }) => name === 'quote.chain')
const refused = async (scene: Scene): Promise<Check | undefined> => {
  const error = await scene.read().then(
    () => null,
    (thrown: unknown) => thrown as EvidenceError,
  )
  expect(error?.name).toBe('Verify.EvidenceError')
  return quoteCheck(error?.verdict.authority.checks ?? [])
}

test('four members whose tickets hold: a green check with what was measured, and the development root by name', async () => {
  const refunds = await (await sceneOf({})).read()
  const { verdict } = await refunds.latest()
  expect(verdict.authority.state).toBe('green')
  expect(quoteCheck(verdict.authority.checks)).toMatchObject({ state: 'passed', expected: '3 attested signers' })
  expect(quoteCheck(verdict.authority.checks)?.found).toMatch(
    new RegExp(`^4 of 4 signers attested, MR_TD ${toHex(MRTD)}, under a development root [0-9a-f]{64}$`),
  )
  expect(refunds.state.peers.map(({ ticket }) => ticket?.isAttested)).toEqual([true, true, true, true])
})

test.each<[Wrong | 'none', RegExp]>([
  ['mrtd', /operator 3 does not count: ticket\.mrtd failed/],
  ['reportData', /operator 3 does not count: ticket\.reportData failed/],
  ['key', /operator 3 does not count: ticket\.voteKey failed/],
  ['expiry', /operator 3 does not count: ticket\.expiry failed/],
  ['none', /operator 3 does not count: no ticket was shown/],
])('a member whose ticket is wrong (%s) is not counted, and the verdict says which and why', async (wrong, words) => {
  const refunds = await (await sceneOf({ 3: wrong })).read()
  const found = quoteCheck((await refunds.latest()).verdict.authority.checks)
  expect(found).toMatchObject({ state: 'passed' })
  expect(found?.found).toMatch(/^3 of 4 signers attested/)
  expect(found?.found).toMatch(words)
  expect(refunds.state.peers[3]?.ticket).toMatchObject({ isAttested: false, mrTd: null })
})

test('two members whose tickets are wrong: three cannot be reached, and nothing is shown', async () => {
  const found = await refused(await sceneOf({ 2: 'mrtd', 3: 'expiry' }))
  expect(found).toMatchObject({ state: 'failed', expected: '3 attested signers' })
  expect(found?.found).toMatch(
    /^2 of 4 attested; operator 2 does not count: ticket\.mrtd failed.*; operator 3 does not count: ticket\.expiry/,
  )
})

test('a quorum that holds the vote of a member that does not count is not enough, and with the late vote of another it is', async () => {
  const scene = await sceneOf({ 3: 'mrtd' }, [1, 2, 3])
  const reading = scene.read()
  const grow = setInterval(() => scene.tally.chain.grow(scene.tally.chain.head.index, ALL), 300)
  open.push(async () => clearInterval(grow))
  const found = quoteCheck((await (await reading).latest()).verdict.authority.checks)
  expect(found?.found).toMatch(/^3 of 4 signers attested/)
})

test('the three that count are enough when the fourth signs nothing', async () => {
  const refunds = await (await sceneOf({ 3: 'mrtd' }, [0, 1, 2])).read()
  expect(quoteCheck((await refunds.latest()).verdict.authority.checks)?.found).toMatch(/^3 of 3 signers attested/)
})

test('a config that pins Intel’s root accepts no quote of another one, though every other byte is right', async () => {
  const config = gated(tdxGate(fromHex(INTEL_ROOT), tdx().requireMrtd(MRTD).config))
  const found = await refused(await sceneOf({}, ALL, config))
  expect(found?.found).toMatch(/^0 of 4 attested; operator 0 does not count: no collateral for its quote holds/)
})

test('a kept head is shown to nobody before tickets of its signers hold again: it is what servers have to go on from', async () => {
  const scene = await sceneOf({})
  const folder = await mkdtemp(join(tmpdir(), 'coalition-gate-'))
  open.push(() => rm(folder, { recursive: true }))
  await (await scene.read(folder))[Symbol.asyncDispose]()
  const again = await scene.read(folder)
  const { verdict } = await again.latest()
  expect(verdict.authority.checks.find(({ name }) => name === 'start.point')?.found).toMatch(/^stored head \d+, \d+ s old$/)
  expect(quoteCheck(verdict.authority.checks)).toMatchObject({ state: 'passed' })
  await again[Symbol.asyncDispose]()
  await scene.leave()
  await expect(scene.read(folder, 1_000)).rejects.toMatchObject({ name: 'Network.ConnectTimeoutError' })
})

test('another root, or another measurement, is another group', () => {
  const groupOf = (config: TallyConfig): string => toHex(identify(UNIVERSE, config).group)
  const { root } = gateOf(pki)
  const groups = [
    gated(),
    gated(tdxGate(fromHex(INTEL_ROOT), tdx().requireMrtd(MRTD).config)),
    gated(tdxGate(root, tdx().config)),
    tallyOf(4),
  ]
  expect(new Set(groups.map(groupOf)).size).toBe(4)
})
