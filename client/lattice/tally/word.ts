import { observationMessage, questionCodec } from '../../groups/block.ts'
import { thresholds } from '../../groups/roster.ts'
import { type Bytes, concat, equal, toHex, u32le } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import type { Observe } from './agreement.ts'
import { readHeader, type TalliedBlock } from './block.ts'
import { ChainError, type ChainState } from './chain.ts'
import type { DriveOptions, Memory } from './driver.ts'
import { blockFactsCodec, QUESTION_KIND, subjectCodec } from './payment.ts'
import { progress } from './progress.ts'
import { agreedAt, askedNumber, askedParent, MAX_PENDING, type TallyState } from './state.ts'
import { type Fork, readBlock } from './watch.ts'

// A member's word about a block: whether one is due, in which round, and its signature.

/** What a driver does with a word. */
export interface Saying {
  readonly options: DriveOptions
  readonly memory: Memory
  readonly bring: (word: Observe) => Promise<void>
}

// The answer lasts, so the observation does: one signature for one (question, round), whenever it is sent again.
const FOR_EVER = (1n << 64n) - 1n

/** Signs and brings this member's word on what is asked now, unless it has been counted already. Says how far things are. */
export const speak = async ({ options, memory, bring }: Saying, limit: bigint | null): Promise<ChainState> => {
  const { config, group } = options
  const asked = group.state()
  const number = askedNumber(asked)
  const nothing = nothingToSay(asked, limit)
  if (nothing !== null) return nothing
  const round = await dueRound(options, memory, asked)
  if (round !== null) {
    const block = await readBlock(options, memory, number)
    const parent = askedParent(asked)
    if (!equal(block.facts.parent, parent)) {
      throw new ChainError('inconsistent', `block ${number} has parent ${toHex(block.facts.parent)}, agreed was ${toHex(parent)}`, number)
    }
    await bring(await signed(options, block, round))
  }
  const now = group.state()
  if (now.contested === null && now.number >= number)
    return { state: 'following', detail: `agreed up to block ${now.number}`, block: now.number }
  return { state: 'waiting', detail: progress(now, config), block: askedNumber(now) }
}

/** Why there is nothing to say for now, if so. */
const nothingToSay = (asked: TallyState, limit: bigint | null): ChainState | null => {
  const { number: agreed, contested, pending } = asked
  const number = askedNumber(asked)
  if (limit === null) return { state: 'waiting', detail: 'the chain names no finalized block yet', block: null }
  if (contested === null && limit === agreed) return { state: 'following', detail: `agreed up to block ${agreed}`, block: agreed }
  if (limit < number)
    return { state: 'waiting', detail: `the node is at block ${limit}, the group at ${agreed}: the node is behind`, block: limit }
  if (contested !== null || pending.length < MAX_PENDING) return null
  return { state: 'waiting', detail: `${pending.length} blocks wait for their proofs`, block: number }
}

/**
 * The round to speak in, or null. A word that is counted already is not brought again: each look would put one more no-op into the log. A
 * split round is left only by a member whose chain shows another block by now: the others would say again what they said.
 */
const dueRound = async ({ chain, config, group, signal }: DriveOptions, memory: Memory, asked: TallyState): Promise<number | null> => {
  const number = askedNumber(asked)
  const own = asked.claims.find(({ member }) => member === group.member)
  if (own === undefined) return asked.round
  if (config.content.inclusion.kind !== 'depth' || asked.met === null) return null
  // Counted from when this was seen, which is not before it was so: a word that comes too early would be passed over.
  const round = `${number}/${asked.round}/${asked.met}`
  if (memory.split.round !== round) memory.split = { round, commits: memory.commits }
  if (memory.commits - memory.split.commits <= thresholds(config.acl.roster.members.length).b) return null
  const rlp = await chain.header(number, { signal })
  return rlp === null || equal(readHeader(rlp, number).hash, own.facts.hash) ? null : asked.round + 1
}

/** Says that an agreed block is another one on this member's chain, unless it has been counted already. */
export const contest = async ({ options, memory, bring }: Saying, fork: Fork): Promise<ChainState> => {
  const { chain, config, group } = options
  const { number, found, agreed } = fork
  const seen = `${number}/${toHex(found)}`
  const isNew = memory.fork !== seen
  memory.fork = seen
  const entry = agreedAt(group.state(), number)
  if (isNew) {
    // A node on a branch of its own is more likely than a chain that went back so far: whoever has a second node asks it first.
    memory.recognised = false
    chain.distrust()
  } else if (entry !== null && !entry.claims.some(({ member }) => member === group.member)) {
    const block = await readBlock(options, memory, number)
    if (equal(block.facts.parent, entry.parent) && !equal(block.header.hash, entry.hash))
      await bring(await signed(options, block, entry.round + 1))
  }
  const { n, b } = thresholds(config.acl.roster.members.length)
  const said = agreedAt(group.state(), number)?.claims.length ?? 0
  const detail = `block ${number} is ${toHex(found)} here, the group agreed on ${toHex(agreed)}: ${said} of ${n} members say that it is another one, ${b + 1} reopen the question`
  return { state: 'reorganised', detail, block: number }
}

/** A signed observation. It is on disk before it is signed, so that no crash and no restart makes this member say two things. */
const signed = async (options: DriveOptions, { header, facts }: TalliedBlock, round: number): Promise<Observe> => {
  const { config, group, sign } = options
  const subject = encode(subjectCodec, { chainId: config.lattice.chainId, number: header.number })
  const question = { kind: QUESTION_KIND, subject }
  const value = await lasting(options, concat(encode(questionCodec, question), u32le(round)), encode(blockFactsCodec, facts))
  if (value === null) {
    const detail = `block ${header.number} is ${toHex(header.hash)} now, and this member has signed another answer: nothing is signed twice. Compare the node with another one`
    throw new ChainError('inconsistent', detail, header.number)
  }
  const claim = { roster_id: group.rosterId, question, round, until: FOR_EVER, value }
  return { claim, member: group.member, signature: await sign(observationMessage(claim)) }
}

/** The one answer that this member gives: this one, or the one that it gave before; null when that one is of no use. */
const lasting = async ({ config, remember, recall }: DriveOptions, question: Bytes, value: Bytes): Promise<Bytes | null> => {
  if (await remember(question, value)) return value
  // Of a final block there is one round: whoever has signed another answer was shown a false one, and lets the others agree.
  return config.content.inclusion.kind === 'depth' ? ((await recall?.(question)) ?? null) : null
}
