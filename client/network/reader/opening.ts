import type { Header } from '../../groups/block.ts'
import { equal } from '../../primitives/bytes.ts'
import { AnswerError, exchange } from '../light/client.ts'
import { type EpochStep, MAX_STEPS, type Opened } from '../light/messages.ts'
import { type Climb, climb, type Sealed, verifyCertificate, verifyHead } from './opened.ts'
import type { Session } from './sync.ts'
import { certificateOf, type Ground, type Trusted } from './trust.ts'

// A head that ended its epoch, and whose successor is known, was sealed by the committee before: that one may seal it again, stronger.
const lastOf = (trusted: Trusted): Sealed | null => {
  const certificate = trusted.committee === trusted.next ? null : certificateOf(trusted)
  return certificate && { ...certificate, commit: trusted.commit, committee: trusted.committee }
}

export const knownOf = (trusted: Trusted): readonly Trusted[] => (trusted.seal === null ? [] : [trusted])

/** A server's head that is ours or a later one, and the way to it. */
export interface Newer {
  readonly kind: 'newer'
  readonly head: Sealed
  readonly climbed: Climb
  /** Every handover from epoch 0 to the committee that was climbed to. */
  readonly steps: readonly EpochStep[]
  readonly links: Opened['links']
}

/** An older head. It proves nothing about ours, and nothing is taken from it; `head` is null where it cannot be checked any more. */
export interface Older {
  readonly kind: 'older'
  readonly index: bigint
  readonly head: Sealed | null
}

/**
 * What a server has, next to what is trusted. Its certificates and handovers are verified, its link to our head is not yet.
 *
 * @param held what becomes of a head that the caller holds certified already: nothing of it is verified anew
 */
export const open = async <H = never>(
  ground: Ground,
  { host, link, signal }: Session,
  trusted: Trusted,
  held: (header: Header) => H | null = () => null,
): Promise<Newer | Older | H> => {
  const known = knownOf(trusted)
  const passed: EpochStep[] = []
  let climbed: Climb = { committee: trusted.next, last: lastOf(trusted) }
  for (;;) {
    const request = {
      group: ground.identified.group,
      fromEpoch: climbed.committee.roster.epoch,
      known: known.map(({ header, commit }) => ({ index: header.index, hash: commit })),
      withstand: ground.asks ?? ground.withstand,
    }
    const opened = await exchange(link, 'open', request, { host, signal })
    const { header } = opened.head
    const ours = held(header)
    if (ours !== null) return ours
    if (known.length > 0 && header.index < trusted.header.index) {
      // Of an epoch past it cannot be checked any more, and need not be: it is counted as an older head.
      const sameEpoch = equal(header.roster, trusted.committee.id)
      return {
        kind: 'older',
        index: header.index,
        head: sameEpoch ? await verifyCertificate(ground, trusted.committee, opened.head) : null,
      }
    }
    for (const step of opened.steps) climbed = await climb(ground, climbed, step)
    passed.push(...opened.steps)
    if (opened.more) {
      // Each round has to lead on: a server that always says "more" would keep us climbing for ever.
      if (opened.steps.length === 0 || opened.steps.length > MAX_STEPS) throw new AnswerError('more epochs announced, none shown')
      continue
    }
    if (opened.links.length !== known.length) throw new AnswerError(`${opened.links.length} links for ${known.length} known heads`)
    const head = await verifyHead(ground, climbed, opened.head)
    return { kind: 'newer', head, climbed, steps: [...trusted.steps, ...passed], links: opened.links }
  }
}
