import type { SeatOptions } from '../seat.ts'
import type { Mail } from './mail.ts'

/** A view does not end: whatever of ours may have been lost on the way is sent once more. The same bytes: nothing is signed for it. */
export const sayAgain = <S, C>({ simplex, pool, branches, member }: SeatOptions<S, C>, mail: Mail): void => {
  const own = simplex.votesFrom(simplex.root.view + 1n).filter((vote) => vote.member === member)
  mail.votes(own.filter(({ kind }) => kind !== 'propose'))
  const isLeader = simplex.leader(simplex.view) === member
  for (const { branch, block, signature } of branches.all())
    if (isLeader && block !== null && signature !== null && branch.link.view === simplex.view)
      mail.all({ kind: 'proposal', value: { block, signature } })
  for (const command of pool.own()) mail.spread(command)
}
