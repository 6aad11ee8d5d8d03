import { isError } from '../../error.ts'
import { observationMessage, questionCodec } from '../../groups/block.ts'
import { thresholds } from '../../groups/roster.ts'
import { concat, equal, toHex, u32le } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { type TalliedBlock, tallyBlock } from './block.ts'
import { ChainError, type ChainState } from './chain.ts'
import type { DriveOptions, Memory } from './driver.ts'
import { commandCodec, MAX_PENDING, type Observe, type TallyCommand, type TallyState } from './machine.ts'
import { blockFactsCodec, QUESTION_KIND, subjectCodec } from './payment.ts'
import { anchor, includedUpTo, recognise } from './watch.ts'

export type { DriveOptions, GroupPort } from './driver.ts'

/** Blocks of 900 kB of proofs are rare; 16 of them are what a member may hold. */
const KEPT = 16
/** How long each further member waits before it brings the proofs that another was to bring. */
const TURN_MS = 2_000
const BACKOFF_MS = { first: 500, most: 30_000 } as const
// The answer lasts, so the observation does: one signature for one (question, round), whenever it is sent again.
const FOR_EVER = (1n << 64n) - 1n

/**
 * Follows a chain for one member: reads each block as it becomes final, signs what it paid, and brings the proofs once a quorum agreed. Runs
 * until `signal` aborts. A chain that is down, slow or lying is a state, reported and tried again, and never a signature.
 * @throws what `remember`, `sign` or a stopped group throw: this member can then sign nothing more
 */
export const drive = async (options: DriveOptions): Promise<void> => {
  const { signal, pollMs = 1_000 } = options
  const memory: Memory = { recognised: false, finalized: 0n, blocks: new Map(), waiting: { number: -1n, since: 0 } }
  const report = reporter(options)
  for (let failures = 0; !signal.aborted; ) {
    const seen = await step(options, memory).catch((error: unknown) => troubleOf(error, signal))
    if (signal.aborted || seen === null) return
    report(seen.state)
    failures = seen.isTrouble ? failures + 1 : 0
    memory.recognised &&= !seen.isTrouble
    if (seen.isTrouble && seen.state.state !== 'down') options.chain.distrust()
    if (seen.isTrouble) await pause(options, Math.min(BACKOFF_MS.first * 2 ** (failures - 1), BACKOFF_MS.most), false)
    else if (!seen.moved) await pause(options, pollMs, true)
  }
}

interface Seen {
  readonly state: ChainState
  readonly isTrouble: boolean
  /** Whether the group's state went on: then the next look follows at once. */
  readonly moved: boolean
}

// In this order: nothing is read for signing before the chain is known to be the right one, to be final so far, and to hold what was
// agreed; and what was agreed is attributed before more is added to it.
const step = async (options: DriveOptions, memory: Memory): Promise<Seen> => {
  const before = options.group.state()
  await recognise(options, memory)
  const limit = await includedUpTo(options, memory)
  await anchor(options, before, limit)
  await attributeOldest(options, memory, before)
  const state = await observeNext(options, memory, limit)
  const after = options.group.state()
  return { state, isTrouble: false, moved: after.number !== before.number || after.pending[0]?.number !== before.pending[0]?.number }
}

// Only the chain's trouble is waited out. A store that cannot write, or a group that has stopped, ends the driver, and its host says so.
const troubleOf = (error: unknown, signal: AbortSignal): Seen | null => {
  if (signal.aborted) return null
  if (!(error instanceof ChainError)) throw error
  return { state: { state: error.state, detail: error.message, block: error.block }, isTrouble: true, moved: false }
}

/** Signs and brings this member's word about the next block, unless it has been counted already. Says how far things are. */
const observeNext = async (options: DriveOptions, memory: Memory, limit: bigint | null): Promise<ChainState> => {
  const { config, group } = options
  const { number: agreed, hash, claims, pending } = group.state()
  const number = agreed + 1n
  if (limit === null) return { state: 'waiting', detail: 'the chain names no finalized block yet', block: null }
  if (limit < agreed)
    return { state: 'waiting', detail: `the node is at block ${limit}, the group at ${agreed}: the node is behind`, block: limit }
  if (limit === agreed) return { state: 'following', detail: `agreed up to block ${agreed}`, block: agreed }
  if (pending.length >= MAX_PENDING) return { state: 'waiting', detail: `${pending.length} blocks wait for their proofs`, block: number }
  // A word that is counted already is not brought again: each look would put one more no-op into the log.
  if (!claims.some(({ member }) => member === group.member)) {
    const block = await readBlock(options, number)
    if (!equal(block.facts.parent, hash)) {
      throw new ChainError('inconsistent', `block ${number} has parent ${toHex(block.facts.parent)}, agreed was ${toHex(hash)}`, number)
    }
    keep(memory, block)
    await bring(options, { kind: 'observe', value: await signed(options, block) })
  }
  const now = group.state()
  if (now.number >= number) return { state: 'following', detail: `agreed up to block ${now.number}`, block: now.number }
  const { quorum } = thresholds(config.acl.roster.members.length)
  return { state: 'waiting', detail: `${now.claims.length} members have spoken on block ${number}, ${quorum} must agree`, block: number }
}

const keep = ({ blocks }: Memory, block: TalliedBlock): void => {
  if (block.facts.count === 0) return
  blocks.set(block.header.number, block)
  for (const number of blocks.keys()) if (blocks.size > KEPT) blocks.delete(number)
}

/** A signed observation. It is on disk before it is signed, so that no crash and no restart makes this member say two things. */
const signed = async ({ config, group, sign, remember }: DriveOptions, { header, facts }: TalliedBlock): Promise<Observe> => {
  const subject = encode(subjectCodec, { chainId: config.lattice.chainId, number: header.number })
  const question = { kind: QUESTION_KIND, subject }
  const claim = { roster_id: group.rosterId, question, round: 0, until: FOR_EVER, value: encode(blockFactsCodec, facts) }
  const isSame = await remember(concat(encode(questionCodec, question), u32le(claim.round)), claim.value)
  if (isSame) return { claim, member: group.member, signature: await sign(observationMessage(claim)) }
  const detail = `block ${header.number} is ${toHex(header.hash)} now, and this member has signed another answer: nothing is signed twice. Compare the node with another one`
  throw new ChainError('inconsistent', detail, header.number)
}

/** Brings the proofs of the oldest block that waits for them, when it is this member's turn. */
const attributeOldest = async (options: DriveOptions, memory: Memory, { pending }: TallyState): Promise<void> => {
  const [oldest] = pending
  if (oldest === undefined || !isDue(options, memory, oldest.number)) return
  const { number, hash, payments } = oldest
  const { header, facts, proofs } = memory.blocks.get(number) ?? (await readBlock(options, number))
  memory.blocks.delete(number)
  if (!equal(header.hash, hash))
    throw new ChainError('reorganised', `block ${number} is ${toHex(header.hash)}, agreed was ${toHex(hash)}`, number)
  // The machine would pass over it, once a look, for ever.
  if (!equal(facts.payments, payments))
    throw new ChainError('inconsistent', `the group agreed on other payments of block ${number} than the node shows`, number)
  await bring(options, { kind: 'attribute', value: { number, proofs } })
}

/** A block that holds together, whoever gave it. @throws ChainError */
const readBlock = async ({ chain, config, signal }: DriveOptions, number: bigint): Promise<TalliedBlock> => {
  const raw = await chain.block(number, { signal })
  if (raw !== null) return tallyBlock(raw, number, config.content.feeRecipient)
  throw new ChainError('inconsistent', `block ${number} is gone, though the node counts past it`, number)
}

/** Whether it is this member's turn: one after the other, lest every member sends the same 900 kB at once. */
const isDue = ({ config, group, host }: DriveOptions, memory: Memory, number: bigint): boolean => {
  if (memory.waiting.number !== number) memory.waiting = { number, since: host.now() }
  const n = config.acl.roster.members.length
  const distance = (group.member - Number(number % BigInt(n)) + n) % n
  return host.now() - memory.waiting.since >= distance * TURN_MS
}

const bring = async ({ group, host, signal }: DriveOptions, command: TallyCommand): Promise<void> => {
  try {
    await untilAborted(group.submit(encode(commandCodec, command)), signal)
  } catch (error) {
    // Both pass: the log was stalled for 1,024 blocks, or is behind. Whatever else a group throws means that it has stopped.
    if (!isError(error, 'Group.ExpiredError') && !isError(error, 'Group.PoolFullError')) throw error
    host.log('warn', 'the group did not take a command', { kind: command.kind, problem: error.message })
  }
}

/** A group without a quorum commits nothing for as long as that lasts, and a driver must end all the same. */
const untilAborted = async (work: Promise<unknown>, signal: AbortSignal): Promise<void> => {
  let end = (): void => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  // Taken off again: one listener a block would stay for as long as the member runs.
  await Promise.race([work, over]).finally(() => signal.removeEventListener('abort', end))
}

// Told once a change, not once a look: an operator reads these lines.
const reporter = ({ onState, host }: DriveOptions): ((state: ChainState) => void) => {
  let last = ''
  return (state) => {
    const text = `${state.state}|${state.block}|${state.detail}`
    if (text === last) return
    last = text
    if (state.state === 'inconsistent' || state.state === 'reorganised') host.log('error', 'the chain cannot be followed', { ...state })
    if (state.state === 'down') host.log('warn', 'the chain is down', { ...state })
    onState(state)
  }
}

/** Until the time is over, `signal` aborts or, if asked for, the group commits. */
const pause = ({ host, group, signal }: DriveOptions, ms: number, wakes: boolean): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      cancel()
      stop()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = host.after(ms, end)
    const stop = wakes ? group.onCommit(end) : () => {}
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
  })
