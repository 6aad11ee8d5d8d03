import type { Tally, Verified } from '../../client/page/index.ts'
import { el, pairs } from './dom.ts'
import { ether, hex, short } from './format.ts'
import { lights, refusal, whole } from './verdict.ts'

/** Raw bytes, for whoever wants to check them with something else. */
const raw = (name: string, bytes: Uint8Array): HTMLElement =>
  el('details', {}, el('summary', {}, `${name}, ${bytes.length} bytes`), el('pre', { class: 'raw', tabindex: '0' }, hex(bytes)))

const payment = ({ index, value, providers, bps, ref }: Tally.ProvenPayment): HTMLElement =>
  el(
    'li',
    {},
    `transaction ${index}: ${ether(value)} for ${short(hex(ref))}, `,
    providers.map((provider, i) => `${(bps[i] ?? 0) / 100} % to ${short(hex(provider))}`).join(', '),
  )

const proven = ({ value, verdict }: Verified<Tally.PaymentEvidence>): HTMLElement =>
  el(
    'div',
    {},
    lights(verdict),
    pairs([
      ['header of block', value.block.number.toString()],
      ['its hash', el('code', {}, hex(value.block.hash))],
      ['payments to', el('code', {}, hex(value.feeRecipient))],
    ]),
    el('ul', {}, ...value.payments.map(payment)),
    el('details', {}, el('summary', {}, 'Checks'), whole(verdict)),
    raw('Block header, RLP', value.header),
    raw('Proofs of the payments', value.blob),
  )

/** A button that fetches the proofs behind one refund, has them checked in the Worker, and shows them. */
export const evidence = (refunds: Tally.Refunds, { ref }: Verified<unknown>): HTMLElement => {
  const button = el('button', { type: 'button' }, 'Fetch and check the raw evidence')
  const place = el('div', { class: 'evidence', 'aria-live': 'polite' }, button)
  const show = async (): Promise<void> => {
    button.disabled = true
    try {
      place.replaceChildren(proven(await refunds.evidence(ref)))
    } catch (error) {
      button.disabled = false
      place.replaceChildren(refusal(error, button))
    }
  }
  button.addEventListener('click', () => void show())
  return place
}
