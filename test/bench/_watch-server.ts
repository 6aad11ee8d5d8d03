import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silent } from '../../client/log.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { createNodeHost } from '../../node/host.ts'
import { secretOf } from '../groups/counter.ts'
import { forget, openHistory } from './history.ts'

/** What the server tells of a commit, by the clock that all processes of a machine share. */
export interface Committed {
  readonly index: bigint
  /** Milliseconds. */
  readonly at: number
  /** Milliseconds of processor time of the server so far, and its resident bytes. */
  readonly cpu: number
  readonly rss: number
}

export const clock = (): number => performance.timeOrigin + performance.now()

/** One full node that commits a block with a payment whenever its parent says so. */
export const main = async ([watches = '8']: readonly string[]): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'coalition-watch-'))
  const history = await openHistory(folder, 20)
  // The history's own host has a reader's limits for one address: here every reader is on this machine.
  const limits = { perAddress: 1_024, perSecond: 1_024, pending: 1_024 }
  const host = await createNodeHost({ seed: secretOf(0, 'peer'), listen: ['/ip4/127.0.0.1/tcp/0/ws'], log: silent, limits })
  const { source } = history.group
  await host.handle(
    LIGHT_PROTOCOL,
    serveLight(() => [source], host, Number(watches)),
  )
  source.onCommit(() => {
    const { user, system } = process.cpuUsage()
    const told: Committed = { index: history.group.newest, at: clock(), cpu: (user + system) / 1_000, rss: process.memoryUsage().rss }
    process.send?.(told)
  })
  process.on('message', () => void history.pay())
  const stop = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('disconnect', resolve)
  })
  process.send?.({ address: host.addresses()[0], first: history.group.newest })
  await stop
  await host.close()
  await history[Symbol.asyncDispose]()
  await forget(folder)
  process.exit(0)
}
