import * as Tally from '../../lattice/tally/index.ts'
import type { Network } from '../../network/network.ts'
import { connect } from '../connect.ts'
import { type Followed, followRefunds } from '../follow.ts'
import type { VerifiedBadge } from './badge.ts'
import { Base, COLOURS, element, sheet } from './style.ts'

/** Bytes of a lattice file: it holds the keys of at most 64 members and their addresses. */
const LARGEST = 262_144

const CSS = `${COLOURS}
  :host { display: block; font: inherit; }
  p { margin: 0.4em 0; }
  ol { list-style: none; margin: 0; padding: 0; }
  li { display: flex; flex-wrap: wrap; gap: 0.2em 1em; align-items: baseline; padding: 0.4em 0; border-block-start: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
  .reversed .amount { text-decoration: line-through; }
  .block, .note { color: var(--grey); font-size: 0.9em; }
  .problem { color: var(--red); }
`

let shared: CSSStyleSheet | null = null

/**
 * `<refund-list address="0x…" lattice="/handshake.json">`: every refund that names an address, verified in this tab, their exact sum, and one
 * badge for the answer. `lattice` is where the file lies that the lattice's operator published; a page that has a handle sets `handle` instead.
 * Fires `refunds` with the answer as detail each time it changes.
 */
export class RefundList extends Base {
  static readonly observedAttributes = ['address', 'lattice']

  #handle: Tally.Refunds | null = null
  /** One for all answers: whoever opened it reads on while they change. */
  #badge: VerifiedBadge | null = null
  /** Closes what the element opened by itself. */
  #close: () => Promise<void> = async () => {}
  #stop: () => void = () => {}
  /** Changes with every start: what a start before it was waiting for is dropped. */
  #turn = 0

  get handle(): Tally.Refunds | null {
    return this.#handle
  }

  set handle(handle: Tally.Refunds | null) {
    this.#handle = handle
    this.#restart()
  }

  connectedCallback(): void {
    this.#restart()
  }

  disconnectedCallback(): void {
    this.#end()
  }

  attributeChangedCallback(): void {
    this.#restart()
  }

  #end(): void {
    this.#turn++
    this.#stop()
    this.#stop = () => {}
    void this.#close().catch(() => {})
    this.#close = async () => {}
  }

  #restart(): void {
    if (!this.isConnected) return
    this.#end()
    const turn = this.#turn
    this.#start(turn).catch((error: Error) => {
      if (turn === this.#turn) this.#show(null, error)
    })
  }

  async #start(turn: number): Promise<void> {
    const address = this.getAttribute('address')
    const lattice = this.getAttribute('lattice')
    this.#show(null, null)
    if (address === null || (this.#handle === null && lattice === null)) return
    const handle = this.#handle ?? (await this.#open(lattice ?? '', turn))
    if (turn !== this.#turn || handle === null) return
    const follower = followRefunds(handle, address)
    // Nobody sees a hidden tab: it is drawn once, when it is looked at. Scripts are told at once.
    const draw = (): void => {
      if (document.hidden) document.addEventListener('visibilitychange', draw, { once: true })
      else this.#show(follower.current(), follower.current().problem)
    }
    const changed = (): void => {
      draw()
      const { answer } = follower.current()
      if (answer !== null) this.dispatchEvent(new CustomEvent('refunds', { detail: answer }))
    }
    const stop = follower.subscribe(changed)
    this.#stop = () => {
      stop()
      document.removeEventListener('visibilitychange', draw)
    }
    changed()
  }

  /** A handle of the element's own, closed with it. */
  async #open(url: string, turn: number): Promise<Tally.Refunds | null> {
    const { bootstrap, tally } = await latticeAt(url)
    const network: Network = await connect({ bootstrap })
    const handle = await Tally.read(network, tally).catch(async (error: unknown) => {
      await network[Symbol.asyncDispose]()
      throw error
    })
    const close = async (): Promise<void> => {
      await handle[Symbol.asyncDispose]()
      await network[Symbol.asyncDispose]()
    }
    if (turn === this.#turn) {
      this.#close = close
      return handle
    }
    await close()
    return null
  }

  #show(now: Followed<readonly Tally.Refund[]> | null, problem: Error | null): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' })
    shared ??= sheet(CSS)
    root.adoptedStyleSheets = [shared]
    const answer = now?.answer ?? null
    const parts: Node[] = [element('p', { role: 'status', part: 'status' }, statusOf(now))]
    if (problem !== null) parts.push(element('p', { class: 'problem', part: 'problem' }, problem.message))
    if (answer !== null) {
      this.#badge ??= element('verified-badge') as VerifiedBadge
      this.#badge.verdict = answer.verdict
      parts.push(...answerOf(answer.value, this.getAttribute('address') ?? '', this.#badge))
    }
    root.replaceChildren(...parts)
  }
}

interface Lattice {
  readonly bootstrap: readonly string[]
  readonly tally: Tally.TallyConfig
}

/** What it says is checked where it is used, in the Worker. */
const latticeAt = async (url: string): Promise<Lattice> => {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  const text = await response.text()
  if (text.length > LARGEST) throw new Error(`${url}: ${text.length} characters, at most ${LARGEST}`)
  return JSON.parse(text) as Lattice
}

const statusOf = (now: Followed<unknown> | null): string => {
  if (now === null) return 'No address yet.'
  const { state, detail } = now.state
  return detail === null ? state : `${state}: ${detail}`
}

const answerOf = (value: readonly Tally.Refund[], address: string, badge: VerifiedBadge): readonly Node[] => {
  const counted = Tally.standing(value)
  const total = counted.reduce((sum, refund) => sum + shareOf(refund, address), 0n)
  const rows = value.filter((refund) => refund.kind === 'attribution').toReversed()
  return [
    element('p', { part: 'total' }, `${ether(total)} ETH `, badge),
    rows.length === 0
      ? element('p', { class: 'note', part: 'empty' }, 'No refund names this address. That is proven, too.')
      : element('ol', { part: 'rows' }, ...rows.map((refund) => row(refund, address, counted.includes(refund)))),
  ]
}

const row = (refund: Tally.Attribution, address: string, stands: boolean): Node =>
  element(
    'li',
    { part: 'row', ...(stands ? {} : { class: 'reversed' }) },
    element(
      'span',
      { class: 'amount', part: 'amount', title: `${shareOf(refund, address)} wei` },
      `${ether(shareOf(refund, address))} ETH`,
    ),
    element('span', { class: 'block', part: 'block' }, `block ${refund.slot}`),
    ...(stands ? [] : [element('span', { class: 'note' }, 'taken back: its block is no longer part of the chain')]),
  )

/** Wei of an attribution for one address. */
const shareOf = ({ recipients }: Tally.Attribution, address: string): bigint =>
  recipients.filter(({ addr }) => Tally.formatAddress(addr) === address.toLowerCase()).reduce((sum, { amount }) => sum + amount, 0n)

/** Wei as ether, all digits that count. */
const ether = (wei: bigint): string => {
  const digits = wei.toString().padStart(19, '0')
  const fraction = digits.slice(-18).replace(/0+$/, '')
  return `${digits.slice(0, -18)}${fraction === '' ? '' : `.${fraction}`}`
}
