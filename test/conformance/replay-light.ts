// The claims of sections 5 and 6: see replay.ts.

import { decode, encode, type Json } from './bcs.ts'
import { Block, Certificate, type Committee, checkBlock, checkCertificate, checkNext, commitHash, Header } from './blocks.ts'
import { Roster } from './committee.ts'
import { verify } from './ed25519.ts'
import { at, type Bytes, H, hex, same } from './hash.ts'
import { uniqueId } from './ids.ts'
import { type Query, Request, Response } from './light.ts'
import { noteKeysOf } from './make-exchanges.ts'
import { countPayments, decodePay, paymentOf } from './payments.ts'
import { checkCommits, checkOpened, checkProven, type Watcher } from './reading.ts'
import {
  bytesAt,
  type Claim,
  claims,
  demand,
  get,
  number,
  read,
  refusals,
  roundTrip,
  roundTrips,
  rows,
  scopeOf,
  string,
  type Value,
} from './replay.ts'
import { checkTail, TailAnswer, TailQuery } from './tails.ts'
import {
  Acl,
  BlockFacts,
  Content,
  checkProofs,
  checkRefund,
  MachineCommand,
  PaymentFact,
  PaymentFacts,
  PaymentProofs,
  Refund,
  refundKeys,
  tallyIds,
} from './tally.ts'
import { RangeProof, treeRoot } from './tree.ts'

const committee = (row: Value): Committee => ({ roster: read(Roster, row, 'roster'), id: bytesAt(row, 'rosterId') })
const certificateAt = (world: Value, index: number): Certificate => read(Certificate, world, 'blocks', index - 1, 'certificate')
const headerAt = (world: Value, index: number): Header => certificateAt(world, index).header

function queriesOf(row: Json): Query[] {
  const request = read(Request, row, 'request')
  if (request.is !== 'prove') throw new Error('no prove')
  return request.value.queries
}

function light(all: Json): Claim[] {
  const part = get(all, 'light')
  const world = get(part, 'world')
  const prove = (row: Json) => {
    const response = read(Response, row, 'response')
    if (response.is !== 'proven') throw new Error('not proven')
    const reader = {
      header: headerAt(world, number(row, 'at')),
      keysOf: (_: number, by: number, item: Bytes) => noteKeysOf(by, item),
      continued: () => null,
    }
    checkProven(queriesOf(row), response.value.answers, reader)
  }
  const opens = get(part, 'open')
  const open = (row: Json) => {
    const request = read(Request, row, 'request')
    const response = read(Response, row, 'response')
    if (request.is !== 'open' || response.is !== 'opened') throw new Error('no open')
    const { id } = checkOpened(scopeOf(opens), committee(row), request.value, response.value)
    demand(get(row, 'head') === undefined || hex(id) === string(row, 'head'), 'another roster at the head')
  }
  return [
    ...roundTrips('light.requests', Request, rows(part, 'requests')),
    ...roundTrips('light.responses', Response, rows(part, 'responses')),
    ...refusals('light.refused', rows(part, 'refused')),
    ...claims('light.world.blocks', rows(world, 'blocks'), (row) => {
      const index = Number(string(row, 'index'))
      const block = read(Block, row, 'block')
      const certificate = certificateAt(world, index)
      checkBlock(scopeOf(world), block)
      checkCertificate(certificate, committee(world), null)
      demand(same(commitHash(block.header), bytesAt(row, 'commitHash')), 'another commit hash')
      demand(same(commitHash(certificate.header), bytesAt(row, 'commitHash')), 'the certificate of another block')
      const before = [read(Header, world, 'genesis'), ...rows(world, 'blocks').map((each) => read(Block, each, 'block').header)].slice(
        0,
        index,
      )
      checkNext(at(before, index - 1), block.header)
      demand(same(treeRoot(before.map(commitHash)), block.header.log), 'another log')
    }),
    ...claims('light.prove.accepted', rows(part, 'prove', 'accepted'), prove),
    ...claims('light.prove.refused', rows(part, 'prove', 'refused'), prove),
    ...claims('light.open.accepted', rows(opens, 'accepted'), open),
    ...claims('light.open.refused', rows(opens, 'refused'), open),
    ...watch(world, get(part, 'watch')),
  ]
}

function watch(world: Value, part: Value): Claim[] {
  const request = read(Request, part, 'request')
  if (request.is !== 'watch') throw new Error('no watch')
  const { surfaces, withstand } = request.value
  const start: Watcher = {
    header: headerAt(world, number(part, 'from')),
    edges: new Map(rows(part, 'edges').map((row) => [number(row, 'surface'), read(RangeProof, row, 'proof')])),
  }
  const next = (watcher: Watcher, response: Json): Watcher => {
    const commits = decode(Response, bytesAt(response))
    if (commits.is !== 'commits') throw new Error('no commits')
    return checkCommits(watcher, surfaces, commits.value, committee(world), withstand)
  }
  const all = (): void => {
    let watcher = start
    for (const response of rows(part, 'responses')) watcher = next(watcher, response)
    for (const row of rows(part, 'edgesAfter')) {
      const edge = watcher.edges.get(number(row, 'surface'))
      demand(edge !== undefined && hex(encode(RangeProof, edge)) === string(row, 'proof'), 'another edge')
    }
  }
  return [
    { name: 'light.watch', rule: null, run: all },
    ...claims('light.watch.refused', rows(part, 'refused'), (row) => {
      next(start, get(row, 'response') ?? '')
    }),
  ]
}

function tally(all: Json): Claim[] {
  const part = get(all, 'tally')
  const facts = get(part, 'facts')
  const observed = get(facts, 'observation')
  const surface = get(part, 'surface')
  return [
    ...claims('tally.configs', rows(part, 'configs'), (row) => {
      const content = roundTrip(Content, get(row, 'content') ?? null)
      const acl = roundTrip(Acl, get(row, 'acl') ?? null)
      const ids = tallyIds(string(row, 'name'), BigInt(string(row, 'chainId')), content, acl)
      for (const [name, id] of Object.entries(ids)) demand(hex(id) === string(row, 'ids', name), `another ${name}`)
    }),
    ...refusals('tally.refusedConfigs', rows(part, 'refusedConfigs')),
    ...claims('tally.surface.items', rows(surface, 'items'), (row) => {
      const refund = read(Refund, row, 'item')
      checkRefund(refund)
      demand(JSON.stringify(Refund.show(refund)) === JSON.stringify(get(row, 'value')), 'another value')
    }),
    ...claims('tally.surface.tails', rows(surface, 'tails'), (row) => {
      const query = read(TailQuery, row, 'query')
      const root = bytesAt(surface, 'header', 'value', 'surfaces', 0, 'by', query.by, 'root')
      const size = BigInt(rows(surface, 'items').length)
      checkTail(query, read(TailAnswer, row, 'answer'), { root, size, keysOf: (item) => refundKeys(query.by, item), continued: () => null })
    }),
    ...claims('tally.refusedRefunds', rows(part, 'refusedRefunds'), (row) => checkRefund(read(Refund, row, 'hex'))),
    ...roundTrips('tally.facts.commands', MachineCommand, rows(facts, 'commands')),
    ...roundTrips('tally.facts.value', BlockFacts, [get(facts, 'value') ?? null, get(facts, 'none') ?? null]),
    ...claims('tally.facts.proofs', [get(facts, 'proofs') ?? null], (row) => {
      demand(hex(H(encode(PaymentProofs, roundTrip(PaymentProofs, row)))) === string(row, 'hash'), 'another hash')
    }),
    ...claims('tally.facts.refused', rows(facts, 'refused'), (row) => {
      if (get(row, 'stage') === 'check') checkProofs(read(PaymentProofs, row, 'hex'))
      else read(MachineCommand, row, 'hex')
    }),
    {
      name: 'tally.facts.observation',
      rule: null,
      run: () => demand(verify(bytesAt(observed, 'public'), bytesAt(observed, 'message'), bytesAt(observed, 'signature')), 'the signature'),
    },
    { name: 'tally.ids', rule: null, run: () => demand(hex(uniqueId('')) === string(part, 'ids', 'emptyText'), 'another id') },
    ...payments(get(part, 'payments')),
  ]
}

function payments(part: Value): Claim[] {
  return [
    ...claims('tally.calldata.accepted', rows(part, 'calldata', 'accepted'), (row) => {
      const pay = decodePay(bytesAt(row, 'calldata'))
      demand(hex(pay.ref) === string(row, 'ref'), 'another ref')
      demand(JSON.stringify(pay.providers.map(hex)) === JSON.stringify(get(row, 'providers')), 'other providers')
      demand(JSON.stringify(pay.bps) === JSON.stringify(get(row, 'bps')), 'other shares')
    }),
    ...claims('tally.calldata.refused', rows(part, 'calldata', 'refused'), (row) => {
      decodePay(bytesAt(row, 'calldata'))
    }),
    ...claims('tally.transactions', rows(part, 'transactions'), (row) => {
      const to = get(row, 'to')
      const transaction = {
        index: number(row, 'index'),
        status: number(row, 'status'),
        to: typeof to === 'string' ? bytesAt(row, 'to') : null,
        value: BigInt(string(row, 'value')),
        calldata: bytesAt(row, 'calldata'),
      }
      const fact = paymentOf(transaction, bytesAt(part, 'feeRecipient'))
      demand(hex(encode(PaymentFact, fact)) === string(row, 'fact'), 'another fact')
    }),
    ...claims('tally.cases', [...rows(part, 'cases'), ...rows(part, 'sized')], (row) => {
      const found = rows(row, 'payments').map((payment) => decode(PaymentFact, bytesAt(payment)))
      const sizes = get(row, 'proofs') === undefined ? [] : rows(row, 'proofs', 'sizes').map((size) => number(size))
      const counted = countPayments(found, {
        header: sizes.length === 0 ? 0 : number(row, 'proofs', 'header'),
        of: (index) => sizes[found.findIndex((fact) => fact.index === index)] ?? 0,
      })
      demand(JSON.stringify(counted.facts.map((fact) => fact.index)) === JSON.stringify(get(row, 'counted')), 'counts others')
      const facts = roundTrip(BlockFacts, get(row, 'facts') ?? null)
      demand(same(facts.payments, H(encode(PaymentFacts, counted.facts))), 'another digest')
      demand(counted.pool.toString() === string(row, 'pool') && counted.residual.toString() === string(row, 'residual'), 'other sums')
      const refund = get(row, 'refund')
      if (refund !== undefined) demand(hex(H(encode(Refund, roundTrip(Refund, refund)))) === string(row, 'refundHash'), 'another hash')
    }),
  ]
}

export const lastClaims = (all: Json): Claim[] => [...light(all), ...tally(all)]
