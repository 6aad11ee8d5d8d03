import { expect, test } from 'vitest'
import { read } from '../../client/lattice/tally/index.ts'
import { binding } from '../../client/lattice/tally/surface.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { createNetwork } from '../../client/network/open.ts'
import { instead } from '../liar.ts'
import { keyOf } from '../network/chain.ts'
import { addressOf } from '../network/setup.ts'
import { World } from '../network/world.ts'
import { CONFIG, liarServer, stageOf } from './stage.ts'

test.each(['opened', 'proven', 'hello'] as const)(
  'PROTOCOL 3 step 2: a member that drips %s does not keep a reader from three that answer',
  async (kind) => {
    const world = new World()
    const stage = stageOf('one', () => world.now)
    const always = { lies: () => true, isLater: () => false }
    const plan = { lie: instead(kind, (raw) => ({ raw, pauseMs: 1_000 })) }
    for (const i of [0, 1, 2, 3]) {
      const honest = serveLight(() => [stage.truth.chain.source()], world.host())
      const handler = i === 0 ? liarServer(stage, plan, world.host(), always) : honest
      world.serve(addressOf(`peer ${i}`), { key: keyOf(`peer ${i}`).public, handler })
    }
    const network = createNetwork(world.host(), [binding], { bootstrap: [0, 1, 2, 3].map((i) => addressOf(`peer ${i}`)) })
    await using refunds = await world.run(read(network, CONFIG))
    expect((await world.run(refunds.latest())).ref.index).toBe('6')
  },
)
