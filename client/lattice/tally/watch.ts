import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { readHeader, type TalliedBlock, tallyBlock } from './block.ts'
import { ChainError } from './chain.ts'
import type { DriveOptions, Memory } from './driver.ts'
import { agreedAt, oldestAgreed, REVERSIBLE, type TallyState } from './state.ts'

// What a driver asks of a chain before it reads a block: that it is the right one, how far it is final, and that it still holds what was agreed.

/** Blocks of 900 kB of proofs are rare; 16 of them are what a member may hold. */
const KEPT = 16

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

/** Where a chain leaves what was agreed: the lowest agreed block that it does not hold, and what it has in its place. */
export interface Fork {
  readonly number: bigint
  readonly found: Bytes
  readonly agreed: Bytes
}

/**
 * Whether the chain still holds what was agreed on, as far as its blocks count: a node that is behind says nothing about what it lacks.
 * @throws ChainError 'reorganised' when it left before all that can be taken back
 */
export const forkOf = async (watch: Watch, state: TallyState, limit: bigint | null): Promise<Fork | null> => {
  const base = oldestAgreed(state) - 1n
  const top = limit === null || limit > state.number ? state.number : limit
  // A node that is behind has no such block yet.
  if (top < base) return null
  const isHeld = async (number: bigint): Promise<boolean> => {
    const found = await hashAt(watch, number, limit)
    return found === null || equal(found, agreedHash(state, number))
  }
  if (await isHeld(top)) return null
  if (!(await isHeld(base))) throw await tooDeep(watch, state, base, limit)
  // A hash names all that is below it, so what is held ends somewhere between the two, once.
  let [held, lost] = [base, top]
  while (lost - held > 1n) {
    const middle = (held + lost) / 2n
    if (await isHeld(middle)) held = middle
    else lost = middle
  }
  const found = await hashAt(watch, lost, limit)
  return found === null ? null : { number: lost, found, agreed: agreedHash(state, lost) }
}

const agreedHash = (state: TallyState, number: bigint): Bytes =>
  agreedAt(state, number)?.hash ?? agreedAt(state, number + 1n)?.parent ?? state.hash

/** Hash of the node's block at a height; null when it need not have one yet. */
const hashAt = async ({ chain, signal }: Watch, number: bigint, limit: bigint | null): Promise<Bytes | null> => {
  const rlp = await chain.header(number, { signal })
  if (rlp !== null) return readHeader(rlp, number).hash
  if (limit === null || limit < number) return null
  throw new ChainError('inconsistent', `block ${number} is gone, though the node counts past it`, number)
}

const tooDeep = async (watch: Watch, state: TallyState, number: bigint, limit: bigint | null): Promise<ChainError> => {
  const { inclusion } = watch.config.content
  const found = (await hashAt(watch, number, limit)) ?? state.hash
  const rule =
    inclusion.kind === 'finalized'
      ? 'its finalized tag'
      : `${inclusion.value.blocks} blocks of depth and the newest ${REVERSIBLE} agreed blocks, which are all that can be taken back`
  const detail =
    `block ${number} is ${toHex(found)}, the group agreed on ${toHex(agreedHash(state, number))}: the chain went back past ${rule}, or the node is on another branch. ` +
    'Nothing more is attributed. Compare the node with another one; if the chain did go back, this group ends: publish a config whose origin is on the new branch'
  return new ChainError('reorganised', detail, number)
}

/** A block that holds together, whoever gave it; kept if there will be something to prove of it. @throws ChainError */
export const readBlock = async ({ chain, config, signal }: Watch, { blocks }: Memory, number: bigint): Promise<TalliedBlock> => {
  const raw = await chain.block(number, { signal })
  if (raw === null) throw new ChainError('inconsistent', `block ${number} is gone, though the node counts past it`, number)
  const block = tallyBlock(raw, number, config.content.feeRecipient)
  if (block.facts.count === 0) return block
  blocks.set(number, block)
  for (const kept of blocks.keys()) if (blocks.size > KEPT) blocks.delete(kept)
  return block
}
