import { watch } from '../light/client.ts'
import { scope } from '../scope.ts'
import { type Advance, advance, EpochEnd } from './advance.ts'
import { StallError } from './state.ts'
import { type Session, sync } from './sync.ts'
import type { Ground, Trusted } from './trust.ts'

/** Heartbeats without a block after which a server is opened anew: an idle group makes one each (PROTOCOL.md section 1, Header). */
const STALLED = 6

export interface Step extends Advance {
  /** The head was reached over blocks that were not followed: what they appended is read by range. */
  readonly jumped: boolean
}

/**
 * Everything that one server proves from `from` on: its head, then block after block. After a gap, or the end of an epoch, the head is
 * opened anew, with what is trusted by then as a known head: nothing is verified twice and nothing is passed over unproven.
 *
 * @throws StallError when the server falls silent or behind, and as `sync`, `advance` and `watch`
 */
export async function* follow(ground: Ground, session: Session, genesis: Trusted, from: Trusted | null): AsyncGenerator<Step, void, undefined> {
  for (let trusted = from; ; ) {
    const before = trusted?.header.index ?? null
    const synced = await sync(ground, session, genesis, trusted ?? genesis)
    if (before !== null && synced.shown < before) throw new StallError(`its head ${synced.shown} is behind ${before}`)
    trusted = synced.trusted
    yield { trusted, blocks: [], jumped: trusted.header.index !== before }
    for await (const next of watched(ground, session, trusted)) {
      trusted = next.trusted
      yield { ...next, jumped: false }
    }
    // A gap right after its own head, twice: asking a third time would be a loop that the server drives.
    if (trusted.header.index === before) throw new StallError('it has no next block to show')
  }
}

async function* watched(ground: Ground, { host, link, signal }: Session, from: Trusted): AsyncGenerator<Advance, void, undefined> {
  const { surface, withstand, identified } = ground
  const own = scope(signal)
  const arm = (): (() => void) => host.after(STALLED * identified.heartbeatMs, () => own.abort(new StallError('it shows no new block')))
  let cancel = arm()
  try {
    let trusted = from
    const request = { group: identified.group, surfaces: [surface], from: trusted.header.index + 1n, withstand }
    for await (const message of watch(link, request, { signal: own.signal })) {
      cancel()
      if (message.kind === 'gap') return
      const next = await advance(ground, trusted, message.value)
      trusted = next.trusted
      yield next
      cancel = arm()
    }
  } catch (error) {
    if (!(error instanceof EpochEnd)) throw error
  } finally {
    cancel()
    own.end()
  }
}
