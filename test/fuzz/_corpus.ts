import { blockFactsCodec, subjectCodec } from '../../client/lattice/tally/payment.ts'
import { genesisState, stateCodec } from '../../client/lattice/tally/state.ts'
import { answerCodec, queryCodec } from '../../client/network/light/queries.ts'
import { type Bytes, concat } from '../../client/primitives/bytes.ts'
import { type Codec, decode, encode } from '../../client/primitives/codec.ts'
import { Tip } from '../../client/proofs/index.ts'
import { allAt } from '../conformance/main-kit.ts'
import { codecNamed } from '../conformance/main-types.ts'

// Where the mutations start: every encoding in test/vectors/conformance.json, by the type that it is of.

export interface Seeded {
  readonly name: string
  readonly codec: Codec<unknown>
  readonly inputs: readonly Bytes[]
}

/** The bytes at `field` of every entry at a path; a list there gives all of its items. */
const hexes = (path: string, field: string): readonly Bytes[] =>
  allAt(path).flatMap((entry) => (Array.isArray(entry.json(field)) ? entry.hexes(field) : [entry.hex(field)]))

const from = (...places: readonly (readonly [path: string, field: string])[]): readonly Bytes[] =>
  places.flatMap(([path, field]) => hexes(path, field))

/** Entries that say themselves of what type they are. */
const typed = (path: string, type: string): readonly Bytes[] =>
  allAt(path).flatMap((entry) => (entry.text('type') === type ? [entry.hex('hex')] : []))

const TYPES: { readonly [type: string]: readonly (readonly [path: string, field: string])[] } = {
  Roster: [
    ['rosters.accepted', 'hex'],
    ['certificates.committees', 'roster'],
    ['light.world.roster', 'value'],
  ],
  Header: [
    ['headers', 'hex'],
    ['genesis', 'hex'],
    ['tally.surface.header', 'hex'],
  ],
  Command: [['commands.accepted', 'hex']],
  Block: [
    ['blocks.accepted', 'hex'],
    ['light.world.blocks', 'block'],
  ],
  Certificate: [
    ['certificates.accepted', 'hex'],
    ['light.world.blocks', 'certificate'],
  ],
  Observation: [
    ['observations.observations', 'hex'],
    ['tally.facts.observation', 'hex'],
  ],
  Request: [
    ['light.requests', 'hex'],
    ['light.prove.accepted', 'request'],
    ['light.open.accepted', 'request'],
    ['light.watch.request', 'value'],
  ],
  Response: [
    ['light.responses', 'hex'],
    ['light.prove.accepted', 'response'],
    ['light.open.accepted', 'response'],
    ['light.watch.responses', 'value'],
  ],
  TreeProof: [['trees.proofs', 'hex']],
  RangeProof: [
    ['trees.ranges', 'hex'],
    ['light.watch.edges', 'proof'],
  ],
  MapProof: [
    ['maps.keys', 'hex'],
    ['maps.prefixes', 'hex'],
  ],
  PaymentFact: [
    ['tally.payments.cases', 'payments'],
    ['tally.payments.sized', 'payments'],
  ],
  PaymentProofs: [['tally.facts.proofs', 'hex']],
  MachineCommand: [['tally.facts.commands', 'hex']],
}

/** `hex` of an object one step down: `content: { hex, value }`. */
const within = (path: string, ...fields: readonly string[]): readonly Bytes[] =>
  allAt(path).flatMap((entry) => fields.filter((field) => entry.has(field)).map((field) => entry.entry(field).hex('hex')))

const ENCODED = [...new Set(allAt('encoding.accepted').map((entry) => entry.text('type')))]
const LIMITED = allAt('limits.accepted').map((entry) => entry.text('type'))

const named = (name: string, inputs: readonly Bytes[]): Seeded => ({ name, codec: codecNamed(name), inputs })
const TAIL = Uint8Array.of(4)

/** The machine's state stands in no vector: one made of the facts that do. */
const states = (): readonly Bytes[] => {
  const facts = within('tally.payments.cases', 'facts').map((hex) => decode(blockFactsCodec, hex))
  const claimed = (members: number) => facts.slice(0, members).map((fact, member) => ({ member, facts: fact }))
  const state = (members: number) => ({
    ...genesisState({ number: 20_999_999n, hash: facts[0]?.parent ?? new Uint8Array(32) }),
    contested: members === 0 ? null : 20_999_998n,
    round: members,
    met: members > 2 ? 9n : null,
    claims: claimed(members),
    agreed: facts.slice(0, members).map(({ hash, parent }, i) => {
      const named = i % 2 === 0 ? null : [parent.slice(0, 20)]
      return { hash, parent, round: i, revision: 0, named, claims: claimed(i) }
    }),
    reopened: facts.slice(0, members).map((_, i) => ({ round: i, revision: 1 })),
    pending: facts.slice(members).map(({ hash, count, payments }, i) => ({ number: BigInt(i), hash, count, payments, revision: 0 })),
  })
  return [0, 1, 4].map((members) => encode(stateCodec, state(members)))
}

/** Every type of the wire with its encodings. The types of docs/wire.md section 1 stand together as one: they are in all of the others. */
export const corpus = (): readonly (readonly Seeded[])[] => {
  const types = Object.entries(TYPES).map(([type, places]) =>
    named(type, [...from(...places), ...(LIMITED.includes(type) ? typed('limits.accepted', type) : [])]),
  )
  const others: readonly Seeded[] = [
    named('Content', within('tally.configs', 'content')),
    named('Acl', within('tally.configs', 'acl')),
    named('Refund', [...from(['tally.surface.items', 'item']), ...within('tally.payments.cases', 'refund')]),
    named('BlockFacts', [...within('tally.payments.cases', 'facts'), ...from(['tally.facts.value', 'hex'])]),
    { name: 'Subject', codec: subjectCodec, inputs: from(['tally.facts.subject', 'hex']) },
    { name: 'TallyState', codec: stateCodec, inputs: states() },
    { name: 'Tip', codec: Tip, inputs: from(['indexes.chains', 'tip']) },
    { name: 'Query', codec: queryCodec, inputs: from(['indexes.tails', 'query']).map((input) => concat(TAIL, input)) },
    { name: 'Answer', codec: answerCodec, inputs: from(['indexes.tails', 'answer']).map((input) => concat(TAIL, input)) },
  ]
  const encoding = ENCODED.map((type) => named(type, typed('encoding.accepted', type)))
  return [...types.map((each) => [each]), ...others.map((each) => [each]), encoding]
}
