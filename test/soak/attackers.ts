import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { getPriority, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Counts } from './attack/kind.ts'
import type { Order, Said } from './attack/main.ts'
import type { Plan } from './attack/run.ts'

const RUN = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url))
/** The attackers' own work is not what members are to bear: elsewhere it is done on other machines, so here it takes what is left. */
const NICE = 19

/** The process with all attackers in it. */
export interface Attackers extends AsyncDisposable {
  readonly start: (plan: Plan) => Promise<void>
  /** Everything that was opened is closed then. What came of it. */
  readonly stop: () => Promise<Counts>
}

/** Milliseconds until attackers that do not answer are ended: what they do to themselves must not hold the soak up. */
const PATIENCE = 60_000

export const openAttackers = (): Attackers => {
  // Their libraries warn of listeners that pile up, and theirs do.
  const env = { ...process.env, NODE_NO_WARNINGS: '1' }
  const child = fork(RUN, ['test/soak/attack/main.ts'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env })
  const exit = once(child, 'exit')
  const gone = exit.then(([code, signal]) => {
    throw new Error(`the attackers' process ended with ${code ?? signal}`)
  })
  gone.catch(() => {})
  if (child.pid !== undefined) setPriority(child.pid, Math.min(19, getPriority() + NICE))
  const ask = async (order: Order): Promise<Said> => {
    const answered = once(child, 'message')
    child.send(order)
    const [said] = (await inTime(child, Promise.race([answered, gone]))) as [Said]
    if (said.said === 'failed') throw new Error(`the attackers: ${said.problem}`)
    return said
  }
  return {
    start: async (plan) => void (await ask({ order: 'start', plan })),
    stop: async () => {
      const said = await ask({ order: 'stop' })
      return said.said === 'stopped' ? said.counts : {}
    },
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect()
      await inTime(child, exit)
    },
  }
}

/** Ends the process when `act` takes too long. */
const inTime = async <T>(child: ChildProcess, act: Promise<T>): Promise<T> => {
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  try {
    return await act
  } finally {
    clearTimeout(timer)
  }
}
