import { observationMessage } from '../../../client/groups/block.ts'
import type { Context } from '../../../client/groups/machine.ts'
import { type TalliedBlock, tallyBlock } from '../../../client/lattice/tally/block.ts'
import type { TallyConfig } from '../../../client/lattice/tally/index.ts'
import { createMachine, type TallyCommand, type TallyState } from '../../../client/lattice/tally/machine.ts'
import { blockFactsCodec, QUESTION_KIND, subjectCodec } from '../../../client/lattice/tally/payment.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { encode } from '../../../client/primitives/codec.ts'
import { CHAIN, FEE_RECIPIENT, groupDouble, type Made, signer } from './fixtures.ts'

const tallied = new WeakMap<Made, TalliedBlock>()

/** What an honest member makes of a block; made once for each. */
export const tallyOf = (block: Made): TalliedBlock => {
  const known = tallied.get(block) ?? tallyBlock(block, block.number, FEE_RECIPIENT)
  tallied.set(block, known)
  return known
}

export const attribute = (block: Made): TallyCommand => ({
  kind: 'attribute',
  value: { number: block.number, proofs: tallyOf(block).proofs },
})

/** Commands for one committee, and its machine run over them. */
export const committee = (config: TallyConfig) => {
  const machine = createMachine(config)
  const { context } = groupDouble(config)
  const at = (index: bigint): Context => ({ ...context, index, timeMs: 1_700_000_000_000n + index })
  const claim = (block: Made, round = 0) => {
    const subject = encode(subjectCodec, { chainId: CHAIN, number: block.number })
    const value = encode(blockFactsCodec, tallyOf(block).facts)
    return { roster_id: context.rosterId, question: { kind: QUESTION_KIND, subject }, round, until: 10_000n, value }
  }
  /** A member's word, unsigned: `apply` sees admitted ones only. */
  const word = (block: Made, member: number, round = 0): TallyCommand => ({
    kind: 'observe',
    value: { claim: claim(block, round), member, signature: new Uint8Array(64) },
  })
  const signedWord = (block: Made, member: number, round = 0): TallyCommand => {
    const said = claim(block, round)
    return { kind: 'observe', value: { claim: said, member, signature: signer(member)(observationMessage(said)) } }
  }
  const quorumOn = (blocks: readonly Made[], members = [0, 1, 2], round = 0): TallyCommand[] =>
    blocks.flatMap((block) => members.map((member) => word(block, member, round)))
  /** One block of the log for each command, from `index` on. */
  const run = (commands: readonly TallyCommand[], from: TallyState = machine.genesis, index = 1n) => {
    const items: Bytes[] = []
    let state = from
    commands.forEach((command, i) => {
      const effects = machine.apply(state, command, at(index + BigInt(i)))
      state = effects.state
      items.push(...effects.append.map(({ item }) => item))
    })
    return { state, items }
  }
  return { machine, context, at, word, signedWord, quorumOn, run }
}
