import { isError } from '../../error.ts'
import { equal, toHex } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { ChainError, type ChainState } from './chain.ts'
import { type DriveOptions, emptyMemory, type Memory } from './driver.ts'
import { commandCodec, type TallyCommand } from './machine.ts'
import type { TallyState } from './state.ts'
import { type Fork, forkOf, includedUpTo, readBlock, recognise } from './watch.ts'
import { contest, type Saying, speak } from './word.ts'

export type { DriveOptions, GroupPort } from './driver.ts'

/** How long each further member waits before it brings the proofs that another was to bring. */
const TURN_MS = 2_000
const BACKOFF_MS = { first: 500, most: 30_000 } as const

/**
 * Follows a chain for one member: reads each block as it comes to count, signs what it paid, and brings the proofs once a quorum agreed.
 * Runs until `signal` aborts. A chain that is down, slow or lying is a state, reported and tried again, and never a signature.
 * @throws what `remember`, `sign` or a stopped group throw: this member can then sign nothing more
 */
export const drive = async (options: DriveOptions): Promise<void> => {
  const memory = emptyMemory()
  const stop = options.group.onCommit(() => {
    memory.commits += 1
  })
  await follow(options, memory).finally(stop)
}

const follow = async (options: DriveOptions, memory: Memory): Promise<void> => {
  const { signal, pollMs = 1_000 } = options
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

// In this order: nothing is read for signing before the chain is known to be the right one and how much of it counts; what was agreed and is
// held is attributed before more is added to it; and what is not held is said before anything above it.
const step = async (options: DriveOptions, memory: Memory): Promise<Seen> => {
  const { group } = options
  const before = group.state()
  await recognise(options, memory)
  const limit = await includedUpTo(options, memory)
  const fork = await forkOf(options, before, limit)
  if (fork === null) memory.fork = ''
  await attributeOldest(options, memory, before, heldUpTo(before, fork, limit))
  const saying: Saying = { options, memory, bring: (value) => bring(options, { kind: 'observe', value }) }
  const isOwn = fork !== null && (before.contested === null || fork.number < before.contested)
  const state = isOwn ? await contest(saying, fork) : await speak(saying, limit)
  return { state, isTrouble: false, moved: place(group.state()) !== place(before) }
}

/** What of a state going on is a reason to look again at once. */
const place = ({ hash, contested, round, pending }: TallyState): string => `${toHex(hash)}/${contested}/${round}/${pending[0]?.number}`

/** The newest block that is certain to this member: agreed on, not asked about again, and on its chain. */
const heldUpTo = ({ number, contested }: TallyState, fork: Fork | null, limit: bigint | null): bigint =>
  [number, limit ?? -1n, (contested ?? number + 1n) - 1n, (fork?.number ?? number + 1n) - 1n].reduce((least, each) =>
    each < least ? each : least,
  )

// Only the chain's trouble is waited out. A store that cannot write, or a group that has stopped, ends the driver, and its host says so.
const troubleOf = (error: unknown, signal: AbortSignal): Seen | null => {
  if (signal.aborted) return null
  if (!(error instanceof ChainError)) throw error
  return { state: { state: error.state, detail: error.message, block: error.block }, isTrouble: true, moved: false }
}

/** Brings the proofs of the oldest block that waits for them, when it is this member's turn. */
const attributeOldest = async (options: DriveOptions, memory: Memory, { pending }: TallyState, held: bigint): Promise<void> => {
  const [oldest] = pending
  if (oldest === undefined || oldest.number > held || !isDue(options, memory, oldest)) return
  const { number, hash, payments } = oldest
  const kept = memory.blocks.get(number)
  const { header, facts, proofs } = kept !== undefined && equal(kept.header.hash, hash) ? kept : await readBlock(options, memory, number)
  memory.blocks.delete(number)
  if (!equal(header.hash, hash))
    throw new ChainError('reorganised', `block ${number} is ${toHex(header.hash)}, agreed was ${toHex(hash)}`, number)
  // The machine would pass over it, once a look, for ever.
  if (!equal(facts.payments, payments))
    throw new ChainError('inconsistent', `the group agreed on other payments of block ${number} than the node shows`, number)
  await bring(options, { kind: 'attribute', value: { number, proofs } })
}

/** Whether it is this member's turn: one after the other, lest every member sends the same 900 kB at once. */
const isDue = ({ config, group, host }: DriveOptions, memory: Memory, { number, hash }: TallyState['pending'][number]): boolean => {
  if (memory.waiting.hash !== toHex(hash)) memory.waiting = { hash: toHex(hash), since: host.now() }
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
