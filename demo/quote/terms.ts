import { html, type TemplateResult } from 'lit'
import { Part } from '../wallet/part.ts'

const STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'TDRelaunchAdvised',
  'TDRelaunchAdvisedConfigurationNeeded',
] as const

const DAY = 86_400

/** What the reader asks of a quote: the fields of a policy that a person sets by hand, and the time to verify at. */
export class QuoteTerms extends Part {
  /** Unix seconds at which the collateral at hand was right by its own dates; null without any. */
  #suggested: number | null = null

  set suggested(at: number | null) {
    this.#suggested = at
    this.requestUpdate()
  }

  #field(name: string): string {
    return this.querySelector<HTMLInputElement>(`#${name}`)?.value.trim() ?? ''
  }

  #checked(selector: string): readonly string[] {
    return [...this.querySelectorAll<HTMLInputElement>(`${selector}:checked`)].map(({ value }) => value)
  }

  /** A policy as JSON has it; fields that are left empty restrict nothing. */
  policy(): object {
    const days = (name: string): number | null => (this.#field(name) === '' ? null : Math.round(Number(this.#field(name)) * DAY))
    const hex = (name: string): string | null =>
      this.#field(name)
        .replace(/^0x|\s/gi, '')
        .toLowerCase() || null
    const mrTd = hex('mr-td')
    return {
      statuses: this.#checked('[name=status]'),
      graceSeconds: days('grace') ?? 0,
      maxAgeSeconds: days('age'),
      septVeDisable: this.#checked('#sept-ve').length > 0,
      measurements: { baseline: mrTd === null ? {} : { mrTd }, variants: [] },
      reportData: hex('report-data'),
    }
  }

  /** Unix seconds; NaN for a moment that is none. */
  at(): number {
    const chosen = this.#checked('[name=when]')[0] === 'chosen'
    return Math.floor((chosen ? Date.parse(`${this.#field('moment')}Z`) : Date.now()) / 1_000)
  }

  readonly #changed = (): void => {
    this.dispatchEvent(new CustomEvent('changed', { bubbles: true }))
  }

  #choose(): void {
    const radio = this.querySelector<HTMLInputElement>('#when-chosen')
    if (radio !== null) radio.checked = true
  }

  readonly #suggest = (): void => {
    const moment = this.querySelector<HTMLInputElement>('#moment')
    if (moment === null || this.#suggested === null) return
    moment.value = new Date(this.#suggested * 1_000).toISOString().slice(0, 19)
    this.#choose()
    this.#changed()
  }

  readonly #moment = (event: Event): void => {
    event.stopPropagation()
    this.#choose()
    this.#changed()
  }

  #time(): TemplateResult {
    return html`
      <fieldset>
        <legend>At which time</legend>
        <label><input type="radio" name="when" value="now" checked /> now, by this device’s clock</label>
        <label><input id="when-chosen" type="radio" name="when" value="chosen" /> at another time</label>
        <input id="moment" type="datetime-local" step="1" aria-label="The time, UTC" @change=${this.#moment} /> UTC
        <button type="button" ?disabled=${this.#suggested === null} @click=${this.#suggest}>When the collateral was valid</button>
      </fieldset>
    `
  }

  override render(): TemplateResult {
    return html`
      <form @change=${this.#changed} @submit=${(event: Event) => event.preventDefault()}>
        ${this.#time()}
        <fieldset>
          <legend>Which platforms</legend>
          ${STATUSES.map(
            (status) =>
              html`<label><input type="checkbox" name="status" value=${status} ?checked=${status === 'UpToDate'} /> ${status}</label>`,
          )}
        </fieldset>
        <fieldset class="asked">
          <legend>What else</legend>
          <label for="grace">Days of grace for an outdated TCB</label>
          <input id="grace" type="number" min="0" max="3650" value="0" />
          <label for="age">Most days since the collateral was issued</label>
          <input id="age" type="number" min="0" max="3650" placeholder="while it is valid" />
          <label for="mr-td">MR_TD</label>
          <input id="mr-td" autocomplete="off" spellcheck="false" placeholder="any" />
          <label for="report-data">Report data begins with</label>
          <input id="report-data" autocomplete="off" spellcheck="false" placeholder="anything" />
          <label class="whole"><input id="sept-ve" type="checkbox" checked /> SEPT_VE_DISABLE must be set</label>
        </fieldset>
      </form>
    `
  }
}
