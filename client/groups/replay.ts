import { type Bytes, equal, toHex } from '../primitives/bytes.ts'
import type { Admission } from './admission.ts'
import { type Block, COMMAND_WINDOW, commitHash } from './block.ts'
import { type Branch, executeBlock, genesisBranch, type Identity } from './execution.ts'
import type { Machine } from './machine.ts'

export interface ReplayOptions<S, C> {
  readonly machine: Machine<S, C>
  readonly identity: Identity
  readonly admission: Admission<S, C>
  /** The block at an index, wherever it comes from; null ends the replay. */
  readonly read: (index: bigint) => Promise<Block | null>
  /** Takes each block as it was executed, so that all that is kept of it can be written anew. */
  readonly write: (branch: Branch<S>, block: Block) => Promise<void>
}

/**
 * Executes a log from genesis on. Everything that an archive holds follows from its blocks, so this gives back whatever was lost beside them.
 * Ends at the first block that is missing or is not what its commands give. @returns the last block's branch
 */
export const replay = async <S, C>({ machine, identity, admission, read, write }: ReplayOptions<S, C>): Promise<Branch<S>> => {
  const taken = new Map<string, bigint>()
  let head = genesisBranch(machine, identity)
  for (let index = 1n; ; index++) {
    const block = await read(index)
    if (block === null || !equal(block.header.prev, head.link.hash)) return head
    const commands = await admission.admitAll(block.commands)
    const { view, time_ms: timeMs } = block.header
    const branch = executeBlock(
      machine,
      identity,
      head,
      { view, timeMs, commands },
      (id) => taken.has(id),
      (command) => admission.decoded(command),
    )
    if (!equal(branch.link.hash, commitHash(block.header))) return head
    for (const id of branch.ids) taken.set(id, index)
    for (const [id, at] of taken) {
      if (at > index - COMMAND_WINDOW) break
      taken.delete(id)
    }
    admission.forget(commands.map(({ id }) => toHex(id)))
    await write(branch, { header: branch.header, commands: [...commands] })
    head = { ...branch, changes: [] }
  }
}

/** Whether blocks hang together: each names the one before it. */
export const isChain = (blocks: readonly Block[]): boolean => {
  const hashes: readonly Bytes[] = blocks.map(({ header }) => commitHash(header))
  return blocks.every(({ header }, i) => i === 0 || equal(header.prev, hashes[i - 1] as Bytes))
}
