import { html, nothing, type TemplateResult } from 'lit'
import { type Check, type EvidenceError, explain, isError, type Light, type Verdict } from '../../client/page/index.ts'
import { problem } from './format.ts'

const LIGHTS = ['integrity', 'authority', 'freshness'] as const
const HEADINGS = ['check', 'result', 'expected', 'found', 'asked for by'] as const

// Shape and word besides the colour: not everybody sees red and green apart.
const SIGN = { green: '✓', amber: '!', red: '✕' } as const
const WORD = { green: 'verified', amber: 'not in every respect', red: 'failed' } as const

const light = (name: string, { state }: Light): TemplateResult =>
  html`<span class="light ${state}" title="${name}: ${WORD[state]}"
    ><span aria-hidden="true" .textContent=${SIGN[state]}></span> <span .textContent=${name}></span
    ><span class="unseen" .textContent=${` ${WORD[state]}`}></span
  ></span>`

/** The three lights of a verdict, in one line. */
export const lights = (verdict: Verdict): TemplateResult =>
  html`<span class="lights">${LIGHTS.map((name) => light(name, verdict[name]))}</span>`

const row = ({ name, state, expected, found, source }: Check): TemplateResult =>
  html`<tr class=${state}>
    <th scope="row">${name}</th>
    <td>${state}</td>
    <td>${expected}</td>
    <td>${found}</td>
    <td>${source}</td>
  </tr>`

/** The whole verdict: what was checked, what was expected and found, and what has to hold for it to be true. */
export const whole = (verdict: Verdict): TemplateResult => html`
  <div class="verdict">
    <p>Assumes: ${verdict.assumes}</p>
    <p>Told to the server: ${verdict.disclosed}</p>
    <div class="wide" tabindex="0" role="group" aria-label="Checks">
      <table>
        <thead>
          <tr>
            ${HEADINGS.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${LIGHTS.flatMap((name) => verdict[name].checks).map(row)}
        </tbody>
      </table>
    </div>
    <details>
      <summary>As text</summary>
      <pre tabindex="0">${explain(verdict)}</pre>
    </details>
  </div>
`

// Both carry one: what a server failed, and what the committee did.
const verdictOf = (error: unknown): TemplateResult | typeof nothing => {
  if (!isError(error, 'Verify.EvidenceError') && !isError(error, 'Network.EquivocationError')) return nothing
  const { verdict } = error as Partial<EvidenceError>
  return verdict ? whole(verdict) : nothing
}

/** What is shown in the place of a value that failed: the reason, and what was checked. */
export const refusal = (error: unknown, more: TemplateResult | null = null): TemplateResult =>
  html`<div class="refusal"><p class="problem" role="alert">${problem(error)}</p>${verdictOf(error)}${more}</div>`
