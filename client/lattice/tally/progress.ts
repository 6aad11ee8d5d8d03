import { thresholds } from '../../groups/roster.ts'
import { equal, toHex } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import type { TallyConfig } from './index.ts'
import { blockFactsCodec } from './payment.ts'
import { askedNumber, type Claim, type TallyState } from './state.ts'

// Where the agreement on a block stands, in words: an operator must see who is missing and who says something else.

/** How many have spoken on what is asked now, who says what if they differ, and what that means. */
export const progress = (state: TallyState, { acl, content }: TallyConfig): string => {
  const { n, quorum } = thresholds(acl.roster.members.length)
  const { claims, contested, round } = state
  const camps = campsOf(claims)
  const again = contested === null ? '' : ', which is asked about again,'
  const where = round === 0 ? '' : ` in round ${round}`
  const spoken = `${claims.length} members have spoken on block ${askedNumber(state)}${again}${where}, ${quorum} must agree`
  if (camps.length < 2) return spoken
  const said = camps.map((camp) => `${membersOf(camp)} ${nameOf(camp, camps)}`).join('; ')
  const largest = Math.max(...camps.map(({ length }) => length))
  const isOver = largest + n - claims.length < quorum
  return `${spoken}: ${said}.${isOver ? ` ${content.inclusion.kind === 'finalized' ? ENDED : SPLIT}` : ' Compare the nodes of those who differ'}`
}

const ENDED =
  'They cannot agree any more, as there is one answer to what a final block is: compare the nodes of those who differ, then publish a config whose origin is the block before'
const SPLIT = 'They agree in a later round, which opens when one of their nodes shows another block: compare the nodes of those who differ'

/** Claims by what they say, in the order of first words. */
const campsOf = (claims: readonly Claim[]): readonly (readonly Claim[])[] => {
  const camps = new Map<string, Claim[]>()
  for (const claim of claims) {
    const said = toHex(encode(blockFactsCodec, claim.facts))
    camps.set(said, [...(camps.get(said) ?? []), claim])
  }
  return [...camps.values()]
}

const membersOf = (camp: readonly Claim[]): string => {
  const seats = camp.map(({ member }) => member).sort((a, b) => a - b)
  return seats.length === 1 ? `member ${seats[0]} says` : `members ${seats.join(', ')} say`
}

/** A block's hash tells most answers apart; two answers about one block differ in its payments. */
const nameOf = (camp: readonly Claim[], camps: readonly (readonly Claim[])[]): string => {
  const [{ facts }] = camp as readonly [Claim]
  const isShared = camps.filter(([other]) => other !== undefined && equal(other.facts.hash, facts.hash)).length > 1
  return `${short(facts.hash)}${isShared ? ` with payments ${short(facts.payments)}` : ''}`
}

const short = (hash: Uint8Array): string => `0x${toHex(hash).slice(0, 16)}`
