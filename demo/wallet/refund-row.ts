import { html, nothing, type TemplateResult } from 'lit'
import { Tally, type Verified } from '../../client/page/index.ts'
import { ago, ether, hex, short } from './format.ts'
import type { Opened } from './opened.ts'
import { Aging, Part } from './part.ts'
import { formatRoute } from './route.ts'
import { saveText } from './save.ts'
import { blockLink, onSettings, settings } from './settings.ts'
import { lights, refusal, whole } from './verdict.ts'

/** One refund and where it is shown. */
export interface Shown {
  readonly opened: Opened
  readonly verified: Verified<Tally.Refund>
  /** What took it back, where something did. */
  readonly reversal: Tally.Reversal | null
  /** Shows the shares of this address alone, where the list is about one. */
  readonly address?: string
}

/** The name of an attribution: unique in a tally. */
export const nameOf = ({ slot, revision }: { readonly slot: bigint; readonly revision: number }): string => `${slot}/${revision}`

/** Reversals by the name of what they take back. */
export const reversals = (refunds: readonly Tally.Refund[]): ReadonlyMap<string, Tally.Reversal> =>
  new Map(refunds.flatMap((refund) => (refund.kind === 'reversal' ? [[nameOf(refund.of), refund] as const] : [])))

// What a row always shows is set as text: an expression between tags takes a comment, a node and 300 bytes more, in hundreds of rows.
const share = ({ addr, amount }: Tally.Recipient): TemplateResult => {
  const address = Tally.formatAddress(addr)
  return html`<li
    ><code title=${address} .textContent=${short(address)}></code
    ><strong .textContent=${ether(amount)}></strong
    ><small .textContent=${`${amount} wei`}></small
  ></li>`
}

const given = ({ pool, residual, recipients }: Tally.Attribution): TemplateResult => html`
  <dt>pool</dt>
  <dd>${ether(pool)} (${pool} wei)</dd>
  <dt>for nobody</dt>
  <dd>${ether(residual)} (${residual} wei)</dd>
  ${recipients.map(
    ({ addr, ref }) =>
      html`<dt>share</dt>
        <dd><code>${Tally.formatAddress(addr)} for ${hex(ref)}</code></dd>`,
  )}
`

const takenBack = ({ of, reason }: Tally.Reversal): TemplateResult => html`
  <dt>takes back</dt>
  <dd>revision ${of.revision} of block ${of.slot}</dd>
  <dt>block ${reason.number}</dt>
  <dd><code>is ${hex(reason.hash)} now</code></dd>
`

/** A row: what it gives to whom, where, when, and behind its lights the whole trace, made when it is opened for the first time. */
export class RefundRow extends Part {
  #shown: Shown | null = null
  #isOpen = false
  #error: unknown = null
  #stop: () => void = () => {}

  constructor() {
    super()
    new Aging(this, () => this.#age())
  }

  // A list is drawn with every item that comes; a row, when there is something new to it.
  set shown(shown: Shown) {
    const last = this.#shown
    if (
      last?.verified.value === shown.verified.value &&
      last.verified.verdict === shown.verified.verdict &&
      last.reversal === shown.reversal
    )
      return
    this.#shown = shown
    this.requestUpdate()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = onSettings(() => this.requestUpdate())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop()
  }

  readonly #toggle = (event: Event): void => {
    this.#isOpen ||= (event.currentTarget as HTMLDetailsElement).open
    this.requestUpdate()
  }

  #export({ opened, verified }: Shown): () => Promise<void> {
    return async () => {
      try {
        const proof = await opened.refunds.export({ ref: verified.ref })
        saveText(`refund-${verified.ref.position}.json`, 'application/json', JSON.stringify(proof))
        this.#error = null
      } catch (error) {
        this.#error = error
      }
      this.requestUpdate()
    }
  }

  #age(): string {
    return this.#shown === null ? '' : ago(this.#shown.verified.value.committedAt, Date.now())
  }

  #block({ opened, verified: { value } }: Shown): TemplateResult {
    const slot = value.kind === 'attribution' ? value.slot : value.of.slot
    const url = blockLink(settings(), opened.lattice.chainId, slot, hex(value.blockHash))
    if (url === null) return html`<span class="block" .textContent=${`block ${slot}`}></span>`
    return html`<a class="block" href=${url} target="_blank" rel="noopener noreferrer">block ${slot}</a>`
  }

  #title({ verified: { value }, reversal, address }: Shown): TemplateResult {
    if (value.kind === 'reversal') return html`<span>taken back: the chain no longer holds this block</span>`
    const wanted = address?.toLowerCase()
    const shares = value.recipients.filter(({ addr }) => wanted === undefined || Tally.formatAddress(addr) === wanted)
    return html`<div>
      <ul class="shares">${shares.map(share)}</ul>
      ${reversal === null ? nothing : html`<small class="why">taken back: block ${reversal.reason.number} was replaced by another one</small>`}
    </div>`
  }

  #meta({ opened, verified: { value, ref }, reversal }: Shown): TemplateResult {
    const status = value.kind === 'reversal' ? 'reversal' : reversal === null ? 'attributed' : 'taken back'
    const slot = value.kind === 'attribution' ? value.slot : value.of.slot
    const link =
      ref.position === null
        ? formatRoute({ view: 'filter', recipient: '', block: slot.toString() })
        : formatRoute({ view: 'refund', group: ref.group, position: BigInt(ref.position) })
    const at = new Date(value.committedAt).toISOString()
    return html`<span class="meta">
      <span class="status" .textContent=${status}></span> <span .textContent=${opened.lattice.name}></span>
      <time datetime=${at} title=${at} .textContent=${this.#age()}></time>
      <a href=${link} aria-label="Link to this refund of block ${slot}">link</a>
    </span>`
  }

  #trace(shown: Shown): TemplateResult {
    const { value, ref, verdict } = shown.verified
    const isItem = ref.position !== null
    return html`
      <dl>
        <dt>block</dt>
        <dd><code>${hex(value.blockHash)}</code></dd>
        ${value.kind === 'attribution' ? given(value) : takenBack(value)}
        <dt>committed</dt>
        <dd>${new Date(value.committedAt).toISOString()}</dd>
        <dt>commit</dt>
        <dd><code>${ref.index} ${ref.commit}</code></dd>
        ${isItem ? html`<dt>place</dt><dd>${ref.position}</dd>` : nothing}
      </dl>
      ${whole(verdict)} ${this.#error === null ? nothing : refusal(this.#error)}
      ${isItem ? html`<button type="button" @click=${this.#export(shown)}>Save with its proof (JSON)</button>` : nothing}
      ${
        isItem && value.kind === 'attribution' ? html`<raw-evidence .of=${{ refunds: shown.opened.refunds, ref }}></raw-evidence>` : nothing
      }
    `
  }

  override render(): TemplateResult | typeof nothing {
    const shown = this.#shown
    if (shown === null) return nothing
    const { value, verdict } = shown.verified
    const slot = value.kind === 'attribution' ? value.slot : value.of.slot
    return html`
      <div class="line"><div>${this.#block(shown)}${this.#meta(shown)}</div>${this.#title(shown)}</div>
      <details class="trace" @toggle=${this.#toggle}>
        <summary>${lights(verdict)}<span class="unseen">Why the refund of block ${slot} may be believed</span></summary>
        ${this.#isOpen ? this.#trace(shown) : nothing}
      </details>
    `
  }
}

/** An item of a list of refunds. Its place in the surface, if it has one, is an attribute: what is shown can be counted. */
export const refundItem = (shown: Shown): TemplateResult => html`
  <li
    class="refund ${shown.reversal === null ? '' : 'reversed'}"
    data-position=${shown.verified.ref.position ?? nothing}
  >
    <refund-row .shown=${shown}></refund-row>
  </li>
`
