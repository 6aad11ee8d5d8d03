import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Log } from '../../../client/log.ts'
import { createChainReader } from '../../../node/chain/reader.ts'
import { memberFolder } from '../../../node/devnet/handshake.ts'
import { connect, Tally } from '../../../node/index.ts'
import { type MemberOptions, startTally } from '../../../node/members/tally.ts'
import { healthOf } from '../../../node/metrics/status.ts'
import { committeeOf, NO_CHAIN } from '../committee.ts'
import { scratch } from '../folder.ts'

/** Starts the one member of a committee; what it logs comes with it. */
const start = async (folder: string, more: Partial<MemberOptions> = {}) => {
  const config = await committeeOf(1, folder)
  const said: string[] = []
  const log: Log = (_, message, facts) => void said.push(`${message} ${JSON.stringify(facts)}`)
  const member = await startTally({
    folder: memberFolder(folder, 0),
    config,
    chain: createChainReader({ urls: [NO_CHAIN] }),
    listen: ['/ip4/127.0.0.1/tcp/0/ws'],
    log,
    onChain: () => {},
    ...more,
  })
  return { member, config, said }
}

describe('PROTOCOL 1 Loss: a member whose vote record is damaged', () => {
  it('votes no more, says what to do, and serves what it has', async () => {
    const folder = await scratch()
    const { member: whole } = await start(folder)
    await expect.poll(() => whole.newest(), { timeout: 15_000 }).toBeGreaterThan(0n)
    expect(whole.status()).toMatchObject({ voting: 'voting', problem: null, n: 1, quorum: 1, seat: 0, lightStreams: 0 })
    await whole[Symbol.asyncDispose]()
    const votes = join(memberFolder(folder, 0), 'votes')
    for (const name of await readdir(votes)) if (name.startsWith('MANIFEST')) await rm(join(votes, name))

    const { member, config, said } = await start(folder)
    expect(member.newest()).toBeGreaterThan(0n)
    expect(member.status()).toMatchObject({
      voting: 'stopped',
      problem: expect.stringMatching(/^Storage\.VoteRecordError: .*must not vote again.*coalition member init/),
    })
    const { ok, reasons } = healthOf(member.status(), Date.now())
    expect([ok, reasons.join('\n')]).toEqual([false, expect.stringMatching(/votes no more: Storage\.VoteRecordError/)])
    expect(said.join('\n')).toContain('Storage.VoteRecordError')

    const network = await connect({ bootstrap: member.addresses })
    const refunds = await Tally.read(network, config, { timeout: 15_000 })
    await expect.poll(() => member.status().lightStreams, { timeout: 15_000 }).toBeGreaterThan(0)
    await refunds[Symbol.asyncDispose]()
    await network[Symbol.asyncDispose]()
    await expect.poll(() => member.status().lightStreams, { timeout: 15_000 }).toBe(0)
    await member[Symbol.asyncDispose]()
  })
})

describe('a member that is reached elsewhere than where it listens', () => {
  it('says where that is, with its peer id, to its operator and to others', async () => {
    const announce = ['/dns4/member.example/tcp/443/wss', '/ip4/203.0.113.7/tcp/4001/ws']
    const { member } = await start(await scratch(), { announce })
    const id = /\/p2p\/12D3KooW\w{44}$/.exec(member.addresses[0] ?? '')?.[0]
    expect(member.addresses).toEqual(announce.map((address) => `${address}${id}`))
    expect(member.status().addresses).toEqual(member.addresses)
    await member[Symbol.asyncDispose]()
  })
})
