import { CoalitionError } from '../error.ts'
import type { SeatOptions } from './seat.ts'
import { VIEWS } from './simplex/index.ts'

/** Puts what the vote record says back on the archived head: blocks that are not final yet, executed again, and every promise. @throws VoteRecordError */
export const restore = async <S, C>({ record, history, branches, admission, simplex }: SeatOptions<S, C>): Promise<void> => {
  if (record instanceof CoalitionError) return
  const { views, proposals } = await record.load()
  const root = history.head.link.view
  for (const { block, signature } of proposals.filter((each) => each.block.header.view > root)) {
    const parent = branches.get(block.header.prev)
    if (parent === null) continue
    const commands = await admission.admitAll(block.commands)
    const { view, time_ms: timeMs } = block.header
    const branch = branches.execute(parent.branch, { view, timeMs, commands })
    branches.add(branch, { header: branch.header, commands: [...commands] }, signature)
  }
  const held = branches.all().map(({ branch }) => branch.link)
  simplex.restore(
    [...history.links(), ...held],
    views.filter(({ view }) => view > root - VIEWS.behind),
  )
}
