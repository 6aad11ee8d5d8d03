import { equal, toHex } from '../../primitives/bytes.ts'
import { readHeader } from './block.ts'
import { ChainError } from './chain.ts'
import type { DriveOptions, Memory } from './driver.ts'
import type { TallyState } from './machine.ts'

// What a driver asks of a chain before it reads a block: that it is the right one, how far it is final, and that it still holds what was agreed.

type Watch = Pick<DriveOptions, 'config' | 'chain' | 'signal'>

/** Once after every start and every trouble: chain id and origin are the config's. @throws ChainError */
export const recognise = async ({ config, chain, signal }: Watch, memory: Memory): Promise<void> => {
  if (memory.recognised) return
  const { origin } = config.content
  // First of all: two chains may share their early blocks, and a member must not sign about one in the name of the other.
  const found = await chain.chainId({ signal })
  if (found !== config.lattice.chainId) {
    throw new ChainError(
      'inconsistent',
      `the node serves chain ${found}, this tally is of chain ${config.lattice.chainId}: correct the node's URL`,
    )
  }
  const rlp = await chain.header(origin.number, { signal })
  // A node that is still syncing has no origin: whatever it says of its head comes before that block, and is waited for.
  if (rlp === null) return
  const { hash } = readHeader(rlp, origin.number)
  if (!equal(hash, origin.hash)) {
    const detail = `block ${origin.number} is ${toHex(hash)}, the config begins at ${toHex(origin.hash)}: another chain of the same id, or one that was started anew`
    throw new ChainError('inconsistent', detail, origin.number)
  }
  memory.recognised = true
}

/** The newest block that counts by the config's rule; null when the chain names none. @throws ChainError */
export const includedUpTo = async ({ config, chain, signal }: Watch, memory: Memory): Promise<bigint | null> => {
  const { inclusion } = config.content
  // A head that goes back is no fault here: within the depth chains reorganise all the time, and that is what the depth is for.
  if (inclusion.kind === 'depth') return (await chain.head({ signal })) - BigInt(inclusion.value.blocks)
  const finalized = await chain.finalized({ signal })
  if (finalized === null) return null
  // Final is for ever. A lower number is a node that lost its data, or one of several that is behind: not one to sign by until it is back.
  if (finalized < memory.finalized)
    throw new ChainError(
      'inconsistent',
      `the finalized block went back from ${memory.finalized} to ${finalized}: nothing is signed before it is there again. If the first number was wrong, restart this member`,
      finalized,
    )
  memory.finalized = finalized
  return finalized
}

/** That the chain still holds the last block agreed on. @throws ChainError 'reorganised' */
export const anchor = async ({ config, chain, signal }: Watch, { number, hash }: TallyState, limit: bigint | null): Promise<void> => {
  const rlp = await chain.header(number, { signal })
  // A node that is behind has no such block yet.
  if (rlp === null && (limit === null || limit < number)) return
  if (rlp === null) throw new ChainError('inconsistent', `block ${number} is gone, though the node counts past it`, number)
  const found = readHeader(rlp, number).hash
  if (equal(found, hash)) return
  const { inclusion } = config.content
  const rule = inclusion.kind === 'finalized' ? 'its finalized tag' : `${inclusion.value.blocks} blocks of depth`
  const detail =
    `block ${number} is ${toHex(found)}, the group agreed on ${toHex(hash)}: the chain went back past ${rule}, or the node is on another branch. ` +
    'Nothing more is attributed. Compare the node with another one; if the chain did go back, this group ends: publish a config whose origin is on the new branch'
  throw new ChainError('reorganised', detail, number)
}
