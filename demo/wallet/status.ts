import type { Evidence, Handle, Network, PeerReport, StateReport } from '../../client/page/index.ts'
import { el, pairs } from './dom.ts'
import { ago, short } from './format.ts'

/** What each state means for whoever looks at the numbers. */
const MEANING: Readonly<Record<StateReport['state'], string>> = {
  connecting: 'No member is reached: what stands below may be old.',
  syncing: 'The newest commit is being verified.',
  live: 'New refunds appear as they are committed.',
  stale: 'No fresh commit: newer refunds may exist.',
  wedged: 'The committee has signed two histories. Believe nothing newer than what you have, and pass the proof on.',
  retired: 'This tally has ended; its history stays verified.',
}

const peer = ({ peer: key, address, operator, connected, head, problem }: PeerReport): HTMLElement =>
  el(
    'li',
    {},
    `${operator ?? 'mirror'} (${short(key)}) ${connected ? 'connected' : 'not connected'}${head === null ? '' : `, shows commit ${head}`}`,
    el('small', {}, ` ${address}${problem === null ? '' : ` – ${problem}`}`),
  )

const word = ({ state }: StateReport): HTMLElement => el('p', { class: `state ${state}` }, el('strong', {}, state), ` ${MEANING[state]}`)

/** How many of the members that the operator named are linked, in words; mirrors do not count. */
const members = (peers: readonly PeerReport[]): string => {
  const named = peers.filter(({ member }) => member !== null)
  return `${named.filter(({ connected }) => connected).length} of ${named.length}`
}

/** The proof against a committee as a file to keep: whoever has it can check it with `coalition verify`, without this page. */
const proof = (evidence: Evidence): HTMLElement => {
  const file = new Blob([JSON.stringify(evidence)], { type: 'application/json' })
  return el('a', { class: 'proof', href: URL.createObjectURL(file), download: 'equivocation.json' }, 'Save the proof')
}

const report = ({ detail, head, peers }: StateReport, now: number): readonly HTMLElement[] => [
  ...(detail === null ? [] : [el('p', { class: 'problem' }, detail)]),
  pairs([
    ['members', `${members(peers)} connected`],
    ...(head === null
      ? ([['newest commit', 'none yet']] as const)
      : ([
          ['newest commit', `${head.index}, ${ago(head.timeMs, now)}`],
          ['its hash', el('code', { title: head.commit }, short(head.commit))],
        ] as const)),
  ]),
  el('ul', { class: 'peers' }, ...peers.map(peer)),
]

/** Shows a handle's state as it changes, and the age of its newest commit as it grows. */
export const showState = (place: HTMLElement, network: Network, handle: Handle<unknown>): void => {
  const said = el('div', { role: 'status' })
  const shown = el('div')
  place.append(said, shown)
  let last: StateReport['state'] | null = null
  const draw = (): void => {
    // A screen reader says what changes in there: the state, not the age of the newest commit once a second.
    if (handle.state.state !== last) {
      said.replaceChildren(word(handle.state))
      if (handle.state.state === 'wedged') void network.evidence().then((all) => said.append(...all.map(proof)))
    }
    last = handle.state.state
    shown.replaceChildren(...report(handle.state, Date.now()))
  }
  handle.onState(draw)
  setInterval(draw, 1_000)
  draw()
}
