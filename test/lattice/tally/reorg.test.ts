import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bytes, toHex } from '../../../client/primitives/bytes.ts'
import { createChainReader } from '../../../node/chain/reader.ts'
import { type Anvil, startAnvil } from '../../../node/devnet/anvil.ts'
import { follow, giveCode, mine, PAYEE, payTo, type Rpc, rpcTo, tallyOf, until } from '../../chain/devnet.ts'
import { attributionIn, bytesOf, groupDouble, provider, reversalIn } from './fixtures.ts'

const pay = (milli: number) => ({
  to: PAYEE,
  value: `0x${(BigInt(milli) * 10n ** 15n).toString(16)}`,
  data: payTo([provider(1)], [5_000], bytesOf('ref')),
})

let anvil: Anvil
let rpc: Rpc
beforeAll(async () => {
  anvil = await startAnvil({ blockTime: 0 })
  rpc = rpcTo(anvil.url)
  await giveCode(rpc)
})
afterAll(() => anvil[Symbol.asyncDispose]())

const hashAt = async (number: bigint): Promise<string> =>
  ((await rpc('eth_getBlockByNumber', `0x${number.toString(16)}`, false)) as { readonly hash: string }).hash.slice(2)

describe('TAL-04 a real chain that goes back past its depth', () => {
  it('has what it gave taken back and given anew', { timeout: 60_000 }, async () => {
    const config = await tallyOf(rpc, { inclusion: { kind: 'depth', value: { blocks: 1 } } })
    const group = groupDouble(config, () => Date.now())
    for (const milli of [1, 2, 3]) await mine(rpc, [pay(milli)])
    await mine(rpc, [])
    await using member = follow(config, createChainReader({ urls: [anvil.url] }), group)
    await until('three attributions', () => group.items.length === 3)
    const old = await Promise.all([2n, 3n].map(hashAt))
    await rpc('anvil_rollback', 3)
    for (const milli of [20, 30]) await mine(rpc, [pay(milli)])
    await mine(rpc, [])
    await until('two attributions more', () => group.items.length === 7)
    const [first, second, ...rest] = group.items.slice(3) as [Bytes, Bytes, Bytes, Bytes]
    expect([first, second].map((item) => toHex(reversalIn(item).blockHash))).toEqual(old)
    const now = await Promise.all([2n, 3n].map(hashAt))
    expect(rest.map((item) => toHex(attributionIn(item).blockHash))).toEqual(now)
    expect(rest.map(attributionIn)).toMatchObject([
      { slot: 2n, revision: 1, pool: 20n * 10n ** 15n },
      { slot: 3n, revision: 1, pool: 30n * 10n ** 15n },
    ])
    await until('following', () => member.states.at(-1)?.state === 'following')
    expect(member.states.map(({ state }) => state)).toContain('reorganised')
  })
})
