import { watch } from '../light/client.ts'
import { scope } from '../scope.ts'
import { type Advance, advance, EpochEnd, type VerifiedBlock } from './advance.ts'
import type { Newest } from './opened.ts'
import { StallError } from './state.ts'
import { fetchLogEdge, type Session, sync } from './sync.ts'
import type { Ground, Trusted } from './trust.ts'

/** Heartbeats without a block after which a server is opened anew: an idle group makes one each (PROTOCOL.md section 1, Header). */
const STALLED = 6
/** Bounds of it in milliseconds: the heartbeat is whatever a config says, and a timer of more than 2^31 ms would run at once. */
const SHORTEST = 1_000
const LONGEST = 3_600_000

/**
 * Everything that one server proves from `from` on: its head, then block after block. After a gap, or the end of an epoch, the head is
 * opened anew, with what is trusted by then as a known head: nothing is verified twice and nothing is passed over unproven.
 *
 * @throws StallError when the server falls silent or behind, and as `sync`, `advance` and `watch`
 */
export async function* follow(ground: Ground, session: Session, from: Trusted): AsyncGenerator<Advance, void, undefined> {
  for (let trusted = from; ; ) {
    const before = trusted.header.index
    const { trusted: head, shown, newest } = await sync(ground, session, trusted)
    if (shown < before) throw new StallError(`its head ${shown} is behind ${before}`)
    yield { trusted: head, blocks: newestOf(head, newest) }
    trusted = head.log === null ? { ...head, log: await fetchLogEdge(ground, session, head) } : head
    for await (const next of watched(ground, session, trusted)) {
      trusted = next.trusted
      yield next
    }
    // A gap right after its own head, twice: asking a third time would be a loop that the server drives.
    if (trusted.header.index === before) throw new StallError('it has no next block to show')
  }
}

/**
 * The newest item as the one thing that its head brought: it is what is asked for first, and it is here already. What else the blocks
 * appended that were not followed is read by range.
 */
const newestOf = ({ header, commit }: Trusted, newest: Newest | null): readonly VerifiedBlock[] =>
  newest === null ? [] : [{ header, commit, first: newest.before.size, before: newest.before, items: [newest.item] }]

async function* watched(ground: Ground, { host, link, signal }: Session, from: Trusted): AsyncGenerator<Advance, void, undefined> {
  const { surface, withstand, asks, identified } = ground
  const own = scope(signal)
  const patience = Math.min(LONGEST, Math.max(SHORTEST, STALLED * identified.heartbeatMs))
  const arm = (): (() => void) => host.after(patience, () => own.abort(new StallError('it shows no new block')))
  let cancel = arm()
  try {
    let trusted = from
    const request = { group: identified.group, surfaces: [surface], from: trusted.header.index + 1n, withstand: asks ?? withstand }
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
