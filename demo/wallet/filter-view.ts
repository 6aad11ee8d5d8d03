import { html, nothing, type TemplateResult } from 'lit'
import type { Tally } from '../../client/page/index.ts'
import { type Answer, answerRows, completeness } from './answer.ts'
import { type Asked, follow, namedIn, slotOf } from './ask.ts'
import type { Opened } from './opened.ts'
import { Part } from './part.ts'
import { formatRoute, type Route } from './route.ts'
import { saveText, toCsv } from './save.ts'
import { refusal } from './verdict.ts'

const BLOCK = /^(?:0|[1-9]\d{0,18})$/

type Filter = Extract<Route, { readonly view: 'filter' }>

/** Narrows the whole surface to a recipient, a block, or both. What is shown then is a complete answer of the tally, kept current. */
export class FilterView extends Part {
  #opened: Opened | null = null
  #filter: Filter = { view: 'filter', recipient: '', block: '' }
  #asked: Asked | null = null
  #question: AbortController | null = null
  #problem = ''

  show(opened: Opened, filter: Filter | null): void {
    this.#opened = opened
    if (filter !== null) this.#apply(filter)
    this.requestUpdate()
  }

  #apply(filter: Filter): void {
    this.#filter = filter
    this.#question?.abort()
    this.#question = null
    this.#asked = null
    this.#problem = filter.block === '' || BLOCK.test(filter.block) ? '' : 'A block is named by its number.'
    const isOn = filter.recipient !== '' || filter.block !== ''
    this.dispatchEvent(new CustomEvent('filtered', { detail: isOn, bubbles: true }))
    this.requestUpdate()
    if (!isOn || this.#problem !== '' || this.#opened === null) return
    this.#question = new AbortController()
    void follow(this.#opened.refunds, questionOf(this.#opened, filter), this.#question.signal, (asked) => {
      this.#asked = asked
      this.requestUpdate()
    })
  }

  readonly #submit = (event: Event): void => {
    event.preventDefault()
    this.#go({ view: 'filter', recipient: this.#field('recipient'), block: this.#field('block') })
  }

  #field(id: string): string {
    return (this.querySelector(`#${id}`) as HTMLInputElement).value.trim()
  }

  readonly #clear = (): void => this.#go({ view: 'filter', recipient: '', block: '' })

  #go(filter: Filter): void {
    history.replaceState(null, '', formatRoute(filter))
    this.#apply(filter)
  }

  #result(opened: Opened): TemplateResult {
    if (this.#problem !== '') return html`<p class="problem" role="alert">${this.#problem}</p>`
    if (this.#question === null) return html``
    if (this.#asked === null) return html`<p>Asking, and checking the answer…</p>`
    const { answer, error } = this.#asked
    return html`${error === null ? nothing : refusal(error)}${answer === null ? nothing : this.#rows(opened, answer)}`
  }

  #rows(opened: Opened, answer: Answer): TemplateResult {
    const { value } = answer
    const csv = (): void => saveText('refunds.csv', 'text/csv', toCsv(opened.lattice, answer))
    return html`
      ${completeness(answer)}
      ${
        value.length === 0
          ? html`<p class="empty">No refund matches. That is proven, too.</p>`
          : html`<p class="tools"><button type="button" @click=${csv}>Save as CSV</button></p>
            ${answerRows(opened, answer)}`
      }
    `
  }

  override render(): TemplateResult | typeof nothing {
    if (this.#opened === null) return nothing
    const { recipient, block } = this.#filter
    return html`
      <form class="filter" @submit=${this.#submit}>
        <label for="recipient">Recipient</label>
        <input id="recipient" name="recipient" placeholder="0x…" autocomplete="off" spellcheck="false" .value=${recipient} />
        <label for="block">Block</label>
        <input id="block" name="block" inputmode="numeric" placeholder="number" autocomplete="off" .value=${block} />
        <button>Filter</button>
        <button type="button" ?disabled=${recipient === '' && block === ''} @click=${this.#clear}>Show all</button>
      </form>
      <div aria-live="polite">${this.#result(this.#opened)}</div>
    `
  }
}

const questionOf = ({ refunds }: Opened, { recipient, block }: Filter) => {
  const slot = block === '' ? null : BigInt(block)
  const isOf = (refund: Tally.Refund): boolean => slot === null || slotOf(refund) === slot
  const names = (refund: Tally.Refund): boolean => recipient === '' || namedIn(refund).includes(recipient.toLowerCase())
  return {
    touches: (refund: Tally.Refund) => isOf(refund) && names(refund),
    ask: async (signal: AbortSignal): Promise<Answer> => {
      // Asked by address where there is one: then an address that is none is refused, and the block is looked for in what is complete.
      const answer = recipient === '' ? await refunds.at(slot ?? 0n, { signal }) : await refunds.of(recipient, { signal })
      return { ...answer, value: answer.value.filter(isOf) }
    },
  }
}
