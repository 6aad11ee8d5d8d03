import { readReport } from '../node/metrics/report.ts'
import type { Devnet } from './devnet.ts'

// What the members of a devnet are, and say.

export interface Running {
  readonly pid: number
  readonly http: string
}

/** By seat, as of now: each start of a member has a process of its own. */
export const membersOf = ({ events }: Devnet): readonly Running[] => {
  const running: Running[] = []
  for (const { event, state, seat, pid, http } of events)
    if (event === 'member' && state === 'up') running[seat as number] = { pid: pid as number, http: http as string }
  return running
}

/** What a member tells its operator, or in words why it tells nothing. */
export const reportOf = (http: string): Promise<ReturnType<typeof readReport> | string> =>
  fetch(`${http}/status`, { signal: AbortSignal.timeout(10_000) })
    .then(async (answer) => readReport(await answer.json()))
    .catch(String)

/** Members that ended, for where nobody kills one. */
export const deaths = ({ events }: Devnet): readonly string[] =>
  events.filter(({ event, state }) => event === 'member' && state === 'down').map(({ seat, code }) => `member ${seat} ended with ${code}`)
