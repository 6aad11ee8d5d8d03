import { html, type TemplateResult } from 'lit'
import { Part } from './part.ts'
import { changeSettings, explorerProblem, type Settings, settings, type Transport } from './settings.ts'

const SCHEMES = [
  ['auto', 'as the system'],
  ['light', 'light'],
  ['dark', 'dark'],
] as const satisfies readonly (readonly [Settings['scheme'], string])[]

/** What is dialled over, as far as a person would want to choose. */
const WAYS = [
  ['', 'whatever works best'],
  ['webtransport', 'WebTransport'],
  ['webrtc-direct', 'WebRTC'],
  ['wss,ws', 'WebSocket'],
] as const satisfies readonly (readonly [string, string])[]

/** The explorer that blocks are linked to, the colours, and the transport. */
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

  readonly #way = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement
    this.#take({ transports: value === '' ? null : (value.split(',') as Transport[]) })
  }

  #take(change: Partial<Settings>): void {
    this.#said = changeSettings(change) ? 'Kept in this browser.' : 'This browser keeps nothing: it holds until the page is closed.'
    this.requestUpdate()
  }

  override render(): TemplateResult {
    const { explorer, scheme, transports } = settings()
    const way = WAYS.find(([value]) => value === (transports ?? []).join()) ?? WAYS[0]
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
          <label for="transport">Members are reached over</label>
          <select id="transport" aria-describedby="transport-hint" @change=${this.#way}>
            ${WAYS.map(([value, name]) => html`<option value=${value} ?selected=${value === way[0]}>${name}</option>`)}
          </select>
          <small id="transport-hint">From the next start of this page on. What is shown is checked the same over all of them.</small>
        </div>
        <p role="status">${this.#said}</p>
      </details>
    `
  }
}
