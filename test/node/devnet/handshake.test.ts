import { readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { tdxGate } from '../../../client/coalition/tickets/tdx-gate.ts'
import { tdx } from '../../../client/coalition/tickets/tdx-validator.ts'
import { handshakeFile, handshakeOf, type Plan, publish } from '../../../node/devnet/handshake.ts'
import { UsageError } from '../../../node/io.ts'
import { scratch } from '../folder.ts'

const GATE = tdxGate(new Uint8Array(32).fill(3), tdx().requireMrtd('a0'.repeat(48)).config)

const plan = (folder: string, changed: Partial<Plan> = {}): Plan => ({
  folder,
  chainId: 31_337n,
  origin: new Uint8Array(32).fill(7),
  feeRecipient: new Uint8Array(20).fill(9),
  members: null,
  ...changed,
})

describe('handshakeOf', () => {
  it('makes a committee of four, each with a folder of its own, and goes on with it', async () => {
    const folder = await scratch()
    const config = await handshakeOf(plan(folder))
    const { members } = config.acl.roster
    expect(new Set(members.flatMap(({ peer, vote }) => [peer, vote].map(String))).size).toBe(8)
    expect((await readdir(folder)).sort()).toEqual(['handshake.json', 'member-1', 'member-2', 'member-3', 'member-4'])
    await publish(folder, config, ['/ip4/127.0.0.1/tcp/4000/ws'])
    expect(await handshakeOf(plan(folder))).toEqual(config)
    expect(await handshakeOf(plan(folder, { members: 4 }))).toEqual(config)
  })

  it.each<readonly [string, Partial<Plan>, RegExp]>([
    ['another number of members', { members: 1 }, /is of a committee of 4, this one would have 1: remove the folder/],
    [
      'a committee of keys alone',
      { gate: GATE },
      /is of a committee without quotes, this one would be one with quotes of the gate \{"root":/,
    ],
    ['another chain', { origin: new Uint8Array(32) }, /is of the chain that begins at 0707/],
  ])('refuses a folder of %s, and leaves it as it is', async (_, changed, problem) => {
    const folder = await scratch()
    await handshakeOf(plan(folder))
    const before = await readFile(handshakeFile(folder), 'utf8')
    await expect(handshakeOf(plan(folder, changed))).rejects.toMatchObject({
      name: 'Devnet.HandshakeError',
      message: expect.stringMatching(problem),
    })
    expect(await readFile(handshakeFile(folder), 'utf8')).toBe(before)
  })

  it('folds a gate into a new config, and goes on with no other one', async () => {
    const folder = await scratch()
    const config = await handshakeOf(plan(folder, { members: 1, gate: GATE }))
    expect(config.acl.admission).toEqual({ kind: 'tdx', value: GATE })
    expect(await handshakeOf(plan(folder, { gate: GATE }))).toEqual(config)
    const other = { ...GATE, root: new Uint8Array(32) }
    for (const gate of [null, other]) await expect(handshakeOf(plan(folder, { gate }))).rejects.toThrow('is of a committee with quotes')
  })

  it('makes no second committee where the first one cannot be read', async () => {
    const folder = await scratch()
    await handshakeOf(plan(folder, { members: 1 }))
    await writeFile(handshakeFile(folder), '{"tally":')
    await expect(handshakeOf(plan(folder))).rejects.toThrow(UsageError)
    expect(await readFile(handshakeFile(folder), 'utf8')).toBe('{"tally":')
  })
})
