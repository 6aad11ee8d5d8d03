// The histories of section 6, "Agreement", heard anew from the JSON alone.

import { Agreement, type Terms } from './agreement.ts'
import type { Json } from './bcs.ts'
import { type Bytes, same } from './hash.ts'
import { hexOf } from './kit.ts'
import { bytesAt, type Claim, claims, demand, get, number, read, rows, string } from './replay.ts'
import { BlockFacts, Refund } from './tally.ts'

interface Named {
  number: bigint
  value: BlockFacts
  gives: Bytes[]
}

export function agreementClaims(all: Json): Claim[] {
  const part = get(all, 'tally', 'agreement')
  const blocks = new Map(
    rows(part, 'blocks').map((row): [string, Named] => {
      const gives = rows(row, 'gives').map((each) => bytesAt(each))
      return [string(row, 'name'), { number: BigInt(string(row, 'number')), value: read(BlockFacts, row, 'facts'), gives }]
    }),
  )
  const origin = { number: BigInt(string(part, 'origin', 'number')), hash: bytesAt(part, 'origin', 'hash') }
  return claims('tally.agreement.histories', rows(part, 'histories'), (row) => {
    const terms: Terms = {
      members: number(row, 'members'),
      depth: string(row, 'inclusion') === 'depth',
      chainId: BigInt(string(part, 'chainId')),
      origin,
    }
    const group = new Agreement(terms)
    const reversals: string[] = []
    const nameOf = (hash: Bytes) => [...blocks].find(([, { value }]) => same(value.hash, hash))?.[0] ?? 'origin'
    for (const [i, step] of rows(row, 'steps').entries()) {
      const index = BigInt(i + 1)
      const [name = '', what = ''] = string(step).split(' ')
      const [member, round] = what.split('/').map(Number)
      const block = blocks.get(name)
      if (block === undefined) throw new Error(`step ${i}: no such block`)
      if (what === 'proofs') group.attribute(block.number, block.gives)
      else {
        const claim = { ...block, member: member ?? 0, round: round ?? 0 }
        for (const value of group.hear(claim, index, 1_000n * index)) reversals.push(hexOf(Refund, { is: 'reversal', value }))
      }
      demand(`${name} ${what} | ${group.show(nameOf)}` === step, `step ${i}: ${group.show(nameOf)}`)
    }
    demand(JSON.stringify(reversals) === JSON.stringify(get(row, 'reversals')), 'other reversals')
  })
}
