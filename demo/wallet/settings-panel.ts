import { html, type TemplateResult } from 'lit'
import { Part } from './part.ts'
import { changeSettings, explorerProblem, type Settings, settings } from './settings.ts'

const SCHEMES = [
  ['auto', 'as the system'],
  ['light', 'light'],
  ['dark', 'dark'],
] as const satisfies readonly (readonly [Settings['scheme'], string])[]

/** The explorer that blocks are linked to, and the colours. */
export class WalletSettings extends Part {
  #said = ''

  readonly #explorer = (event: Event): void => {
    const input = event.target as HTMLInputElement
    const problem = explorerProblem(input.value.trim())
    input.setCustomValidity(problem === null ? '' : `The address ${problem}.`)
    input.reportValidity()
    if (problem === null) this.#take({ explorer: input.value.trim() === '' ? null : input.value.trim() })
  }

  readonly #scheme = (event: Event): void => this.#take({ scheme: (event.target as HTMLSelectElement).value as Settings['scheme'] })

  #take(change: Partial<Settings>): void {
    this.#said = changeSettings(change) ? 'Kept in this browser.' : 'This browser keeps nothing: it holds until the page is closed.'
    this.requestUpdate()
  }

  override render(): TemplateResult {
    const { explorer, scheme } = settings()
    return html`
      <details>
        <summary>Settings</summary>
        <div class="fields">
          <label for="explorer">Block explorer</label>
          <input
            id="explorer"
            type="url"
            autocomplete="off"
            placeholder="https://explorer.example/block/{block}"
            aria-describedby="explorer-hint"
            .value=${explorer ?? ''}
            @change=${this.#explorer}
          />
          <small id="explorer-hint">Blocks become links to it. Following one tells it which block you look at.</small>
          <label for="scheme">Colours</label>
          <select id="scheme" @change=${this.#scheme}>
            ${SCHEMES.map(([value, name]) => html`<option value=${value} ?selected=${value === scheme}>${name}</option>`)}
          </select>
        </div>
        <p role="status">${this.#said}</p>
      </details>
    `
  }
}
