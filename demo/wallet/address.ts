import { Tally, type Verified } from '../../client/page/index.ts'
import { el } from './dom.ts'
import { ether } from './format.ts'
import { refundRow, strike } from './refund.ts'
import { lights, refusal, whole } from './verdict.ts'

const totalOf = (address: string, rows: readonly Tally.Attribution[]): bigint => {
  const own = rows.flatMap(({ recipients }) => recipients.filter(({ addr }) => Tally.formatAddress(addr) === address.toLowerCase()))
  return own.reduce((sum, { amount }) => sum + amount, 0n)
}

const answer = (refunds: Tally.Refunds, address: string, { value, ref, verdict }: Verified<readonly Tally.Refund[]>): HTMLElement => {
  const counting = Tally.standing(value)
  const total = totalOf(address, counting)
  const rows = value.map((refund) => refundRow(refunds, { value: refund, ref, verdict }))
  // The answer's verdict covers every row of it; the place of a single one is not part of the answer.
  const list = el('ol', { class: 'refunds' }, ...rows.toReversed())
  for (const refund of value) if (refund.kind === 'reversal') strike(list, refund)
  return el(
    'div',
    {},
    el(
      'p',
      { class: 'total' },
      el('strong', {}, ether(total)),
      ` in ${counting.length} ${counting.length === 1 ? 'refund' : 'refunds'} `,
      el('small', {}, `${total} wei`),
    ),
    lights(verdict),
    el('details', {}, el('summary', {}, 'Why this is complete'), whole(verdict)),
    list,
  )
}

/** Asks for everything that names one address: all of it, or a reason why not. */
export const showAddress = (place: HTMLElement, refunds: Tally.Refunds): void => {
  const input = el('input', {
    id: 'of',
    name: 'of',
    required: '',
    pattern: '0x[0-9a-fA-F]{40}',
    placeholder: '0x…',
    autocomplete: 'off',
    spellcheck: 'false',
  })
  const form = el('form', {}, el('label', { for: 'of' }, 'Address'), input, el('button', {}, 'Show its refunds'))
  const shown = el('div', { 'aria-live': 'polite' })
  place.append(form, shown)
  let asking = new AbortController()
  const show = async (address: string, signal: AbortSignal): Promise<void> => {
    shown.replaceChildren(el('p', {}, 'Asking, and checking the answer…'))
    try {
      const verified = await refunds.of(address, { signal })
      shown.replaceChildren(answer(refunds, address, verified))
    } catch (error) {
      if (!signal.aborted) shown.replaceChildren(refusal(error))
    }
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    asking.abort()
    asking = new AbortController()
    void show(input.value.trim(), asking.signal)
  })
}
