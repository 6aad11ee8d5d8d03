import { html, nothing, type TemplateResult } from 'lit'
import type { Tally, Verified } from '../../client/page/index.ts'
import { slotOf } from './ask.ts'
import type { Opened } from './opened.ts'
import { Part } from './part.ts'
import { nameOf, refundItem, reversals } from './refund-row.ts'
import { formatRoute, type Route } from './route.ts'
import { refusal } from './verdict.ts'

/** The one refund that a permalink names, and whether it still counts. */
export class ItemView extends Part {
  #found: { readonly opened: Opened; readonly item: Verified<Tally.Refund>; readonly reversal: Tally.Reversal | null } | null = null
  #error: unknown = null
  #asks: AbortController | null = null

  async show(opened: Opened, { group, position }: Extract<Route, { readonly view: 'refund' }>): Promise<void> {
    this.#asks?.abort()
    const asks = new AbortController()
    this.#asks = asks
    this.#found = null
    this.#error = null
    this.requestUpdate()
    try {
      const found = group === opened.group ? await find(opened, position, asks.signal) : new Error(OTHER)
      if (asks.signal.aborted) return
      if (found instanceof Error) this.#error = found
      else this.#found = { opened, ...found }
    } catch (error) {
      if (!asks.signal.aborted) this.#error = error
    }
    this.requestUpdate()
  }

  hide(): void {
    this.#asks?.abort()
    this.#asks = null
    this.requestUpdate()
  }

  override render(): TemplateResult | typeof nothing {
    if (this.#asks === null) return nothing
    const found = this.#found
    const shown =
      found === null
        ? html`<p>Asking, and checking the answer…</p>`
        : html`<ol class="refunds">${refundItem({ ...found, verified: found.item })}</ol>`
    return html`<section aria-labelledby="item-title">
      <h2 id="item-title">The refund of this link</h2>
      <div aria-live="polite">${this.#error === null ? shown : refusal(this.#error)}</div>
      <p><a href=${formatRoute({ view: 'home' })}>Close</a></p>
    </section>`
  }
}

const OTHER = 'This link names a refund of another tally than the one this page reads. Nothing was asked for.'
const NONE = 'There is no refund at the place that this link names, or not yet.'

const find = async ({ refunds }: Opened, position: bigint, signal: AbortSignal) => {
  const newest = await refunds.latest({ signal })
  if (newest.ref.position === null || BigInt(newest.ref.position) < position) return new Error(NONE)
  for await (const item of refunds.since(position, { signal })) {
    const { value } = item
    // That nothing took it back is proven by the complete answer to its block.
    const { value: all } = await refunds.at(slotOf(value), { signal })
    return { item, reversal: value.kind === 'attribution' ? (reversals(all).get(nameOf(value)) ?? null) : null }
  }
  return new Error(NONE)
}
