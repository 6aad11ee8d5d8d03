import { Tally, type Verified } from '../../client/page/index.ts'
import { el, pairs } from './dom.ts'
import { evidence } from './evidence.ts'
import { ether, hex, short } from './format.ts'
import { lights, whole } from './verdict.ts'

const share = ({ addr, amount }: Tally.Recipient): HTMLElement => {
  const address = Tally.formatAddress(addr)
  return el('li', {}, el('code', { title: address }, short(address)), el('strong', {}, ether(amount)), el('small', {}, `${amount} wei`))
}

type Fact = readonly [string, HTMLElement | string]

const facts = ({ value, ref }: Verified<Tally.Refund>): HTMLElement =>
  pairs([
    ['block', el('code', {}, hex(value.blockHash))],
    ...(value.kind === 'attribution' ? given(value) : takenBack(value)),
    ['committed', new Date(value.committedAt).toISOString()],
    ['commit', el('code', {}, `${ref.index} ${ref.commit}`)],
    ...(ref.position === null ? [] : ([['place', ref.position]] as const)),
  ])

const given = ({ pool, residual, recipients }: Tally.Attribution): readonly Fact[] => [
  ['pool', `${ether(pool)} (${pool} wei)`],
  ['for nobody', `${ether(residual)} (${residual} wei)`],
  ...recipients.map(({ addr, ref: reason }): Fact => ['share', el('code', {}, `${Tally.formatAddress(addr)} for ${hex(reason)}`)]),
]

const takenBack = ({ of, reason }: Tally.Reversal): readonly Fact[] => [
  ['takes back', `revision ${of.revision} of block ${of.slot}`],
  [`block ${reason.number}`, el('code', {}, `is ${hex(reason.hash)} now`)],
]

const nameOf = (slot: bigint, revision: number): string => `${slot}/${revision}`

const title = (value: Tally.Refund): HTMLElement =>
  value.kind === 'attribution'
    ? el('ul', { class: 'shares' }, ...value.recipients.map(share))
    : el('span', {}, 'taken back: the chain no longer holds this block')

/** Strikes through the row of an attribution that was taken back, and says so to those who do not see it. */
export const strike = (rows: ParentNode, { of }: Tally.Reversal): void => {
  const row = rows.querySelector(`[data-refund="${nameOf(of.slot, of.revision)}"]:not(.reversed)`)
  row?.classList.add('reversed')
  row?.querySelector('.shares')?.append(el('li', {}, 'taken back'))
}

/** One refund: a line, and behind it the whole verdict and the raw evidence, made when it is opened for the first time. */
export const refundRow = (refunds: Tally.Refunds, verified: Verified<Tally.Refund>): HTMLElement => {
  const { value, ref, verdict } = verified
  const line = el(
    'summary',
    {},
    el('span', { class: 'block' }, `block ${value.kind === 'attribution' ? value.slot : value.of.slot}`),
    title(value),
    lights(verdict),
  )
  const row = el('details', {}, line)
  const open = (): void => {
    row.append(facts(verified), whole(verdict))
    // Where it stands is what the evidence is asked for by, and a complete answer names no places.
    if (ref.position !== null && value.kind === 'attribution') row.append(evidence(refunds, verified))
  }
  row.addEventListener('toggle', open, { once: true })
  const name = value.kind === 'attribution' ? { 'data-refund': nameOf(value.slot, value.revision) } : {}
  return el('li', { class: 'refund', ...name }, row)
}
