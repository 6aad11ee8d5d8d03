import { commitHash, headerCodec, voteMessage } from '../../client/groups/block.ts'
import { encodeMessage, type Message, messageCodec } from '../../client/groups/commit/messages.ts'
import { type Bytes, toHex } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { Members, signFor } from '../groups/committee.ts'
import { add, identityOf } from '../groups/counter.ts'
import { jointsOf, mutate } from './_mutate.ts'
import { below, chance, type Draw, fuzz, type Options, type Outcome, pick, program, readOptions, type Trial, wordsOf } from './_seeded.ts'
import { warp } from './_warp.ts'

// commit/1: one of four members is hostile. It has its own keys and every message that it was sent, and says what it likes to whom it
// likes, changed bytes and signed lies alike. The other three agree on one log, go on committing, and sign nothing twice.

export const FULL = 2_000
const LIAR = 3
const IDENTITY = identityOf(4)

/** Every signature the liar can make on what it says. */
const signed = (message: Message): Message => {
  if (message.kind === 'votes' || message.kind === 'recalled')
    return {
      ...message,
      value: message.value.map((vote) => {
        const kind = (['propose', 'notarize', 'nullify', 'finalize'] as const)[vote.kind - 1] ?? 'propose'
        return vote.member === LIAR
          ? { ...vote, signature: signFor(LIAR, voteMessage(IDENTITY.rosterId, vote.view, kind, vote.hash)) }
          : vote
      }),
    }
  if (message.kind !== 'proposal') return message
  const { header } = message.value.block
  const signature = signFor(LIAR, voteMessage(IDENTITY.rosterId, header.view, 'propose', commitHash(header)))
  return { kind: 'proposal', value: { ...message.value, signature } }
}

const lie = (draw: Draw, heard: readonly Bytes[]): Bytes => {
  const honest = pick(draw, heard)
  if (chance(draw, 0.3)) return mutate(draw, honest, { joints: jointsOf(messageCodec, honest), others: [pick(draw, heard)] })
  const message = decode(messageCodec, honest)
  try {
    return encodeMessage(signed(warp(draw, message, [decode(messageCodec, pick(draw, heard))])))
  } catch {
    return honest
  }
}

/** What the honest three hold at an index, one after the other. */
const hashesAt = async (members: Members, index: bigint): Promise<readonly string[]> =>
  Promise.all(
    [0, 1, 2].map(async (member) => {
      const header = await members.group(member).source.header(index)
      return header === null ? 'none' : toHex(encode(headerCodec, header))
    }),
  )

const commit = async (members: Members, member: number, word: string): Promise<void> => {
  let isCommitted = false
  const done = members.group(member).execute(add(1, word))
  done.then(
    () => {
      isCommitted = true
    },
    () => {},
  )
  await members.until(() => isCommitted)
}

const commitCase = async (trial: Trial): Promise<string | null> => {
  const { draw } = trial
  await using members = new Members(4)
  const heard: Bytes[] = []
  const promised = new Map<string, string>()
  let twice: string | null = null
  members.passes = (from, to, message) => {
    const said = decode(messageCodec, message)
    if (from !== LIAR && said.kind === 'votes')
      for (const vote of said.value) if (vote.member === from) twice ??= contradiction(promised, vote)
    if (to !== LIAR) return true
    heard.push(message)
    return chance(draw, 0.7)
  }
  await members.startAll()
  await commit(members, 0, 'before')
  // From here on the fourth member is in other hands.
  await members.silence(LIAR)
  for (let round = 1 + below(draw, 4); round > 0; round--) {
    for (let count = 1 + below(draw, 6); count > 0; count--) {
      trial.input = lie(draw, heard)
      trial.tally(kindOf(trial.input))
      await members.deliver(LIAR, below(draw, 3), trial.input)
    }
    await members.pass(below(draw, 700))
  }
  try {
    for (const member of [0, 1, 2]) await commit(members, member, 'after')
  } catch (error) {
    return `the honest members stopped committing: ${wordsOf(error)}`
  }
  const newest = members.lowest([0, 1, 2])
  for (let index = 1n; index <= newest; index++)
    if (new Set(await hashesAt(members, index)).size !== 1) return `the honest members have different blocks at ${index}`
  return twice
}

const contradiction = (promised: Map<string, string>, vote: { view: bigint; kind: number; member: number; hash: Bytes }): string | null => {
  const name = `${vote.member} ${vote.view} ${vote.kind}`
  const hash = toHex(vote.hash)
  const before = promised.get(name) ?? hash
  promised.set(name, hash)
  const other =
    vote.kind === 3
      ? promised.get(`${vote.member} ${vote.view} 4`)
      : vote.kind === 4
        ? promised.get(`${vote.member} ${vote.view} 3`)
        : undefined
  return before === hash && other === undefined ? null : `member ${vote.member} voted twice in view ${vote.view}: kind ${vote.kind}`
}

const kindOf = (bytes: Bytes): string => {
  try {
    return decode(messageCodec, bytes).kind
  } catch {
    return 'no message'
  }
}

export const fuzzCommit = (options: Options, beat?: (number: number) => void): Promise<Outcome> => fuzz('commit', options, commitCase, beat)

/** `npm run fuzz -- commit`. */
export const main = (args: readonly string[]): Promise<number> => program('commit', readOptions(args, FULL), fuzzCommit)
