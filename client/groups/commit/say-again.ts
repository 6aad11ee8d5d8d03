import type { SeatOptions } from '../seat.ts'
import type { CatchUp } from './catch-up.ts'
import type { Mail } from './mail.ts'

/** A view does not end: what others have is asked for, and whatever of ours may have been lost is sent once more. The same bytes: nothing is signed for it. */
export const sayAgain = <S, C>({ simplex, pool, branches, member }: SeatOptions<S, C>, mail: Mail, catchUp: CatchUp<S, C>): void => {
  catchUp.ask()
  const own = simplex.votesFrom(simplex.root.view + 1n).filter((vote) => vote.member === member)
  mail.votes(own.filter(({ kind }) => kind !== 'propose'))
  const isLeader = simplex.leader(simplex.view) === member
  for (const { branch, block, signature } of branches.all())
    if (isLeader && block !== null && signature !== null && branch.link.view === simplex.view)
      mail.all({ kind: 'proposal', value: { block, signature } })
  for (const command of pool.own()) mail.spread(command)
}
