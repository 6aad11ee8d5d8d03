import { expect, test } from 'vitest'
import type { HeldTicket } from '../../client/groups/source.ts'
import { silent } from '../../client/log.ts'
import { TicketShelf } from '../../client/network/attest/shelf.ts'
import { keptRollback } from '../../client/network/keep/rollback.ts'
import { TDX_CLASS } from '../../client/network/tickets/ticket.ts'
import { type Bytes, toHex } from '../../client/primitives/bytes.ts'
import { asId, UNIVERSE } from '../../client/primitives/id.ts'
import { collateralBytes, createEcdsa, readCollateral, type SubtleEcdsa } from '../../client/verify/collateral/index.ts'
import { hash } from '../../wasm/core.ts'
import { gateOf, ticketFor, type Wrong } from '../devnet/_quoting.ts'
import { newPki, writeCollateral } from '../verify/_collateral-writer.ts'
import { seats } from './chain.ts'
import { memoryStorage } from './keep/memory-storage.ts'

// TDX.md, "Tickets of a committee": what a server that nobody trusts may do to what is known of tickets.

const AT = Math.floor(Date.now() / 1_000)
const pki = newPki(AT)
const collateral = collateralBytes(readCollateral(writeCollateral(pki)))
const group = asId<'GroupId'>(new Uint8Array(32).fill(7))
const roster = { epoch: 0, members: seats(4).map(({ member }) => member) }
const ecdsa = createEcdsa(crypto.subtle as unknown as SubtleEcdsa)

const waits = { after: () => () => {}, log: silent }

const shelfAt = (now: () => number, memory = keptRollback(waits, null)): TicketShelf =>
  new TicketShelf({ network: UNIVERSE, group, gate: gateOf(pki), roster, ecdsa, memory }, now)

const ticketOf = (member: number, at: number, wrong: Wrong | null = null, under: Bytes = collateral): HeldTicket => {
  const { peer, vote } = roster.members[member] as (typeof roster.members)[number]
  const request = { peer: toHex(peer), network: toHex(UNIVERSE), group: toHex(group), epoch: 0, voteKey: toHex(vote) }
  const data = ticketFor(pki, request as never, { at, lifetime: 3_600, wrong })
  return { member, class: TDX_CLASS, data, collateral: [hash(under)] }
}

const give = async (): Promise<Bytes> => collateral
const withhold = async (): Promise<Bytes> => {
  throw new Error('no blob of that hash is held')
}

test('a server that withholds the collateral keeps nobody from the same ticket of another one', async () => {
  const shelf = shelfAt(() => AT)
  await shelf.learn([ticketOf(0, AT)], withhold)
  expect(shelf.report(0)).toMatchObject({ isAttested: false, problem: 'no collateral for its quote holds' })
  const [held] = shelf.held()
  await shelf.learn([held as HeldTicket], give)
  expect(shelf.report(0)).toMatchObject({ isAttested: true, problem: null })
})

test('collateral of other bytes than its hash, or too many, is none', async () => {
  const shelf = shelfAt(() => AT)
  await shelf.learn([ticketOf(0, AT)], async () => collateral.slice(1))
  await shelf.learn([ticketOf(1, AT)], async () => new Uint8Array(1_000_000))
  expect([shelf.report(0).isAttested, shelf.report(1).isAttested]).toEqual([false, false])
})

test('a refused ticket is not verified again for a minute, and never takes the place of one that counts', async () => {
  let asked = 0
  let now = AT
  const shelf = shelfAt(() => now)
  const fetch = async (): Promise<Bytes> => {
    asked += 1
    return collateral
  }
  const wrong = ticketOf(0, AT, 'mrtd')
  await shelf.learn([wrong], fetch)
  await shelf.learn([wrong], fetch)
  expect(shelf.report(0).problem).toMatch(/^ticket\.mrtd failed/)
  await shelf.learn([ticketOf(0, AT)], fetch)
  await shelf.learn([wrong], fetch)
  expect([shelf.report(0).isAttested, asked]).toEqual([true, 1])
  now = AT + 120
  await shelf.learn([wrong], fetch)
  expect(shelf.report(0).isAttested).toBe(true)
})

test('an older ticket does not take the place of a newer one, in whatever order they come', async () => {
  const shelf = shelfAt(() => AT)
  const [older, newer] = [ticketOf(0, AT - 600), ticketOf(0, AT)]
  await Promise.all([shelf.learn([newer], give), shelf.learn([older], give)])
  expect(shelf.held().map(({ data }) => toHex(data))).toEqual([toHex(newer.data)])
})

test('a ticket counts until the second that its verdict names, and a seat outside of the roster is passed over', async () => {
  let now = AT
  const shelf = shelfAt(() => now)
  await shelf.learn([ticketOf(0, AT), { ...ticketOf(1, AT), member: 9 }], give)
  expect(shelf.held()).toHaveLength(1)
  now = shelf.report(0).expires as number
  expect(shelf.report(0).isAttested).toBe(true)
  now += 1
  expect(shelf.report(0)).toMatchObject({ isAttested: false, problem: expect.stringMatching(/^its ticket counted until/) })
})

/** Collateral of an earlier evaluation, and of a later one, both valid. */
const [EARLIER, LATER] = [16, 18].map((tcbEvaluationDataNumber) =>
  collateralBytes(readCollateral(writeCollateral(pki, { tcbInfo: { tcbEvaluationDataNumber } }))),
) as [Bytes, Bytes]
const giveBoth = async (wanted: Bytes): Promise<Bytes> => (toHex(wanted) === toHex(hash(LATER)) ? LATER : EARLIER)

test('section 5: no server leads back to collateral before what was accepted, in this shelf or after a new start', async () => {
  const memory = keptRollback(waits, memoryStorage())
  const shelf = shelfAt(() => AT, memory)
  await shelf.learn([ticketOf(0, AT, null, LATER)], giveBoth)
  expect(shelf.report(0).isAttested).toBe(true)
  const after = shelfAt(() => AT, memory)
  await after.learn([ticketOf(0, AT, null, EARLIER)], giveBoth)
  expect(after.report(0)).toMatchObject({ isAttested: false, problem: expect.stringMatching(/^collateral\.rollback failed: .*number 18/) })
})

test('a member that still shows the collateral of yesterday is judged by what another one shows of today', async () => {
  const shelf = shelfAt(() => AT)
  await shelf.learn([ticketOf(0, AT, null, LATER), ticketOf(1, AT, null, EARLIER)], giveBoth)
  expect([shelf.report(0), shelf.report(1)].map(({ isAttested, problem }) => [isAttested, problem])).toEqual([
    [true, null],
    [true, null],
  ])
})
