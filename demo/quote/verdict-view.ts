import { html, nothing, type TemplateResult } from 'lit'
import type { QuoteCheck, QuoteVerdict } from '../../client/verify/quotes.ts'
import { Part } from '../wallet/part.ts'
import { values } from './measurements.ts'
import type { Answer } from './question.ts'

const HEADINGS = ['check', 'result', 'expected', 'found', 'asked for by'] as const

// A word besides the colour: not everybody sees red and green apart.
const row = ({ name, state, expected, found, source }: QuoteCheck): TemplateResult =>
  html`<tr class=${state} data-check=${name}>
    <th scope="row">${name}</th>
    <td>${state}</td>
    <td>${expected}</td>
    <td>${found}</td>
    <td>${source}</td>
  </tr>`

const time = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z')

/** Of which SVN the platform, its quoting enclave or its module is short: those parts of what was found that compare two. */
const shortOf = ({ checks }: QuoteVerdict): readonly string[] =>
  checks
    .filter(({ name }) => ['quote.tcb', 'quote.qe', 'quote.module'].includes(name))
    .flatMap(({ name, found }) =>
      found
        .split('; ')
        .filter((part) => part.includes(' < '))
        .map((part) => `${name.replace('quote.', '')}: ${part}`),
    )

const summary = (verdict: QuoteVerdict): TemplateResult => {
  const { status, tcbDate, advisories, expires, platform } = verdict
  const short = shortOf(verdict)
  const rows: readonly (readonly [string, unknown])[] = [
    ['status', status ?? 'not proven'],
    ['TCB of', tcbDate ?? 'not proven'],
    ['short of', short.length > 0 ? html`<ul class="short">${short.map((one) => html`<li>${one}</li>`)}</ul>` : 'nothing'],
    ['advisories', advisories.length > 0 ? advisories.join(', ') : 'none'],
    ['holds until', expires === null ? 'it has no date' : time(expires)],
    ['platform', platform === null ? 'not known' : html`FMSPC <code>${platform.fmspc}</code>, PCEID <code>${platform.pceid}</code>`],
  ]
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`
}

const checks = (verdict: QuoteVerdict): TemplateResult => html`
  <div class="wide" tabindex="0" role="group" aria-label="Checks">
    <table>
      <thead>
        <tr>
          ${HEADINGS.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${verdict.checks.map(row)}
      </tbody>
    </table>
  </div>
`

const banner = ({ accepted, root, checks }: QuoteVerdict): TemplateResult => {
  const failed = checks.filter(({ state }) => state === 'failed')
  const why = failed.length > 0 ? html` by <strong>${failed.map(({ name }) => name).join(', ')}</strong>` : nothing
  return html`
    ${
      root === 'development'
        ? html`<p class="development" role="alert">
          <strong>Development root.</strong> Somebody made the root that this verdict stands on. It says nothing of any machine of Intel’s.
        </p>`
        : nothing
    }
    <p class="banner ${accepted ? 'green' : 'red'}" role="status">
      <span aria-hidden="true">${accepted ? '✓' : '✕'}</span>
      ${accepted ? html`Accepted, on these terms, at this time.` : html`Refused${why}.`}
    </p>
  `
}

/** What was wrong, at the head of the verdict: the table has every check. */
const failures = ({ checks }: QuoteVerdict): TemplateResult | typeof nothing => {
  const failed = checks.filter(({ state }) => state === 'failed')
  if (failed.length === 0) return nothing
  return html`<ul class="failures">
    ${failed.map(({ name, expected, found }) => html`<li><strong>${name}</strong>: expected ${expected}; found ${found}</li>`)}
  </ul>`
}

/** What came out: every check with what was expected and found, and what stands in the quote. */
export class QuoteVerdictView extends Part {
  #answer: Answer | null = null
  #isBusy = false

  busy(): void {
    this.#isBusy = true
    this.requestUpdate()
  }

  show(answer: Answer | null): void {
    this.#answer = answer
    this.#isBusy = false
    this.requestUpdate()
  }

  override render(): TemplateResult {
    const answer = this.#answer
    if (answer === null) return html`<p class="empty">${this.#isBusy ? 'Verifying …' : 'A quote is wanted first.'}</p>`
    if ('problem' in answer) return html`<p class="problem" role="alert">${answer.problem}</p>`
    const { verdict } = answer
    const collateral = verdict.checks.some(({ name, state }) => name === 'collateral.shape' && state === 'failed')
    return html`
      <div aria-busy=${this.#isBusy}>
        ${banner(verdict)} ${failures(verdict)} ${summary(verdict)}
        ${collateral ? html`<p class="why">Without collateral nothing of a quote can be shown to be true.</p>` : nothing}
        ${values(verdict)}
        <h3>Checks</h3>
        ${checks(verdict)}
      </div>
    `
  }
}
