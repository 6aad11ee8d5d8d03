import { html, nothing, type TemplateResult } from 'lit'
import type { Ref, Tally, Verified } from '../../client/page/index.ts'
import { ether, hex, short } from './format.ts'
import { Part } from './part.ts'
import { lights, refusal, whole } from './verdict.ts'

/** Raw bytes, for whoever wants to check them with something else. */
const raw = (name: string, bytes: Uint8Array): TemplateResult =>
  html`<details><summary>${name}, ${bytes.length} bytes</summary><pre class="raw" tabindex="0">${hex(bytes)}</pre></details>`

const payment = ({ index, value, providers, bps, ref }: Tally.ProvenPayment): TemplateResult => {
  const shares = providers.map((provider, i) => `${(bps[i] ?? 0) / 100} % to ${short(hex(provider))}`)
  return html`<li>transaction ${index}: ${ether(value)} for ${short(hex(ref))}, ${shares.join(', ')}</li>`
}

const proven = ({ value, verdict }: Verified<Tally.PaymentEvidence>): TemplateResult => html`
  ${lights(verdict)}
  <dl>
    <dt>header of block</dt>
    <dd>${value.block.number}</dd>
    <dt>its hash</dt>
    <dd><code>${hex(value.block.hash)}</code></dd>
    <dt>payments to</dt>
    <dd><code>${hex(value.feeRecipient)}</code></dd>
  </dl>
  <ul>
    ${value.payments.map(payment)}
  </ul>
  <details>
    <summary>Checks</summary>
    ${whole(verdict)}
  </details>
  ${raw('Block header, RLP', value.header)} ${raw('Proofs of the payments', value.blob)}
`

/** A button that fetches the proofs behind one refund, has them checked in the Worker, and shows them. */
export class RawEvidence extends Part {
  #of: { readonly refunds: Tally.Refunds; readonly ref: Ref } | null = null
  #found: Verified<Tally.PaymentEvidence> | null = null
  #error: unknown = null
  #asking = false

  set of(of: { readonly refunds: Tally.Refunds; readonly ref: Ref }) {
    this.#of = of
    this.requestUpdate()
  }

  readonly #fetch = async (): Promise<void> => {
    if (this.#of === null) return
    this.#asking = true
    this.requestUpdate()
    try {
      this.#found = await this.#of.refunds.evidence(this.#of.ref)
    } catch (error) {
      this.#error = error
    }
    this.#asking = false
    this.requestUpdate()
  }

  override render(): TemplateResult {
    const button = html`<button type="button" ?disabled=${this.#asking} @click=${this.#fetch}>Fetch and check the raw evidence</button>`
    const shown = this.#found === null ? button : proven(this.#found)
    const error = this.#error === null || this.#found !== null ? nothing : refusal(this.#error)
    return html`<div class="evidence" aria-live="polite">${error}${shown}</div>`
  }
}
