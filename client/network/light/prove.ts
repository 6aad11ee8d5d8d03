import { headerCodec } from '../../groups/block.ts'
import type { Source, View } from '../../groups/source.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { LIGHT_LIMITS, type RequestOf, type ResponseOf } from './messages.ts'
import { type Answer, type AnswerOf, answerCodec, MAX_LIST, type Query, type QueryOf } from './queries.ts'
import { Refusal } from './refusal.ts'
import { answerTail } from './tail.ts'

// The server's half of `prove`. Positions and surfaces come from a stranger: each is held against the header before the source sees it.

/** Room kept for the proofs of queries still to be answered, so that one long range does not starve those after it. */
const PROOF_ROOM = 12_288

/**
 * One answer for each query, all under the header at `at`, in a frame. Ranges and tails are cut to fit.
 *
 * @throws Refusal
 */
export const answerProve = async (source: Source, { at, queries }: RequestOf<'prove'>): Promise<ResponseOf<'proven'>> => {
  const view = source.at(at)
  if (view === null) {
    const { newest, held } = source.served()
    throw at > newest
      ? new Refusal('notYet', `the newest block is ${newest}`, { have: newest })
      : new Refusal('pruned', `proofs from ${held} on`, { have: held })
  }
  const answers: Answer[] = []
  let left = LIGHT_LIMITS.frame - 16
  for (const [i, query] of queries.entries()) {
    const answer = await answerQuery(source, view, query, left - PROOF_ROOM * (queries.length - 1 - i))
    left -= encode(answerCodec, answer).length
    if (left < 0) throw new Refusal('tooLarge', `the answers do not fit a frame: ask for fewer than ${queries.length} at once`)
    answers.push(answer)
  }
  return { answers }
}

const answerQuery = async (source: Source, view: View, query: Query, budget: number): Promise<Answer> => {
  switch (query.kind) {
    case 'item':
      return { kind: 'item', value: await answerItem(view, query.value) }
    case 'range':
      return { kind: 'range', value: await answerRange(view, query.value, budget) }
    case 'tail':
      expectIndex(view, query.value)
      return { kind: 'tail', value: await answerTail(view, query.value, budget) }
    case 'header':
      return { kind: 'header', value: await answerHeader(view, query.value) }
    case 'commands':
      return { kind: 'commands', value: await answerCommands(source, view, query.value) }
    case 'key':
    case 'prefix':
      throw new Refusal('badRequest', `surface ${query.value.surface} is no map`)
  }
}

const surfaceOf = ({ header }: View, surface: number) => {
  const found = header.surfaces[surface]
  if (found === undefined) throw new Refusal('badRequest', `no surface ${surface}`)
  return found
}

const expectIndex = (view: View, { surface, by }: QueryOf<'tail'>): void => {
  if (surfaceOf(view, surface).by[by] === undefined) throw new Refusal('badRequest', `surface ${surface} has no index ${by}`)
}

const answerItem = async (view: View, { surface, position }: QueryOf<'item'>): Promise<AnswerOf<'item'>> => {
  const { size } = surfaceOf(view, surface)
  if (position >= size) throw new Refusal('badRequest', `position ${position} of ${size}`)
  return view.item(surface, position)
}

/** Bytes of a RangeProof with both lists at their longest: a cover from the start has 64 nodes, one from anywhere 126. */
const RANGE_PROOF = 3 * 8 + (1 + 64 * 32) + (1 + 126 * 32)

const answerRange = async (view: View, { surface, from, to }: QueryOf<'range'>, budget: number): Promise<AnswerOf<'range'>> => {
  const { size } = surfaceOf(view, surface)
  if (from > to || to > size) throw new Refusal('badRequest', `range ${from} … ${to} of ${size}`)
  const items: Bytes[] = []
  let left = budget - RANGE_PROOF - 3
  // The source is read one item past what fits, and then no further.
  for await (const item of view.items(surface, from, to)) {
    left -= item.length + 3
    if (left < 0 || items.length === MAX_LIST) break
    items.push(item)
  }
  if (items.length === 0 && from < to) throw new Refusal('tooLarge', 'no item of the range fits beside the other answers')
  return { items, proof: await view.range(surface, from, from + BigInt(items.length)) }
}

const answerHeader = async (view: View, { index }: QueryOf<'header'>): Promise<AnswerOf<'header'>> => {
  if (index >= view.header.index) throw new Refusal('badRequest', `block ${index} is not below ${view.header.index}`)
  return view.ancestor(index)
}

const answerCommands = async (source: Source, view: View, { index }: QueryOf<'commands'>): Promise<AnswerOf<'commands'>> => {
  const { header, proof } = await answerHeader(view, { index })
  const commands = await source.commands(index)
  if (commands === null) throw new Refusal('pruned', `the commands of ${index} are not held`, { have: source.served().oldest })
  const size = commands.reduce((sum, command) => sum + command.length + 3, encode(headerCodec, header).length + PROOF_ROOM)
  // A block may be as long as a frame; with its proof it is then longer. Refused here, before it is copied.
  if (size > LIGHT_LIMITS.frame) throw new Refusal('tooLarge', `the commands of ${index} do not fit a frame`)
  return { header, proof, commands }
}
