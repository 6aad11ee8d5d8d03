import { Tally, type Verified } from '../../client/page/index.ts'
import { el, pairs } from './dom.ts'
import { evidence } from './evidence.ts'
import { ether, hex, short } from './format.ts'
import { lights, whole } from './verdict.ts'

const share = ({ addr, amount }: Tally.Recipient): HTMLElement => {
  const address = Tally.formatAddress(addr)
  return el('li', {}, el('code', { title: address }, short(address)), el('strong', {}, ether(amount)), el('small', {}, `${amount} wei`))
}

const facts = ({ value, ref }: Verified<Tally.Refund>): HTMLElement =>
  pairs([
    ['block', el('code', {}, hex(value.blockHash))],
    ['pool', `${ether(value.pool)} (${value.pool} wei)`],
    ['for nobody', `${ether(value.residual)} (${value.residual} wei)`],
    ['committed', new Date(value.committedAt).toISOString()],
    ['commit', el('code', {}, `${ref.index} ${ref.commit}`)],
    ...(ref.position === null ? [] : ([['place', ref.position]] as const)),
    ...value.recipients.map(
      ({ addr, ref: reason }) => ['share', el('code', {}, `${Tally.formatAddress(addr)} for ${hex(reason)}`)] as const,
    ),
  ])

/** One refund: a line, and behind it the whole verdict and the raw evidence, made when it is opened for the first time. */
export const refundRow = (refunds: Tally.Refunds, verified: Verified<Tally.Refund>): HTMLElement => {
  const { value, ref, verdict } = verified
  const line = el(
    'summary',
    {},
    el('span', { class: 'block' }, `block ${value.slot}`),
    el('ul', { class: 'shares' }, ...value.recipients.map(share)),
    lights(verdict),
  )
  const row = el('details', {}, line)
  const open = (): void => {
    row.append(facts(verified), whole(verdict))
    // Where it stands is what the evidence is asked for by, and a complete answer names no places.
    if (ref.position !== null) row.append(evidence(refunds, verified))
  }
  row.addEventListener('toggle', open, { once: true })
  return el('li', { class: 'refund' }, row)
}
