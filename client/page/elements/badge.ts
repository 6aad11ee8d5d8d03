import { type Check, explain, type Light, type Verdict } from '../../verify/verdict.ts'
import { Base, COLOURS, element, sheet } from './style.ts'

const LIGHTS = ['integrity', 'authority', 'freshness'] as const
const WORDS = { green: 'verified', amber: 'verified, with a reservation', red: 'not verified' } as const

const CSS = `${COLOURS}
  :host { display: inline-block; font: inherit; }
  summary { display: inline-flex; gap: 0.3em; align-items: center; cursor: pointer; list-style: none; border-radius: 1em; padding: 0.2em 0.5em; }
  summary::-webkit-details-marker { display: none; }
  summary:focus-visible { outline: 2px solid currentColor; outline-offset: 1px; }
  .light { inline-size: 0.7em; block-size: 0.7em; border-radius: 50%; background: var(--grey); }
  .green { background: var(--green); }
  .amber { background: var(--amber); border-radius: 20%; }
  .red { background: var(--red); border-radius: 0; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2em 0.8em; margin: 0.5em 0; font-size: 0.85em; overflow-wrap: anywhere; }
  dd { margin: 0; }
  h4 { margin: 0.6em 0 0; font-size: 0.9em; }
  .failed { color: var(--red); font-weight: 600; }
  .unproven { color: var(--amber); }
  .absent { color: var(--grey); }
`

let shared: CSSStyleSheet | null = null

/**
 * `<verified-badge>`: three lights, for integrity, authority and freshness, that open into every check of a verdict. Set `verdict` from
 * script; without one it shows three grey lights. The attribute `state` says green, amber or red, for the page's own styles.
 *
 * Colours come from `--verified-green`, `--verified-amber`, `--verified-red`, `--verified-grey`.
 */
export class VerifiedBadge extends Base {
  #verdict: Verdict | null = null

  get verdict(): Verdict | null {
    return this.#verdict
  }

  set verdict(verdict: Verdict | null) {
    this.#verdict = verdict
    if (this.isConnected) this.#render()
  }

  connectedCallback(): void {
    this.#render()
  }

  #render(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' })
    shared ??= sheet(CSS)
    root.adoptedStyleSheets = [shared]
    const verdict = this.#verdict
    const isOpen = root.querySelector('details')?.open ?? false
    const state = verdict === null ? null : worst(LIGHTS.map((name) => verdict[name]))
    if (state === null) this.removeAttribute('state')
    else this.setAttribute('state', state)
    const label = state === null ? 'not checked yet' : WORDS[state]
    const lights = LIGHTS.map((name) =>
      element('span', {
        class: `light ${verdict?.[name].state ?? ''}`,
        part: `light ${name}`,
        title: `${name}: ${verdict?.[name].state ?? 'unknown'}`,
      }),
    )
    const details = element('details', {}, element('summary', { 'aria-label': `${label}: show the checks` }, ...lights))
    if (verdict !== null) {
      details.append(element('p', { part: 'assumes' }, verdict.assumes), ...LIGHTS.flatMap((name) => section(name, verdict[name])))
      details.toggleAttribute('open', isOpen)
      details.title = explain(verdict)
    }
    root.replaceChildren(details)
  }
}

const worst = (lights: readonly Light[]): Light['state'] => {
  const states = lights.map(({ state }) => state)
  if (states.includes('red')) return 'red'
  return states.includes('amber') ? 'amber' : 'green'
}

const section = (name: string, { state, checks }: Light): readonly Node[] => [
  element('h4', {}, `${name}: ${state}`),
  element('dl', { part: `checks ${name}` }, ...checks.flatMap(line)),
]

const line = ({ name, state, expected, found, source }: Check): readonly Node[] => [
  element('dt', { class: state, title: source }, name),
  element('dd', { class: state }, state === 'passed' ? found : `${state}: expected ${expected}, found ${found}`),
]
