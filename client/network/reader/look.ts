import { isError } from '../../error.ts'
import type { GroupId } from '../../primitives/id.ts'
import type { Host } from '../host.ts'
import { sleep } from '../scope.ts'
import { HELLO_MS, hello, isDue, isQuiet, type Peer } from './peer.ts'
import type { Session } from './sync.ts'

/** Milliseconds between two looks at one link: a heartbeat, within these bounds. */
const BEAT = { shortest: 1_000, longest: 10_000 } as const
/** Beats between two looks at a peer that shows heads: what it shows confirms ours for three (PROTOCOL.md section 3, step 6). */
const LOOK = 2
/** Milliseconds between two looks while nobody sees what comes of them: no head is confirmed then, and verdicts say so. */
const UNSEEN_MS = 60_000
/** Milliseconds that a peer has to answer once the host is back, and at least so many of its round trips: a line may be slow. */
const PROOF = { ms: 2_000, trips: 4 } as const

export interface LookOptions {
  readonly host: Host
  readonly group: GroupId
  readonly heartbeatMs: number
  /** Compares the peer's head with ours. A failed check is thrown. */
  readonly compare: (peer: Peer, session: Session) => Promise<void>
  readonly onChange: () => void
}

/** Asks a peer for its time and its newest head, again and again. Throws at the end of the session, and what is wrong with an answer. */
export const lookAgain = async (
  { host, group, heartbeatMs, compare, onChange }: LookOptions,
  peer: Peer,
  session: Session,
): Promise<never> => {
  const beat = Math.min(BEAT.longest, Math.max(BEAT.shortest, heartbeatMs))
  for (;;) {
    if (isDue(peer, host.now(), beat)) await hello(peer, group, session)
    if (peer.serving && isQuiet(peer, host.now(), beat)) await compare(peer, session)
    onChange()
    const lookedAt = host.now()
    const pause = isQuiet(peer, lookedAt, beat) ? beat : LOOK * beat
    // Not one long sleep: whoever looks again is not to wait for its end.
    do await sleep(host, pause, session.signal)
    while (host.isUnseen() && Math.abs(host.now() - lookedAt) < UNSEEN_MS)
  }
}

/** Looks at a peer once, and at once. Throws what is wrong with its answers, and when it gives none in time. */
export const lookOnce = async ({ group, compare, onChange }: LookOptions, peer: Peer, session: Session): Promise<void> => {
  const patience = Math.max(PROOF.ms, PROOF.trips * (peer.clock?.tripMs ?? 0))
  await hello(peer, group, session, Math.min(HELLO_MS, patience))
  if (peer.serving) await compare(peer, session)
  onChange()
}

/** Whether it gave no answer in time: then it is gone, whatever its transport says. */
export const isSilence = (error: unknown): error is Error => isError(error, 'Light.TimeoutError')
