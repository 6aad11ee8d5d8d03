import type { Counts } from './kind.ts'
import { type Attack, type Plan, startAttack } from './run.ts'

/** What the process is told. */
export type Order = { readonly order: 'start'; readonly plan: Plan } | { readonly order: 'stop' }
/** What it answers, one for each order. */
export type Said =
  | { readonly said: 'started' }
  | { readonly said: 'stopped'; readonly counts: Counts }
  | { readonly said: 'failed'; readonly problem: string }

/** The attackers of a hostile soak, in a process of their own: it does what it is told over its channel, and ends with it. */
export const main = (): Promise<void> => {
  // Members answer attackers with whatever they like, and libraries that were written for honest peers throw at it where nobody can catch
  // it. What becomes of the members is what is looked at.
  process.on('uncaughtException', ({ message }) => console.error(`an attacker: ${message}`))
  process.on('unhandledRejection', (reason) => console.error(`an attacker: ${String(reason)}`))
  let attack: Attack | null = null
  const follow = async (order: Order): Promise<Said> => {
    if (order.order === 'start') {
      attack = await startAttack(order.plan)
      return { said: 'started' }
    }
    const counts = (await attack?.stop()) ?? {}
    attack = null
    return { said: 'stopped', counts }
  }
  let turn: Promise<unknown> = Promise.resolve()
  process.on('message', (order: Order) => {
    turn = turn
      .then(() => follow(order))
      .catch((error: unknown): Said => ({ said: 'failed', problem: String(error) }))
      .then((said) => process.send?.(said))
  })
  return new Promise(() => process.once('disconnect', () => process.exit(0)))
}
