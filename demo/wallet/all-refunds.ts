import { html, nothing, type TemplateResult } from 'lit'
import { guard } from 'lit/directives/guard.js'
import { repeat } from 'lit/directives/repeat.js'
import { isError, type Tally, type Verified } from '../../client/page/index.ts'
import type { Opened } from './opened.ts'
import { Part } from './part.ts'
import { type Failure, failed, pause } from './pause.ts'
import { nameOf, refundItem } from './refund-row.ts'

type Item = Verified<Tally.Refund>

/** Rows that are fetched at once. */
const PAGE = 50n
/** Rows kept beside those that somebody paged back to: a page that is open for weeks stays as light as one that was just loaded. */
const ROWS = 100

const nameIn = ({ ref }: Item): string | null => ref.position
const positionOf = ({ ref }: Item): bigint => BigInt(ref.position ?? 0)

/** The whole surface, newest on top for as long as the page is open, and back to its beginning page by page. */
export class AllRefunds extends Part {
  #opened: Opened | null = null
  /** Newest first, without a gap. */
  #items: readonly Item[] = []
  #taken = new Map<string, Tally.Reversal>()
  /** Rows that were asked for by paging back. */
  #paged = 0
  #failure: Failure | null = null
  #isPaging = false
  /** Called with every item that arrives. */
  heard: (item: Item) => void = () => {}

  /** Follows the surface until the page is closed. Nothing is shown that failed a check; that one did is. */
  async show(opened: Opened): Promise<void> {
    this.#opened = opened
    this.requestUpdate()
    let next: bigint | null = null
    for (;;) {
      try {
        next ??= await this.#first(opened)
        for await (const item of opened.refunds.since(next)) {
          this.#take(item)
          next = positionOf(item) + 1n
        }
        return
      } catch (error) {
        if (this.#ends(error)) return
        await pause(error, (failure) => this.#fail(failure))
      }
    }
  }

  async #first({ refunds }: Opened): Promise<bigint> {
    const { value, ref } = await refunds.latest()
    const last = value === null || ref.position === null ? 0n : BigInt(ref.position)
    return last < PAGE ? 0n : last - PAGE + 1n
  }

  #take(item: Item): void {
    this.#failure = null
    this.#note(item)
    const items = [item, ...this.#items]
    const rows = ROWS + this.#paged
    for (const gone of items.slice(rows)) this.#forget(gone)
    this.#items = items.slice(0, rows)
    this.heard(item)
    this.requestUpdate()
  }

  #note({ value }: Item): void {
    if (value.kind === 'reversal') this.#taken.set(nameOf(value.of), value)
  }

  // It came after what it takes back, which is gone already.
  #forget({ value }: Item): void {
    if (value.kind === 'reversal') this.#taken.delete(nameOf(value.of))
  }

  /** True for what no other try can mend; it is shown, and stays. */
  #ends(error: unknown): boolean {
    // The Worker is gone, and with it everything that was verified: only a new page has a new one. Two signed histories do not become one
    // by asking again: the proof is offered beside the network's state.
    const isGone = isError(error, 'Network.ShutdownError')
    if (!isGone && !isError(error, 'Network.EquivocationError')) return false
    this.#fail({ error, retry: isGone ? () => location.reload() : null })
    return true
  }

  #fail(failure: Failure): void {
    this.#failure = failure
    this.requestUpdate()
  }

  readonly #older = async (): Promise<void> => {
    const [opened, oldest] = [this.#opened, this.#items.at(-1)]
    if (opened === null || oldest === undefined || this.#isPaging) return
    this.#isPaging = true
    this.requestUpdate()
    try {
      const page = await pageBefore(opened, positionOf(oldest))
      for (const item of page) this.#note(item)
      this.#paged += page.length
      this.#items = [...this.#items, ...page]
    } catch (error) {
      this.#failure = { error, retry: null }
    }
    this.#isPaging = false
    this.requestUpdate()
  }

  // Of a list that begins with another row, each other row is what it was.
  #row(opened: Opened, item: Item): unknown {
    const { value } = item
    const reversal = value.kind === 'attribution' ? (this.#taken.get(nameOf(value)) ?? null) : null
    return guard([item, reversal], () => refundItem({ opened, verified: item, reversal }))
  }

  #more(): TemplateResult {
    const oldest = this.#items.at(-1)
    if (oldest === undefined) return html``
    const before = positionOf(oldest)
    if (before === 0n) return html`<p class="end">This is the first refund of the tally.</p>`
    return html`<p class="end">
      <button type="button" ?disabled=${this.#isPaging} @click=${this.#older}>Show older refunds</button>
      <small>${this.#items.length} shown, ${before} before them</small>
    </p>`
  }

  override render(): TemplateResult {
    const opened = this.#opened
    const isEmpty = this.#items.length === 0 && this.#failure === null
    return html`
      <div aria-live="polite">
        ${this.#failure === null ? nothing : failed(this.#failure)}${isEmpty ? html`<p>Waiting for the first refund…</p>` : nothing}
      </div>
      ${
        opened === null
          ? nothing
          : html`<ol class="refunds" aria-label="All refunds, newest first">
            ${repeat(this.#items, nameIn, (item) => this.#row(opened, item))}
          </ol>`
      }
      ${this.#more()}
    `
  }
}

/** The items before a position, newest first. */
const pageBefore = async ({ refunds }: Opened, before: bigint): Promise<readonly Item[]> => {
  const from = before < PAGE ? 0n : before - PAGE
  const page: Item[] = []
  for await (const item of refunds.since(from)) {
    page.unshift(item)
    if (positionOf(item) + 1n >= before) break
  }
  return page
}
