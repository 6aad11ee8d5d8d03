import { html, nothing, type TemplateResult } from 'lit'
import type { ExplainedEvent, ExplainedRegister, Explanation } from '../../client/verify/events/index.ts'
import { Part } from '../wallet/part.ts'
import type { LogAnswer } from './question.ts'

const EVENT_HEADINGS = ['event', 'type', 'what the log says', 'its data', 'digest'] as const

const DATA: Readonly<Record<ExplainedEvent['data'], string>> = {
  matches: 'are what was measured',
  differs: 'are NOT what was measured',
  unchecked: 'of the log’s word alone',
}

const register = ({ register: name, state, quoted, replayed, events }: ExplainedRegister): TemplateResult =>
  html`<dt>${name.toUpperCase()}</dt>
    <dd class=${state} data-register=${name}>
      ${state === 'passed' ? html`<span class="green">✓ explained</span> by ${events} events` : html`<span class="red">✕ not explained</span>: the log leads to <code>${replayed}</code>, the quote has <code>${quoted}</code>`}
    </dd>`

const event = ({ index, typeName, text, data, digest }: ExplainedEvent): TemplateResult =>
  html`<tr class=${data}>
    <th scope="row">${index}</th>
    <td>${typeName}</td>
    <td>${text}</td>
    <td>${DATA[data]}</td>
    <td><code>${digest.slice(0, 16)}…</code></td>
  </tr>`

const group = (name: string, events: readonly ExplainedEvent[]): TemplateResult | typeof nothing => {
  if (events.length === 0) return nothing
  const shown = name === 'mrTd' ? 'MR_TD' : name.toUpperCase()
  return html`<details>
    <summary>${shown}, ${events.length} events</summary>
    <div class="wide" tabindex="0" role="group" aria-label="Events of ${shown}">
      <table>
        <thead>
          <tr>
            ${EVENT_HEADINGS.map((heading) => html`<th scope="col">${heading}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${events.map(event)}
        </tbody>
      </table>
    </div>
  </details>`
}

const explained = (explanation: Explanation | null): TemplateResult =>
  explanation === null
    ? html`<p class="why">The quote is of no TD, or cannot be read: there are no registers to hold the log against.</p>`
    : html`<dl>${explanation.registers.map(register)}</dl>`

/** An event log, replayed: which registers it explains, and its events. */
export class EventLog extends Part {
  #answer: LogAnswer | null = null
  #isAccepted = false

  show(answer: LogAnswer | null, isAccepted: boolean): void {
    this.#answer = answer
    this.#isAccepted = isAccepted
    this.requestUpdate()
  }

  #body(answer: LogAnswer): TemplateResult {
    if ('problem' in answer) return html`<p class="problem" role="alert">${answer.problem}</p>`
    const names = [...new Set(answer.events.map(({ register: name }) => name))].sort()
    return html`
      ${this.#isAccepted ? nothing : html`<p class="why">The quote is not accepted: of such a one anybody can write a log.</p>`}
      ${explained(answer.explanation)}
      ${names.map((name) =>
        group(
          name,
          answer.events.filter((one) => one.register === name),
        ),
      )}
    `
  }

  override render(): TemplateResult | typeof nothing {
    if (this.#answer === null) return nothing
    return html`<section aria-labelledby="log-title">
      <h2 id="log-title">Event log</h2>
      ${this.#body(this.#answer)}
    </section>`
  }
}
