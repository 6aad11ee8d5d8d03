import { createPublicKey, verify as edVerify } from 'node:crypto'
import { CoalitionError } from '../../client/error.ts'
import { commitHash } from '../../client/groups/block.ts'
import type { Handle, Verified } from '../../client/network/handle.ts'
import type { Response } from '../../client/network/light/messages.ts'
import { createNetwork } from '../../client/network/open.ts'
import { toHex } from '../../client/primitives/bytes.ts'
import { decode } from '../../client/primitives/codec.ts'
import type { Verify } from '../../client/primitives/ed25519.ts'
import { Chain, seats } from '../network/chain.ts'
import { blobOf, HEARTBEAT, type NoteDatum, note, noteCodec, notes, person } from '../network/notes.ts'
import { addresses, serve } from '../network/setup.ts'
import { World } from '../network/world.ts'
import { type Bend, bender, type Kind, truths } from './_bend.ts'
import { below, chance, type Draw, pick, type Trial, wordsOf } from './_seeded.ts'

// The reader under hostile answers: whatever the server makes of them, a value is the honest one or there is none, and it ends in time.

// OpenSSL in place of @noble/curves: the same verdicts (test/primitives), ten times as many cases.
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const verify: Verify = async (signature, message, key) =>
  edVerify(null, message, createPublicKey({ key: Buffer.concat([SPKI, key]), format: 'der', type: 'spki' }), signature)

const NOW = 1_700_000_000_000

const chainOf = (n: number, epochs: number): Chain => {
  const chain = new Chain(seats(n))
  for (let i = 0; i < 10; i++) chain.commit([note(`note ${i}`, i % 3, 50 + i), note(`more ${i}`, 4)], { unsealed: i % 5 === 3 })
  for (let epoch = 1; epoch <= epochs; epoch++) chain.commit([note(`last ${epoch}`, 1)], { next: seats(n, epoch) })
  chain.commit([note('newest', 2)], { timeMs: NOW })
  return chain
}

interface Known {
  readonly chain: Chain
  readonly truths: readonly Response[]
}

/** Chains that no case adds to, by members and epochs. */
const kept = new Map<string, Promise<Known>>()

const chainFor = (n: number, epochs: number, grows: boolean): Promise<Known> => {
  const make = async (): Promise<Known> => {
    const chain = chainOf(n, epochs)
    return { chain, truths: await truths(chain) }
  }
  if (grows) return make()
  const name = `${n} ${epochs}`
  const made = kept.get(name) ?? make()
  kept.set(name, made)
  return made
}

interface Scene {
  readonly draw: Draw
  readonly world: World
  readonly chain: Chain
  readonly handle: Handle<NoteDatum>
}

type Shown = Verified<NoteDatum | null>

/** What a verified item says that the chain does not, or null. */
const untrue = ({ chain }: Scene, { value, ref, verdict }: Shown, position: bigint): string | null => {
  const item = decode(noteCodec, chain.items[Number(position)] as never)
  const expected = { position, words: item.words, to: item.to.map(toHex) }
  if (show(value) !== show(expected)) return `shows ${show(value)}, not ${show(expected)}`
  const header = chain.headers[Number(ref.index)]
  if (header === undefined || toHex(commitHash(header)) !== ref.commit) return `names a block ${ref.index} that is none`
  if (ref.position !== position.toString()) return `names position ${ref.position}`
  return verdict.integrity.state === 'green' && verdict.authority.state !== 'red' ? null : `shows a value under ${verdict.integrity.state}`
}

const show = (value: unknown): string => JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}` : each))

type Operation = (scene: Scene) => Promise<string | null>

const latest: Operation = async (scene) => untrue(scene, await scene.handle.latest(), BigInt(scene.chain.items.length) - 1n)

const items = async (scene: Scene, from: bigint, count: number, step: () => void = () => {}): Promise<string | null> => {
  const { world, handle } = scene
  const controller = new AbortController()
  const cancel = world.host().after(90_000, () => controller.abort(new Enough()))
  try {
    let next = from
    for await (const shown of handle.since(from, { signal: controller.signal })) {
      const wrong = untrue(scene, shown, next++)
      if (wrong !== null || next === from + BigInt(count)) return wrong
      step()
    }
    return 'ends before its signal'
  } finally {
    cancel()
  }
}

const history: Operation = (scene) => items(scene, BigInt(below(scene.draw, 8)), 1 + below(scene.draw, 12))

const tail: Operation = async (scene) => {
  const { chain, world, draw } = scene
  const from = BigInt(chain.items.length)
  const commit = (): void => void chain.commit([note(`new ${chain.items.length}`, 1), note('two', 2)], { timeMs: Math.ceil(world.now) })
  const reading = items(scene, from, 1 + below(draw, 6), () => (chance(draw, 0.6) ? commit() : undefined))
  const stop = [1, 2, 3, 5, 8].map((beats) => world.host().after(beats * HEARTBEAT, commit))
  return reading.finally(() => {
    for (const cancel of stop) cancel()
  })
}

const complete: Operation = async (scene) => {
  const { chain, handle, draw } = scene
  const who = pick(draw, [1, 2, 4, 53, 99])
  const { value, verdict } = await handle.ask<readonly NoteDatum[]>('of', who, { disclose: chance(draw, 0.5) })
  const all = chain.items.map((item, i) => ({ position: BigInt(i), item: decode(noteCodec, item) }))
  const own = all.filter(({ item }) => item.to.some((to) => toHex(to) === toHex(person(who))))
  const expected = own.map(({ position, item }) => ({ position, words: item.words, to: item.to.map(toHex) }))
  if (show(value) !== show(expected)) return `of ${who}: ${show(value)}, not ${show(expected)}`
  return verdict.integrity.state === 'green' ? null : 'of: not green'
}

/** Of the newest item, which is here already, or of one that has to be fetched first. */
const evidence: Operation = async ({ handle, chain, draw }) => {
  const { ref } = await handle.latest()
  const position = chance(draw, 0.3) ? chain.items.length - 1 : below(draw, chain.items.length)
  const { value } = await handle.ask<{ readonly words: string; readonly blob: Uint8Array }>('evidence', { ...ref, position: `${position}` })
  const { words } = decode(noteCodec, chain.items[position] as never)
  return value.words === words && toHex(value.blob) === toHex(blobOf(words)) ? null : `evidence of ${value.words}, not ${words}`
}

/** What is asked, and which answers decide what comes of it. */
const OPERATIONS: { readonly [name: string]: readonly [Operation, readonly Kind[]] } = {
  latest: [latest, ['any', 'opened', 'proven', 'hello']],
  history: [history, ['any', 'opened', 'proven', 'proven']],
  tail: [tail, ['any', 'opened', 'proven', 'commits', 'commits', 'commits']],
  complete: [complete, ['any', 'opened', 'proven', 'proven', 'proven']],
  evidence: [evidence, ['any', 'proven', 'proven', 'blob']],
}

class Enough extends Error {}

/** A refusal has a name; anything else that is thrown is an accident. */
const refused = (error: unknown): string | null => {
  if (error instanceof CoalitionError) return error.name
  return error instanceof Enough ? 'waited' : null
}

type Settled = { readonly problem: string | null } | { readonly error: unknown }

/** Opens, asks, and says what came: a problem, null for the truth, or the error. */
const asks = async (draw: Draw, world: World, chain: Chain, n: number, operation: Operation, bend: Bend): Promise<Settled> => {
  await using network = createNetwork(world.host({ verify }), [notes], { bootstrap: addresses(n) })
  try {
    const open = () => network.open({ name: 'notes.all' }, { roster: chain.roster }) as Promise<Handle<NoteDatum>>
    // The newest item comes with the head: nothing is asked for it afterwards.
    if (!bend.later || operation === latest) bend.start()
    const handle = await open()
    bend.start()
    // A link that is made anew is opened anew, with what is trusted by then.
    if (chance(draw, 0.4)) world.cut(addresses(n)[0] as string)
    return { problem: await operation({ draw, world, chain, handle }) }
  } catch (error) {
    return { error }
  }
}

export const readerCase = async (trial: Trial): Promise<string | null> => {
  const { draw, tally } = trial
  const [name, [operation, kinds]] = pick(draw, Object.entries(OPERATIONS))
  const n = pick(draw, [1, 1, 4])
  const honest = chance(draw, 0.3)
  const world = new World()
  const { chain, truths: known } = await chainFor(n, below(draw, 3), name === 'tail')
  const bend = bender(draw, kinds, known, (input) => {
    trial.input = input
  })
  serve(world, chain).tamper = bend.tamper
  if (honest && n > 1) serve(world, chain, 'peer 1')
  const settled = await world.run(asks(draw, world, chain, n, operation, bend), 400_000)
  await world.settle()
  const left = [world.openStreams, world.openLinks, world.pendingTimers, chain.listeners]
  const where = `reader, ${name}, ${bend.words}`
  if (left.some((count) => count > 0)) return `${where}: leaves streams, links, timers, listeners: ${left.join(', ')}`
  const beside = `${honest && n > 1 ? ', an honest server beside' : ''}${bend.bent() === 0 ? ', nothing bent' : ''}`
  if ('problem' in settled) {
    tally(`the truth${beside}`)
    return settled.problem === null ? null : `${where}: ${settled.problem}`
  }
  const error = refused(settled.error)
  tally(`${error}${beside}`)
  return error === null ? `${where}: throws ${wordsOf(settled.error)}` : null
}
