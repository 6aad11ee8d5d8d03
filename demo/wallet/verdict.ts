import { type Check, type EvidenceError, explain, isError, type Light, type Verdict } from '../../client/page/index.ts'
import { el } from './dom.ts'
import { problem } from './format.ts'

const LIGHTS = ['integrity', 'authority', 'freshness'] as const

// Shape and word besides the colour: not everybody sees red and green apart.
const SIGN = { green: '✓', amber: '!', red: '✕' } as const
const WORD = { green: 'verified', amber: 'not in every respect', red: 'failed' } as const

const light = (name: string, { state }: Light): HTMLElement =>
  el('span', { class: `light ${state}`, title: `${name}: ${WORD[state]}` }, el('span', { 'aria-hidden': 'true' }, SIGN[state]), ` ${name}`)

/** The three lights of a verdict, in one line. */
export const lights = (verdict: Verdict): HTMLElement =>
  el('span', { class: 'lights' }, ...LIGHTS.map((name) => light(name, verdict[name])))

const row = ({ name, state, expected, found, source }: Check): HTMLElement =>
  el(
    'tr',
    { class: state },
    el('th', { scope: 'row' }, name),
    el('td', {}, state),
    el('td', {}, expected),
    el('td', {}, found),
    el('td', {}, source),
  )

/** The whole verdict: what was checked, what was expected and found, and what has to hold for it to be true. */
export const whole = (verdict: Verdict): HTMLElement => {
  const head = el('tr', {}, ...['check', 'result', 'expected', 'found', 'asked for by'].map((name) => el('th', { scope: 'col' }, name)))
  const checks = LIGHTS.flatMap((name) => verdict[name].checks)
  return el(
    'div',
    { class: 'verdict' },
    el('p', {}, `Assumes: ${verdict.assumes}`),
    el('p', {}, `Told to the server: ${verdict.disclosed}`),
    el(
      'div',
      { class: 'wide', tabindex: '0', role: 'region', 'aria-label': 'Checks' },
      el('table', {}, el('thead', {}, head), el('tbody', {}, ...checks.map(row))),
    ),
    el('details', {}, el('summary', {}, 'As text'), el('pre', { tabindex: '0' }, explain(verdict))),
  )
}

// Both carry one: what a server failed, and what the committee did.
const verdictOf = (error: unknown): HTMLElement | null => {
  if (!isError(error, 'Verify.EvidenceError') && !isError(error, 'Network.EquivocationError')) return null
  const { verdict } = error as Partial<EvidenceError>
  return verdict ? whole(verdict) : null
}

/** What is shown in the place of a value that failed: the reason, and what was checked. */
export const refusal = (error: unknown, ...more: readonly HTMLElement[]): HTMLElement =>
  el('div', { class: 'refusal' }, el('p', { class: 'problem', role: 'alert' }, problem(error)), verdictOf(error), ...more)
