import { html, nothing, type TemplateResult } from 'lit'
import type { Tally } from '../../client/page/index.ts'
import { type Answer, answerRows, completeness, totals } from './answer.ts'
import { type Asked, follow, namedIn } from './ask.ts'
import type { Opened } from './opened.ts'
import { Part } from './part.ts'
import { formatRoute } from './route.ts'
import { saveText, toCsv } from './save.ts'
import { refusal } from './verdict.ts'

/** Everything that names one address, kept current: all of it, or a reason why not. */
export class AddressView extends Part {
  #opened: Opened | null = null
  #address = ''
  #asked: Asked | null = null
  /** Null before the first question; a question that waits for its first answer is one that has none. */
  #question: AbortController | null = null
  #problem: unknown = null
  #isSuggested = false
  /** From then on the field is the person's own. */
  #wasUsed = false

  show(opened: Opened): void {
    this.#opened = opened
    this.requestUpdate()
  }

  /** Fills in somebody whom a refund is for, unless there is something. */
  suggest(refund: Tally.Refund): void {
    const [address] = namedIn(refund)
    if (address === undefined || this.#wasUsed || this.#input().value !== '') return
    this.#input().value = address
    this.#isSuggested = true
    this.requestUpdate()
  }

  /** Asks for an address, as if it had been typed in. */
  ask(address: string): void {
    const opened = this.#opened
    if (opened === null) return
    const input = this.#input()
    if (input.value !== address) input.value = address
    this.#wasUsed = true
    this.#question?.abort()
    this.#question = new AbortController()
    this.#address = address
    this.#asked = null
    this.#problem = null
    this.requestUpdate()
    const { refunds } = opened
    const question = {
      ask: (signal: AbortSignal) => refunds.of(address, { signal }),
      touches: (refund: Tally.Refund) => namedIn(refund).includes(address.toLowerCase()),
    }
    void follow(refunds, question, this.#question.signal, (asked) => {
      this.#asked = asked
      this.requestUpdate()
    })
  }

  #input(): HTMLInputElement {
    return this.querySelector('#of') as HTMLInputElement
  }

  readonly #submit = (event: Event): void => {
    event.preventDefault()
    const address = this.#input().value.trim()
    if (address === '') return
    history.replaceState(null, '', formatRoute({ view: 'address', address }))
    this.ask(address)
  }

  readonly #typed = (): void => {
    this.#isSuggested = false
    this.#wasUsed = true
    this.requestUpdate()
  }

  readonly #json = async (): Promise<void> => {
    if (this.#opened === null) return
    try {
      const proof = await this.#opened.refunds.export({ question: 'of', argument: this.#address })
      saveText(`refunds-${this.#address}.json`, 'application/json', JSON.stringify(proof))
      this.#problem = null
    } catch (error) {
      this.#problem = error
    }
    this.requestUpdate()
  }

  #csv(opened: Opened, answer: Answer): () => void {
    return () => saveText(`refunds-${this.#address}.csv`, 'text/csv', toCsv(opened.lattice, answer, this.#address))
  }

  #answer(opened: Opened, answer: Answer): TemplateResult {
    const { value } = answer
    const tools = html`<p class="tools">
      <button type="button" @click=${this.#csv(opened, answer)}>Save as CSV</button>
      <button type="button" @click=${this.#json}>Save with its proof (JSON)</button>
    </p>`
    return html`
      ${totals(this.#address, value)} ${completeness(answer)}
      ${
        value.length === 0
          ? html`<p class="empty">No refund names this address. That is proven, too.</p>`
          : html`${tools}<refund-chart .shares=${{ address: this.#address, value }}></refund-chart>`
      }
      ${this.#problem === null ? nothing : refusal(this.#problem)} ${answerRows(opened, answer, this.#address)}
    `
  }

  #result(): TemplateResult | typeof nothing {
    if (this.#question === null || this.#opened === null) return nothing
    if (this.#asked === null) return html`<p>Asking, and checking the answer…</p>`
    const { answer, error } = this.#asked
    return html`${error === null ? nothing : refusal(error)}${answer === null ? nothing : this.#answer(this.#opened, answer)}`
  }

  override render(): TemplateResult {
    const hint = this.#isSuggested ? 'One that got a refund here. Any other will do.' : 'An address of this chain: 0x and 40 digits.'
    return html`
      <form @submit=${this.#submit}>
        <label for="of">Address</label>
        <input
          id="of"
          name="of"
          required
          placeholder="0x…"
          autocomplete="off"
          spellcheck="false"
          aria-describedby="of-hint"
          @input=${this.#typed}
        />
        <button ?disabled=${this.#opened === null}>Show its refunds</button>
      </form>
      <small id="of-hint">${hint} No member learns which one you ask about: it is told a bucket of about 64.</small>
      <div aria-live="polite" class="answer">${this.#result()}</div>
    `
  }
}
