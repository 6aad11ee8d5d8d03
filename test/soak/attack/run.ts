import { fromHex } from '../../../client/primitives/bytes.ts'
import { random } from '../../random.ts'
import { datagramKinds } from './datagrams.ts'
import { dialKinds } from './dials.ts'
import { type Counts, sources, type Target } from './kind.ts'
import { openLinks, openRoutes } from './links.ts'
import { pace } from './pace.ts'
import { socketKinds } from './sockets.ts'
import { streamKinds } from './streams.ts'

/** What is attacked. */
export interface Plan {
  readonly targets: readonly Target[]
  /** The members' group, in hex: what an attacker knows from the config that everybody reads. */
  readonly group: string
  readonly seed: number
  /** Frames a second, over all kinds and members. */
  readonly rate: number
}

export interface Attack {
  /** Ends all of it, and lets go of everything. What came of it. */
  readonly stop: () => Promise<Counts>
}

/** Opens what the kinds need and begins. */
export const startAttack = async ({ targets, group, seed, rate }: Plan): Promise<Attack> => {
  const draw = random(seed)
  const routes = openRoutes(sources())
  const links = await openLinks(routes)
  const kinds = [...socketKinds(draw), ...datagramKinds(draw), ...dialKinds(routes, draw), ...streamKinds(links, fromHex(group), draw)]
  const paced = pace(kinds, targets, rate)
  return {
    stop: async () => {
      const counts = paced.stop()
      for (const { held } of kinds) held?.[Symbol.dispose]()
      await links[Symbol.asyncDispose]()
      await routes[Symbol.asyncDispose]()
      return counts
    },
  }
}
