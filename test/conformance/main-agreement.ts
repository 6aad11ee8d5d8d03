// Section 6, "Agreement", against client/: every history of the file heard by the machine.

import { observe, type Rule } from '../../client/lattice/tally/agreement.ts'
import { identify } from '../../client/lattice/tally/config.ts'
import { type BlockFacts, blockFactsCodec, QUESTION_KIND, subjectCodec } from '../../client/lattice/tally/payment.ts'
import { agreedAt, askedNumber, genesisState, type TallyState, withAgreed } from '../../client/lattice/tally/state.ts'
import { type Bytes, equal, toHex } from '../../client/primitives/bytes.ts'
import { encode } from '../../client/primitives/codec.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { configOf } from '../lattice/tally/fixtures.ts'
import { accepts, allAt, at, demand, type Entry, given, type Part } from './main-kit.ts'

const PATH = 'tally.agreement'

const show = (state: TallyState, nameOf: (hash: Bytes) => string): string => {
  const { contested, round, claims, met, hash, pending } = state
  const asked = `${askedNumber(state)}${contested === null ? '' : '!'}/${round}/${claims.length}/${met ?? '-'}`
  return `${asked} ${nameOf(hash)} ${pending.length}`
}

/** What an attribution leaves in the state: the file's blocks are of no chain, so that no proofs could be made of them. */
const attributed = (state: TallyState, number: bigint, named: readonly Bytes[]): TallyState => {
  const [oldest, ...pending] = state.pending
  if (oldest?.number !== number || (state.contested !== null && number >= state.contested)) return state
  const rest = { ...state, pending }
  return agreedAt(rest, number) === null ? rest : withAgreed(rest, number, { named })
}

interface NamedBlock {
  readonly number: bigint
  readonly facts: BlockFacts
  readonly gives: readonly Bytes[]
}

const namedBlock = (entry: Entry): readonly [string, NamedBlock] => [
  entry.text('name'),
  { number: entry.big('number'), facts: entry.of(blockFactsCodec, 'facts'), gives: entry.hexes('gives') },
]

const expectHistory = (entry: Entry): void => {
  const blocks = new Map(allAt(`${PATH}.blocks`).map(namedBlock))
  const isDeep = entry.text('inclusion') === 'depth'
  const chainId = at(PATH).big('chainId')
  const rule: Rule = { chainId, isDeep }
  const { roster, group, genesis, network } = identify(UNIVERSE, configOf({}, entry.number('members')))
  const origin = at(`${PATH}.origin`)
  let state = genesisState({ number: origin.big('number'), hash: origin.hex('hash') })
  const items: string[] = []
  const nameOf = (hash: Bytes) => [...blocks].find(([, { facts }]) => equal(facts.hash, hash))?.[0] ?? 'origin'
  for (const [i, step] of entry.list('steps').map(String).entries()) {
    const index = BigInt(i + 1)
    const [name = '', what = ''] = step.split(' ')
    const { number, facts, gives } = blocks.get(name) as NamedBlock
    if (what === 'proofs') state = attributed(state, number, gives)
    else {
      const [member, round] = what.split('/').map(Number) as [number, number]
      const question = { kind: QUESTION_KIND, subject: encode(subjectCodec, { chainId, number }) }
      const claim = { roster_id: genesis.roster, question, round, until: index, value: encode(blockFactsCodec, facts) }
      const context = { network, group, roster, rosterId: genesis.roster, index, position: 0, timeMs: 1_000n * index }
      const effects = observe(state, { claim, member, signature: new Uint8Array(64) }, rule, context)
      state = effects.state
      items.push(...effects.append.map(({ item }) => toHex(item)))
    }
    demand(`${name} ${what} | ${show(state, nameOf)}` === step, `step ${i}: ${show(state, nameOf)}, not ${step}`)
  }
  demand(JSON.stringify(items) === JSON.stringify(entry.json('reversals')), 'other reversals')
}

export const AGREEMENT: readonly Part[] = [
  given(`${PATH}.chainId`),
  given(`${PATH}.origin`),
  given(`${PATH}.blocks`),
  accepts(`${PATH}.histories`, 'TAL-02 leaves the group where the page says', expectHistory),
]
