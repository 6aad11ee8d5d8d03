import { sign as signWith } from 'node:crypto'
import { expect, test } from 'vitest'
import { ENTRY_AGE, signEntry } from '../../../client/network/discovery/entry.ts'
import { rumour } from '../../../client/network/discovery/rumours.ts'
import { type Bytes, toHex } from '../../../client/primitives/bytes.ts'
import { random as seeded } from '../../random.ts'
import { keyOf } from '../chain.ts'
import { World } from '../world.ts'
import { Mesh } from './mesh.ts'
import { entryOf, peerIn, publicOf } from './peers.ts'

// MSK-09, PROTOCOL.md section 4: whatever comes and goes, and whoever lies, all end up knowing the same.

const MINUTE = 60_000
const HONEST = Array.from({ length: 20 }, (_, i) => `node ${i}`)
const LIARS = ['liar 0', 'liar 1']

/** A ring, so that it hangs together, and some more. */
const edgesOf = (random: () => number): readonly (readonly [string, string])[] => {
  const names = [...HONEST, ...LIARS]
  const ring = HONEST.map((name, i) => [name, HONEST[(i + 1) % HONEST.length] as string] as const)
  const pick = (): string => names[Math.floor(random() * names.length)] as string
  return [...ring, ...Array.from({ length: 24 }, () => [pick(), pick()] as const).filter(([a, b]) => a !== b)]
}

/** What a liar says: entries that others did not sign, older ones of theirs, others that nobody can have signed yet, and noise. */
const lies = async (mesh: Mesh, liar: string, heard: readonly Bytes[], random: () => number): Promise<void> => {
  const victim = HONEST[Math.floor(random() * HONEST.length)] as string
  const sign = (message: Bytes): Bytes => new Uint8Array(signWith(null, message, keyOf(liar).secret))
  const { now } = mesh.world
  const forged = await signEntry(entryOf(victim, { updateMs: now, addresses: [publicOf(liar)] }), sign)
  const future = await signEntry(entryOf(liar, { updateMs: now + 3 * ENTRY_AGE.ahead }), sign)
  const radio = mesh.radio(liar)
  await radio.publish(rumour({ kind: 'entry', value: forged }))
  await radio.publish(rumour({ kind: 'entry', value: future }))
  await radio.publish(Uint8Array.from({ length: 40 }, () => Math.floor(random() * 256)))
  const old = heard[Math.floor(random() * heard.length)]
  if (old !== undefined) await radio.publish(old)
}

const known = (mesh: Mesh, name: string) =>
  mesh
    .presence(name)
    .catalog.list()
    .map(({ peer, addresses }) => `${toHex(peer).slice(0, 8)} ${addresses.join()}`)
    .toSorted()

test.each([1, 2])(
  '20 nodes that come, go, crash, move and are parted, among liars: all know the same in the end (seed %i)',
  async (seed) => {
    const random = seeded(seed)
    const world = new World()
    const mesh = new Mesh(world, random, edgesOf(random))
    const chance = (share: number): boolean => random() < share
    for (const name of HONEST.slice(0, 12)) mesh.start(name)
    for (const liar of LIARS) mesh.startLiar(liar)
    const old: Bytes[] = []
    for (let minute = 0; minute < 40; minute++) {
      const name = HONEST[Math.floor(random() * HONEST.length)] as string
      if (!mesh.isUp(name)) mesh.start(name, 5_000 + minute)
      else if (chance(0.2)) await world.run(mesh.stop(name, chance(0.5)))
      else if (chance(0.3)) mesh.move(name, 6_000 + minute)
      if (minute % 10 === 3) mesh.part((a, b) => Number(a.split(' ')[1]) % 2 !== Number(b.split(' ')[1]) % 2)
      if (minute % 10 === 8) mesh.part(() => false)
      for (const up of mesh.names) {
        const own = mesh.presence(up).catalog.get(peerIn(up))
        if (own !== null && chance(0.1)) old.push(rumour({ kind: 'entry', value: own }))
      }
      for (const liar of LIARS) await lies(mesh, liar, old, random)
      await world.advance(MINUTE)
    }
    for (const name of HONEST) if (!mesh.isUp(name)) mesh.start(name, 7_000)
    // Who crashed is forgotten after 15 minutes, who was parted is told within five: then nothing is left of it.
    for (let minute = 0; minute < 17; minute++) {
      for (const liar of LIARS) await lies(mesh, liar, old, random)
      await world.advance(MINUTE)
    }
    const all = known(mesh, HONEST[0] as string)
    expect(all).toHaveLength(HONEST.length)
    for (const name of mesh.names) expect(known(mesh, name), `seed ${seed}, ${name}`).toEqual(all)
    for (const name of HONEST)
      expect(all).toContain(`${toHex(peerIn(name)).slice(0, 8)} ${mesh.presence(name).catalog.get(peerIn(name))?.entry.addresses.join()}`)
    for (const name of HONEST) await world.run(mesh.stop(name, true))
  },
  120_000,
)

test('a departure is known everywhere within a second, a move within the time of a look at one’s addresses', async () => {
  const random = seeded(9)
  const world = new World()
  const mesh = new Mesh(world, random, edgesOf(random))
  for (const name of HONEST) mesh.start(name)
  await world.advance(10_000)
  const others = HONEST.slice(1)
  expect(others.filter((name) => known(mesh, name).length === HONEST.length)).toEqual(others)
  mesh.move('node 0', 9_999)
  await world.advance(11_000)
  expect(others.filter((name) => known(mesh, name).some((line) => line.includes('/9999/')))).toEqual(others)
  await world.run(mesh.stop('node 0', true))
  await world.advance(1_000)
  expect(others.filter((name) => known(mesh, name).length === HONEST.length - 1)).toEqual(others)
  for (const name of others) await world.run(mesh.stop(name, true))
  // What was on its way arrives nowhere; then nothing is left behind.
  await world.advance(1_000)
  expect(world.pendingTimers).toBe(0)
})

test('an honest node is never held to have lied, whatever it passed on', async () => {
  const random = seeded(4)
  const world = new World()
  const mesh = new Mesh(world, random, edgesOf(random))
  for (const name of HONEST) mesh.start(name)
  for (const liar of LIARS) mesh.startLiar(liar)
  for (let minute = 0; minute < 10; minute++) {
    for (const liar of LIARS) await lies(mesh, liar, [], random)
    await world.advance(MINUTE)
  }
  const rejected = HONEST.flatMap((name) =>
    mesh
      .radio(name)
      .rulings.filter(({ ruling }) => ruling === 'reject')
      .map(({ from }) => from),
  )
  expect(rejected.length).toBeGreaterThan(20)
  expect([...new Set(rejected)].toSorted()).toEqual(LIARS)
  for (const name of HONEST) await world.run(mesh.stop(name, true))
})
