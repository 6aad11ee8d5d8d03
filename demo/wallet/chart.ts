import { html, nothing, type TemplateResult } from 'lit'
import { Tally } from '../../client/page/index.ts'
import { ether } from './format.ts'
import { Part } from './part.ts'
import { sumOf, sumsOf } from './sum.ts'

/** What is drawn: the attributions of a complete answer that stand, and for whom. */
interface Shares {
  readonly address: string
  readonly value: readonly Tally.Refund[]
}

/** Pixels. */
const HEIGHT = 180
/** What an address was attributed, added up over time. The library that draws it is fetched when there is something to draw. */
export class RefundChart extends Part {
  #shares: Shares | null = null
  #plot: { destroy: () => void } | null = null
  #problem = false
  /** Changes with every drawing: one that was overtaken while the library came is dropped. */
  #turn = 0
  readonly #resized = new ResizeObserver(() => void this.#draw())
  #width = 0

  set shares(shares: Shares) {
    if (this.#shares?.value === shares.value) return
    this.#shares = shares
    this.#width = 0
    this.requestUpdate()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#resized.observe(this)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#resized.disconnect()
    this.#plot?.destroy()
  }

  override updated(): void {
    void this.#draw()
  }

  async #draw(): Promise<void> {
    const place = this.querySelector<HTMLElement>('.plot')
    const width = this.clientWidth
    if (this.#shares === null || place === null || width === 0 || width === this.#width) return
    this.#width = width
    const turn = ++this.#turn
    const { address, value } = this.#shares
    try {
      const { draw } = await import('./plot.ts')
      if (turn !== this.#turn) return
      this.#plot?.destroy()
      this.#plot = draw(place, sumsOf(address, Tally.standing(value)), { width, height: HEIGHT })
    } catch {
      this.#problem = true
      this.requestUpdate()
    }
  }

  override render(): TemplateResult | typeof nothing {
    if (this.#shares === null) return nothing
    const { address, value } = this.#shares
    const standing = Tally.standing(value)
    if (standing.length < 2) return nothing
    const first = new Date(standing[0]?.committedAt ?? 0).toISOString()
    const words = `Attributed over time: ${ether(sumOf(address, standing))} in ${standing.length} refunds since ${first}. Each amount stands in the list below.`
    return html`<figure>
      <figcaption>Attributed over time, in ETH</figcaption>
      ${this.#problem ? html`<p>The chart could not be loaded.</p>` : nothing}
      <div class="plot" role="img" aria-label=${words}></div>
    </figure>`
  }
}
