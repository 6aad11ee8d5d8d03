// Section 6 against client/: configs and ids, refunds and their indexes, observations, payments.

import { headerCodec, observationCodec, observationMessage } from '../../client/groups/block.ts'
import { genesisOf } from '../../client/groups/genesis.ts'
import { organismConfig, root, stableId } from '../../client/lattice/config.ts'
import { tallyBlock } from '../../client/lattice/tally/block.ts'
import { aclCodec, checkConfig, contentCodec, identify, shape } from '../../client/lattice/tally/config.ts'
import {
  attributionOf,
  type PaymentProof,
  type PaymentProofs,
  paymentProofsCodec,
  proofSize,
  verifyProofs,
} from '../../client/lattice/tally/evidence.ts'
import { commandCodec } from '../../client/lattice/tally/machine.ts'
import {
  blockFactsCodec,
  type Candidate,
  decodePay,
  encodePay,
  lengthSize,
  type PaymentFact,
  paymentFactCodec,
  paymentsHash,
  readPayment,
  select,
  split,
  subjectCodec,
} from '../../client/lattice/tally/payment.ts'
import { LIMITS, type RefundItem, refundCodec, refundsSpec, SPECS } from '../../client/lattice/tally/refund.ts'
import { type Bytes, concat } from '../../client/primitives/bytes.ts'
import { decode, encode, vector } from '../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { fingerprints } from '../../client/primitives/fingerprint.ts'
import { committeeOf, id, UNIVERSE } from '../../client/primitives/id.ts'
import { frontier, type MapTree, map, verifyTail } from '../../client/proofs/index.ts'
import { encodeBytes, encodeInteger, encodeList } from '../../client/proofs/rlp.ts'
import { hash } from '../../wasm/core.ts'
import { blockOf, FEE_RECIPIENT } from '../lattice/tally/fixtures.ts'
import {
  accepts,
  allAt,
  at,
  demand,
  demandHex,
  demandShown,
  type Entry,
  expectRefusal,
  expectUndecodable,
  given,
  hexAt,
  type Part,
  roundTrip,
  roundTripHex,
} from './main-kit.ts'
import { surfaceOf } from './main-proofs.ts'
import { codecNamed, decodeTailAnswer, decodeTailQuery, encodes, encodeTailAnswer, encodeTailQuery, isDecodeStage } from './main-types.ts'

// --- ids

const expectConfig = (entry: Entry): void => {
  const lattice = { name: entry.text('name'), chainId: entry.big('chainId') }
  const [content, acl] = [roundTrip(contentCodec, entry.entry('content')), roundTrip(aclCodec, entry.entry('acl'))]
  const prints = fingerprints({ content, acl }, shape)
  const config = organismConfig(lattice, 'tally', { content, acl }, shape)
  const found: { readonly [name: string]: Bytes } = {
    network: UNIVERSE,
    lattice: stableId(lattice),
    content: prints.content,
    acl: prints.acl,
    root: root(lattice, 'tally'),
    config,
    committee: committeeOf(config),
  }
  demandShown(found, entry.json('ids'))
  const { group } = identify(UNIVERSE, checkConfig({ lattice, content, acl }))
  demandHex(group, committeeOf(config), 'group')
}

const knownId = (path: string, text: string): Part =>
  accepts(path, 'is the id of its text', (entry) => demandHex(id(text), entry.hex('value'), 'id'))

const IDS: readonly Part[] = [
  knownId('tally.ids.universe', 'mosaik.universe'),
  knownId('tally.ids.hexText', 'AB'.repeat(32)),
  knownId('tally.ids.emptyText', ''),
  accepts('tally.configs', 'IDN-14 IDN-15 CFG-16 encodes and has its fingerprints and ids', expectConfig),
  accepts('tally.refusedConfigs', 'is refused by the decoder', (entry) => {
    demand(isDecodeStage(entry), 'refused on decoding')
    expectUndecodable(() => decode(codecNamed(entry.text('type')), entry.hex('hex')))
  }),
]

// --- the surface

const items = (): Bytes[] => allAt('tally.surface.items').map((entry) => entry.hex('item'))
const surface = () => surfaceOf(refundsSpec, items())
const keysOf = (by: number, item: Bytes): readonly Bytes[] => refundsSpec.by[by]?.keys(decode(refundCodec, item)) ?? []

const expectHeader = (entry: Entry): void => {
  const [described] = roundTrip(headerCodec, entry).surfaces
  const { frontier: edge, by } = surface()
  demand(described !== undefined && described.size === edge.size, 'size')
  demandHex(frontier.rootOf(edge), described.root, 'root')
  for (const [i, index] of described.by.entries()) {
    const tree = by[i] as MapTree<unknown>
    demand(index.keys === BigInt(map.size(tree)) && index.name === refundsSpec.by[i]?.name, `index ${i}`)
    demandHex(map.rootOf(tree), index.root, `root of index ${i}`)
  }
}

const expectTail = (entry: Entry): void => {
  const [query, answer] = [decodeTailQuery(entry.hex('query')), decodeTailAnswer(entry.hex('answer'))]
  demandHex(encodeTailQuery(query), entry.hex('query'), 'query')
  demandHex(encodeTailAnswer(answer), entry.hex('answer'), 'answer')
  const { by, bits, path, max } = query
  const tree = surface().by[by] as MapTree<unknown>
  const question = { root: map.rootOf(tree), surfaceSize: BigInt(items().length), bits, path, answer, max }
  verifyTail({ ...question, keysOf: (item) => keysOf(by, item) })
}

const SURFACE: readonly Part[] = [
  accepts('tally.surface.genesis', 'is computed', (entry) => {
    const header = roundTrip(headerCodec, entry)
    demandHex(encode(headerCodec, genesisOf(SPECS, header.roster)), entry.hex('hex'), 'genesis')
  }),
  accepts('tally.surface.items', 'TAL-03 encodes and carries its keys', (entry) => {
    demandShown(roundTripHex(refundCodec, entry.hex('item')), entry.json('value'))
    const listed = entry.list('keys')
    demand(listed.length === refundsSpec.by.length, 'an index of keys each')
    // The file lists an address once for each ref; an index takes it once.
    for (const [by, keys] of listed.entries()) {
      demandShown(keysOf(by, entry.hex('item')), [...new Set(keys as string[])].sort())
    }
  }),
  accepts('tally.surface.header', 'MSK-03 has the size and roots of the items', expectHeader),
  accepts('tally.surface.tails', 'TAL-07 is complete', expectTail),
  accepts('tally.refusedRefunds', 'is refused', (entry) => {
    demand(entry.text('type') === 'Refund', 'a refund')
    // What a check refuses may be refused by the decoder too: an attribution that contradicts itself never gets as far as a value.
    isDecodeStage(entry)
    expectUndecodable(() => decode(refundCodec, entry.hex('hex')))
  }),
]

// --- facts

const expectObservation = async (entry: Entry): Promise<void> => {
  const claim = roundTrip(observationCodec, entry)
  const message = observationMessage(claim)
  demandHex(message, entry.hex('message'), 'message')
  demand(await verifyWithNoble(entry.hex('signature'), message, entry.hex('public')), 'the signature does not verify')
  demandHex(claim.question.subject, at('tally.facts.subject').hex('hex'), 'subject')
  demandHex(claim.value, at('tally.facts.value').hex('hex'), 'value')
}

/** The rules of order on proofs that hold in every other respect: those of the file are of made-up nodes, which alone would be refused. */
const expectOrder = async (): Promise<void> => {
  const block = blockOf(7n, new Uint8Array(32), [{ value: 5n }, { value: 9n }])
  const { proofs } = tallyBlock(block, 7n, FEE_RECIPIENT)
  const [first, second] = proofs.payments as readonly [PaymentProof, PaymentProof]
  const verify = (payments: readonly PaymentProof[]) => verifyProofs({ ...proofs, payments }, FEE_RECIPIENT)
  demand(verify([first, second]).payments.length === 2, 'both count')
  for (const payments of [
    [second, first],
    [first, first],
  ])
    await expectRefusal(() => verify(payments))
}

const FACTS: readonly Part[] = [
  encodes('tally.facts.subject', subjectCodec),
  encodes('tally.facts.value', blockFactsCodec),
  accepts('tally.facts.none', 'encodes, of no payments', (entry) => {
    demandHex(roundTrip(blockFactsCodec, entry).payments, paymentsHash([]), 'payments')
  }),
  accepts('tally.facts.observation', 'TAL-02 encodes, and is signed over what we would verify', expectObservation),
  accepts('tally.facts.proofs', 'encodes and has its hash', (entry) => {
    demandHex(hash(encode(paymentProofsCodec, roundTrip(paymentProofsCodec, entry))), entry.hex('hash'), 'hash')
  }),
  encodes('tally.facts.commands', commandCodec),
  accepts('tally.facts.refused', 'is refused', async (entry) => {
    const [codec, input] = [codecNamed(entry.text('type')), entry.hex('hex')]
    if (isDecodeStage(entry)) return expectUndecodable(() => decode(codec, input))
    await expectOrder()
    await expectRefusal(() => verifyProofs(decode(codec, input) as PaymentProofs, FEE_RECIPIENT))
  }),
]

// --- payments

const expectCalldata = (entry: Entry): void => {
  const pay = decodePay(entry.hex('calldata'))
  demandShown(pay?.ref, entry.json('ref'))
  demandShown(pay?.providers, entry.json('providers'))
  demandShown(pay?.bps, entry.json('bps'))
  demand(pay !== null, 'no payment')
  demandHex(encodePay(pay), entry.hex('calldata'), 'calldata')
}

const some = encodeInteger(7)

/** A type 2 transaction and its receipt (EIP-1559, EIP-658) with what the entry says of them. */
const expectTransaction = (entry: Entry): void => {
  const to = entry.json('to') === null ? new Uint8Array(0) : entry.hex('to')
  const tail = [encodeInteger(entry.big('value')), encodeBytes(entry.hex('calldata')), encodeList([]), encodeInteger(0), some, some]
  const transaction = concat(Uint8Array.of(2), encodeList([some, some, some, some, some, encodeBytes(to), ...tail]))
  const outcome = [encodeInteger(entry.number('status')), some, encodeBytes(new Uint8Array(256)), encodeList([])]
  const receipt = concat(Uint8Array.of(2), encodeList(outcome))
  const fact = readPayment(entry.number('index'), transaction, receipt, hexAt('tally.payments.feeRecipient'))
  demandShown(fact && encode(paymentFactCodec, fact), entry.json('fact'))
}

/** A proof of made-up nodes that takes so many bytes encoded. */
const proofOf = (index: number, size: number): PaymentProof => {
  const receipt: Bytes[] = []
  for (let left = size - 6; left > 0; ) {
    let node = Math.min(left - 1, 400_000)
    while (node + lengthSize(node) > left) node--
    receipt.push(new Uint8Array(node))
    left -= node + lengthSize(node)
  }
  const proof = { index, transaction: [], receipt }
  demand(proofSize(proof) === size, `a proof of ${proofSize(proof)} bytes, not ${size}`)
  return proof
}

/** What was counted fits a blob with its proofs, and with any more of them it does not. */
const expectFit = async (header: Bytes, proofs: readonly PaymentProof[], counted: readonly PaymentFact[]): Promise<void> => {
  const among = proofs.filter(({ index }) => counted.some((fact) => fact.index === index))
  demand(encode(paymentProofsCodec, { header, payments: among }).length <= LIMITS.blob, 'too long')
  for (const proof of proofs.filter((each) => !among.includes(each))) {
    await expectRefusal(() => encode(paymentProofsCodec, { header, payments: [...among, proof] }))
  }
}

const counting = async (entry: Entry): Promise<readonly PaymentFact[]> => {
  const facts = entry.hexes('payments').map((each) => roundTripHex(paymentFactCodec, each))
  if (entry.has('values')) demandShown(facts, entry.json('values'))
  if (!entry.has('proofs'))
    return chosen(
      entry,
      facts.map((fact): Candidate => ({ fact, bytes: 0 })),
      0,
    )
  const sizes = entry.entry('proofs').list('sizes').map(Number)
  demand(sizes.length === facts.length, 'a size for each')
  const header = new Uint8Array(entry.entry('proofs').number('header'))
  const proofs = facts.map(({ index }, i) => proofOf(index, sizes[i] as number))
  const candidates = facts.map((fact, i): Candidate => ({ fact, bytes: proofSize(proofs[i] as PaymentProof) }))
  const counted = chosen(entry, candidates, lengthSize(header.length) + header.length)
  await expectFit(header, proofs, counted)
  return counted
}

const chosen = (entry: Entry, candidates: readonly Candidate[], header: number): readonly PaymentFact[] => {
  const { counted, omitted } = select(candidates, header)
  demandShown(
    counted.map(({ index }) => index),
    entry.json('counted'),
  )
  demand(omitted === entry.number('omitted'), `${omitted} omitted`)
  return counted
}

const expectCase = async (entry: Entry): Promise<void> => {
  const counted = await counting(entry)
  const facts = roundTrip(blockFactsCodec, entry.entry('facts'))
  demandHex(paymentsHash(counted), facts.payments, 'payments')
  demand(facts.count === counted.length && facts.omitted === entry.number('omitted'), 'counts')
  const { pool, recipients, residual } = split(counted)
  demand(pool === entry.big('pool') && residual === entry.big('residual') && recipients.length === entry.number('recipients'), 'sums')
  const given = at('tally.payments.circumstances')
  const block = { hash: given.hex('hash'), parentHash: given.hex('parent'), number: given.big('block'), timestamp: 0n }
  const header = { ...block, transactionsRoot: new Uint8Array(32), receiptsRoot: new Uint8Array(32) }
  const proven = { header, payments: counted, hash: given.hex('proofs'), blob: new Uint8Array(0) }
  const value = attributionOf(proven, { revision: 0, chainId: given.big('chainId'), committedAt: given.big('committedAt') })
  const refund: RefundItem = { kind: 'attribution', value }
  demandHex(hash(encode(refundCodec, refund)), entry.hex('refundHash'), 'refund')
  if (entry.has('refund')) demandShown(roundTrip(refundCodec, entry.entry('refund')), entry.entry('refund').json('value'))
}

const PAYMENTS: readonly Part[] = [
  accepts('tally.payments.selector', 'begins the calldata', (entry) => {
    const pay = encodePay({ ref: new Uint8Array(32), providers: [], bps: [] })
    demandHex(pay.slice(0, 4), entry.hex('value'), 'selector')
  }),
  given('tally.payments.feeRecipient'),
  accepts('tally.payments.calldata.accepted', 'is a call of pay', expectCalldata),
  accepts('tally.payments.calldata.refused', 'TAL-05 is no call of pay', (entry) => {
    demand(decodePay(entry.hex('calldata')) === null, 'a payment')
  }),
  accepts('tally.payments.transactions', 'TAL-05 is the payment that it says, or none', expectTransaction),
  given('tally.payments.circumstances'),
  accepts('tally.payments.cases', 'TAL-01 counts, omits and splits', expectCase),
  accepts('tally.payments.sized', 'TAL-01 counts what fits the blob', expectCase),
  accepts('tally.payments.emptyList', 'is the hash of no payments', (entry) => {
    demandHex(encode(vector(paymentFactCodec, LIMITS.payments), []), entry.hex('hex'), 'list')
    demandHex(paymentsHash([]), entry.hex('hash'), 'hash')
  }),
]

export const TALLY: readonly Part[] = [...IDS, ...SURFACE, ...FACTS, ...PAYMENTS]
