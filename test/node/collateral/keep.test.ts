import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { keptRollback } from '../../../client/network/keep/rollback.ts'
import { toHex } from '../../../client/primitives/bytes.ts'
import {
  type Collateral,
  collateralBytes,
  createEcdsa,
  readCollateral,
  remember,
  verifyCollateral,
} from '../../../client/verify/collateral/index.ts'
import { CollateralKeep, type KeepOptions, pauseFor } from '../../../node/collateral/keep.ts'
import { hash } from '../../../wasm/core.ts'
import { dateText, type MockPki, newPki, trustedRoot, writeCollateral } from '../../verify/_collateral-writer.ts'
import { scratch } from '../folder.ts'

const AT = Date.UTC(2026, 5, 1) / 1_000
const DAY = 86_400
const pki = newPki(AT)
const ecdsa = createEcdsa(crypto.subtle as never)
const STRANGER = newPki(AT)
const collateral = (changed: object = {}, of: MockPki = pki): Collateral => readCollateral(writeCollateral(of, { tcbInfo: changed }))

/** A clock and timers by hand: `pass` ends the pause that a keep is in. */
const manual = () => {
  const waits: { readonly ms: number; readonly run: () => void }[] = []
  const said: string[] = []
  const host = {
    ...{ time: AT, now: () => host.time * 1_000 },
    random: (n: number) => new Uint8Array(n),
    after: (ms: number, run: () => void) => {
      waits.push({ ms, run })
      return () => {}
    },
    log: (level: string, message: string, facts: object = {}) => void said.push(`${level} ${message} ${JSON.stringify(facts)}`),
  }
  const pass = (): number => {
    const { ms, run } = waits.shift() ?? { ms: -1, run: () => {} }
    run()
    return ms
  }
  return { host, waits, said, pass }
}

let open: CollateralKeep[] = []
afterEach(async () => {
  for (const keep of open) await keep[Symbol.asyncDispose]()
  open = []
})

const start = async (
  load: KeepOptions['load'],
  folder: string,
  { host }: ReturnType<typeof manual>,
  { every = null, memory = keptRollback(host, null) }: Partial<Pick<KeepOptions, 'every' | 'memory'>> = {},
) => {
  const changes: string[] = []
  const keep = await CollateralKeep.open({
    ...{ folder, root: trustedRoot(pki), ecdsa, memory, host, load, every },
    onChange: () => void changes.push(toHex(keep?.current?.hash ?? new Uint8Array(0))),
  })
  open.push(keep)
  return { keep, changes }
}

const nameOf = (one: Collateral): string => toHex(hash(collateralBytes(one)))

describe('collateral as a member keeps it', () => {
  it('is kept under the hash of its bytes, and found again after a start', async () => {
    const [folder, first] = [await scratch(), collateral()]
    const { keep } = await start(async () => first, folder, manual())
    await expect.poll(() => keep.current?.hash).toEqual(hash(collateralBytes(first)))
    expect(keep.current?.bytes).toEqual(collateralBytes(first))
    expect(await readdir(folder)).toEqual([nameOf(first)])
    const { keep: again } = await start(() => Promise.reject(new Error('nobody answers')), folder, manual())
    expect(again.current?.bytes).toEqual(collateralBytes(first))
  })

  it('is not taken from a file whose name is not the hash of what is in it, nor from one of another root', async () => {
    const folder = await scratch()
    const bytes = collateralBytes(collateral())
    await writeFile(join(folder, 'ab'.repeat(32)), bytes)
    const stranger = collateral({}, STRANGER)
    await writeFile(join(folder, nameOf(stranger)), collateralBytes(stranger))
    const { keep } = await start(() => Promise.reject(new Error('nobody answers')), folder, manual())
    expect(keep.current).toBeNull()
  })

  it.each<readonly [string, () => Promise<Collateral>, RegExp]>([
    ['nothing', () => Promise.reject(new Error('nobody answers')), /nobody answers/],
    ['collateral of another root', async () => collateral({}, STRANGER), /collateral\.\w+ failed/],
    ['collateral that is over', async () => collateral({ nextUpdate: dateText(AT - DAY) }), /failed/],
    [
      'more than may be sent',
      async () => ({ ...collateral(), rootCaCrl: new Uint8Array(300_000), pckCrl: new Uint8Array(300_000) }),
      /at most 524288/,
    ],
  ])('is not given up for %s, which is told once', async (_, worse, problem) => {
    const [folder, first, world] = [await scratch(), collateral(), manual()]
    let load = async (): Promise<Collateral> => first
    const { keep, changes } = await start(() => load(), folder, world)
    await expect.poll(() => world.waits).toHaveLength(1)
    load = worse
    for (const _round of [1, 2]) {
      world.pass()
      await expect.poll(() => world.waits).toHaveLength(1)
    }
    expect(keep.current?.hash).toEqual(hash(collateralBytes(first)))
    expect(changes).toHaveLength(1)
    const warnings = world.said.filter((line) => line.startsWith('warn'))
    expect(warnings).toEqual([expect.stringMatching(problem)])
  })

  it('section 5: is not taken back behind what a quote was accepted under, from a source or from the folder', async () => {
    const [folder, world] = [await scratch(), manual()]
    const memory = keptRollback(world.host, null)
    const [older, newer] = [17, 18].map((tcbEvaluationDataNumber) => collateral({ tcbEvaluationDataNumber })) as [Collateral, Collateral]
    const { keep } = await start(async () => older, folder, world, { memory })
    await keep.looked
    expect(keep.current).not.toBeNull()
    await remember(memory, await verifyCollateral(newer, { root: trustedRoot(pki), ecdsa, at: AT }))
    const { keep: again } = await start(async () => older, folder, manual(), { memory })
    await again.looked
    expect(again.current).toBeNull()
  })

  it('gives way to newer, and the oldest files go', async () => {
    const [folder, world] = [await scratch(), manual()]
    const all = Array.from({ length: 7 }, (_, i) => collateral({ tcbEvaluationDataNumber: 18 + i }))
    let next = 0
    const { keep, changes } = await start(async () => all[next] as Collateral, folder, world)
    for (next = 0; next < all.length; next++) {
      await expect.poll(() => toHex(keep.current?.hash ?? new Uint8Array(0))).toBe(nameOf(all[next] as Collateral))
      await expect.poll(() => world.waits).toHaveLength(1)
      if (next + 1 < all.length) {
        next += 1
        world.pass()
        next -= 1
      }
    }
    expect(changes).toEqual(all.map(nameOf))
    expect(await readdir(folder)).toHaveLength(4)
  })

  it('counts no more after its end', async () => {
    const world = manual()
    const { keep } = await start(async () => collateral(), await scratch(), world)
    await keep.looked
    expect(keep.current).not.toBeNull()
    world.host.time = AT + 21 * DAY
    expect(keep.current).toBeNull()
  })

  it('is looked for at once when it is asked to', async () => {
    const world = manual()
    let looks = 0
    const { keep } = await start(
      async () => {
        looks += 1
        return collateral()
      },
      await scratch(),
      world,
    )
    await expect.poll(() => world.waits).toHaveLength(1)
    keep.look()
    await expect.poll(() => looks).toBe(2)
  })
})

describe('the next look', () => {
  it.each<readonly [string, number | null, number, number]>([
    ['at half of what is left', 3_600, 0, 1_800_000],
    ['a minute on at least', 60, 0, 60_000],
    ['a minute on where it is over', -5, 0, 60_000],
    ['a day on at most', 30 * DAY, 0, DAY * 1_000],
    ['a minute on while there is none', null, 0, 60_000],
    ['later with every failure', null, 2, 240_000],
    ['an hour on at most', null, 99, 3_600_000],
  ])('is %s', (_, left, failures, expected) => {
    expect(pauseFor(left === null ? null : AT + left, AT, failures)).toBe(expected)
  })
})
