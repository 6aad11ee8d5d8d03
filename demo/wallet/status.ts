import { html, nothing, type TemplateResult } from 'lit'
import type { Evidence, PeerReport, Progress, StateReport, Verdict } from '../../client/page/index.ts'
import { ago, short, span } from './format.ts'
import type { Opened } from './opened.ts'
import { Aging, Part } from './part.ts'
import { type Failure, failed } from './pause.ts'
import { peersTable } from './peers.ts'
import { save } from './save.ts'

/** What each state means for whoever looks at the numbers. */
const MEANING: Readonly<Record<StateReport['state'], string>> = {
  connecting: 'No member is reached: what stands below may be old.',
  syncing: 'The newest commit is being verified.',
  live: 'New refunds appear as they are committed.',
  stale: 'No fresh commit: newer refunds may exist.',
  wedged: 'The committee has signed two histories. Believe nothing newer than what you have, and pass the proof on.',
  retired: 'This tally has ended; its history stays verified.',
}

const STAGES = [
  ['booting', 'start the verifier'],
  ['dialing', 'reach a member'],
  ['syncing', 'verify the newest commit'],
  ['live', 'show refunds'],
] as const satisfies readonly (readonly [Progress['stage'], string])[]

/** How many of the members that the operator named are linked, in words; mirrors do not count. */
const members = (peers: readonly PeerReport[]): string => {
  const named = peers.filter(({ member }) => member !== null)
  return `${named.filter(({ connected }) => connected).length} of ${named.length} connected`
}

const age = (head: StateReport['head']): string => (head === null ? '' : ago(head.timeMs, Date.now()))

const report = ({ detail, head, peers }: StateReport): TemplateResult => html`
  ${detail === null ? nothing : html`<p class="problem">${detail}</p>`}
  <dl>
    <dt>members</dt>
    <dd>${members(peers)}</dd>
    <dt>newest commit</dt>
    <dd>${head === null ? 'none yet' : `${head.index}, ${age(head)}`}</dd>
    ${head === null ? nothing : html`<dt>its hash</dt><dd><code title=${head.commit}>${short(head.commit)}</code></dd>`}
  </dl>
  ${peersTable(peers)}
`

const stages = ({ stage, reached, peers, detail }: Progress): TemplateResult => {
  const at = STAGES.findIndex(([name]) => name === stage)
  const stateOf = (i: number): string => (i < at ? 'done' : i === at ? 'doing' : 'waiting')
  const counts = peers === 0 ? '' : `${reached} of ${peers} members reached`
  return html`
    <ol class="stages">
      ${STAGES.map(
        ([, words], i) =>
          html`<li class=${stateOf(i)} aria-current=${i === at ? 'step' : nothing}>
            <span aria-hidden="true">${i < at ? '✓' : i === at ? '…' : '·'}</span> ${words}<span class="unseen"> ${stateOf(i)}</span>
          </li>`,
      )}
    </ol>
    <p>${counts}${detail === null ? nothing : html` <small>${detail}</small>`}</p>
  `
}

/** What the clock's check found, or null while it holds. A clock that nobody could be asked about is none that is wrong. */
export const clockProblem = ({ freshness }: Verdict): string | null => {
  const check = freshness.checks.find(({ name }) => name === 'clock.skew')
  if (check?.state !== 'unproven' || !check.found.startsWith('this device')) return null
  return check.found.replace(/\d+ ms/, (ms) => `about ${span(Number.parseInt(ms, 10))}`)
}

const state = (name: StateReport['state']): TemplateResult => html`
  <div role="status">
    <p class="state ${name}"><strong>${name}</strong> ${MEANING[name]}</p>
  </div>
`

// What a question failed of, the list of refunds says too.
const ignore = (): void => {}

/** The network: how far opening it got, what state it is in, and each member; what went wrong with this device. */
export class NetworkStatus extends Part {
  #opened: Opened | null = null
  #progress: Progress = { stage: 'booting', surface: null, group: null, reached: 0, peers: 0, detail: null }
  #failure: Failure | null = null
  #proofs: readonly Evidence[] = []
  #clock: string | null = null
  #isOffline = !navigator.onLine

  constructor() {
    super()
    new Aging(this, () => age(this.#opened?.refunds.state.head ?? null))
  }

  override connectedCallback(): void {
    super.connectedCallback()
    const online = (): void => {
      this.#isOffline = !navigator.onLine
      this.requestUpdate()
    }
    addEventListener('online', online)
    addEventListener('offline', online)
  }

  progress(progress: Progress): void {
    this.#progress = progress
    this.requestUpdate()
  }

  fail(failure: Failure): void {
    this.#failure = failure
    this.requestUpdate()
  }

  /** The committee was caught before this page was opened: nothing is read of it any more, and the proof is offered. */
  caught(error: unknown, proofs: readonly Evidence[]): void {
    this.#failure = { error, retry: null }
    this.#proofs = proofs
    this.requestUpdate()
  }

  /** A verdict that was just made says whether this device's clock agrees with the members'. */
  hear(verdict: Verdict): void {
    const clock = clockProblem(verdict)
    if (clock === this.#clock) return
    this.#clock = clock
    this.requestUpdate()
  }

  show(opened: Opened): void {
    this.#opened = opened
    this.#failure = null
    let clocks = 0
    const draw = (): void => {
      const { state, peers } = opened.refunds.state
      if (state === 'wedged') void this.#collect(opened)
      // Whose clock is wrong, only several members can tell: with each that is reached the verdict is asked for anew.
      const reached = peers.filter(({ connected }) => connected).length
      if (reached > clocks) void opened.refunds.latest().then(({ verdict }) => this.hear(verdict), ignore)
      clocks = reached
      this.requestUpdate()
    }
    opened.refunds.onState(draw)
    draw()
  }

  async #collect({ network }: Opened): Promise<void> {
    this.#proofs = await network.evidence()
    this.requestUpdate()
  }

  #device(): TemplateResult | typeof nothing {
    const offline = this.#isOffline
      ? html`<p class="problem">This device is offline: what stands below was verified, and may be old.</p>`
      : nothing
    const clock =
      this.#clock === null
        ? nothing
        : html`<p class="problem">
            The clock of this device is wrong: ${this.#clock}. Ages on this page are off by that much; amounts and proofs are not affected.
          </p>`
    return this.#isOffline || this.#clock !== null ? html`<div role="status" class="device">${offline}${clock}</div>` : nothing
  }

  #opening(): TemplateResult {
    if (this.#failure === null) return html`<div role="status">Connecting…${stages(this.#progress)}</div>`
    return html`${this.#proofs.length > 0 ? state('wedged') : nothing}${this.#saved()}${failed(this.#failure)}`
  }

  #saved(): readonly TemplateResult[] {
    return this.#proofs.map(
      (proof) =>
        html`<p><a class="proof" href="#proof" @click=${(event: Event) => save(event, 'equivocation.json', proof)}>Save the proof</a></p>`,
    )
  }

  // A screen reader says what changes in the first part: the state, not the age of the newest commit once a second.
  #running({ refunds }: Opened): TemplateResult {
    return html`${state(refunds.state.state)}${this.#saved()}${report(refunds.state)}`
  }

  override render(): TemplateResult {
    return html`${this.#device()}${this.#opened === null ? this.#opening() : this.#running(this.#opened)}`
  }
}
