import type { Certificate, Seal } from '../../client/groups/block.ts'
import type { RefundItem } from '../../client/lattice/tally/refund.ts'
import type { EpochStep } from '../../client/network/light/messages.ts'
import { head } from '../liar.ts'
import { Chain, seats } from '../network/chain.ts'
import type { TallyChain } from '../network/tally.ts'
import type { Plan, Stage } from './stage.ts'

// What a liar makes when it has keys of its own, of members or of nobody.

/** The newest block of a history and whatever signatures it has. */
export const tipOf = ({ chain }: TallyChain): Certificate => ({ header: chain.head, seal: chain.seals.at(-1) as Seal })

/** A plan that shows a history's newest block whatever it is signed with: an honest server would show the newest that a quorum signed. */
export const signedBy = (serves: TallyChain): Plan => ({ serves, lie: head(() => tipOf(serves)) })

/** Four keys that nobody named. */
const STRANGERS = seats(4, 9)

/** A well-formed head with a quorum of a committee that nobody named. */
export const ownCommittee = ({ truth, now }: Stage): Certificate => {
  const chain = new Chain<RefundItem>(STRANGERS, now(), truth.chain.about)
  chain.commit([], { timeMs: now() })
  return { header: chain.head, seal: chain.seals.at(-1) as Seal }
}

/** A handover that the certified block does not speak of. */
export const ownEpoch = (certificate: Certificate): EpochStep => ({
  certificate,
  roster: { epoch: 1, members: STRANGERS.map(({ member }) => member) },
})
