import { isError, type Tally } from '../../client/page/index.ts'
import { again } from './again.ts'
import { el } from './dom.ts'
import { refundRow, strike } from './refund.ts'
import { refusal } from './verdict.ts'

/** Rows kept: a page that is open for weeks stays as light as one that was just loaded. */
const ROWS = 200n

/** The newest refunds, newest on top, for as long as the page is open. Nothing is shown that failed a check; that one did is. */
export const showLive = async (place: HTMLElement, refunds: Tally.Refunds): Promise<void> => {
  const rows = el('ol', { class: 'refunds' })
  const note = el('div', { 'aria-live': 'polite' }, el('p', {}, 'Waiting for the first refund…'))
  place.append(note, rows)
  let next: bigint | null = null
  for (;;) {
    try {
      next ??= await first(refunds)
      for await (const verified of refunds.since(next)) {
        note.replaceChildren()
        rows.prepend(refundRow(refunds, verified))
        if (verified.value.kind === 'reversal') strike(rows, verified.value)
        if (rows.childElementCount > ROWS) rows.lastElementChild?.remove()
        next = BigInt(verified.ref.position ?? next) + 1n
      }
      return
    } catch (error) {
      // The Worker is gone, and with it everything that was verified: only a new page has a new one.
      if (isError(error, 'Network.ShutdownError')) return note.replaceChildren(refusal(error, reload()))
      // Two signed histories do not become one by asking again. The proof is offered beside the network's state.
      if (isError(error, 'Network.EquivocationError')) return note.replaceChildren(refusal(error))
      await again(note, error)
    }
  }
}

const reload = (): HTMLElement => {
  const button = el('button', { type: 'button' }, 'Reload the page')
  button.addEventListener('click', () => location.reload())
  return button
}

const first = async (refunds: Tally.Refunds): Promise<bigint> => {
  const { value, ref } = await refunds.latest()
  const last = value === null || ref.position === null ? 0n : BigInt(ref.position)
  return last < ROWS ? 0n : last - ROWS + 1n
}
