import { answerCodec } from '../../client/network/light/queries.ts'
import { type Bytes, equal, toHex, u64le } from '../../client/primitives/bytes.ts'
import { type Codec, decode, encode } from '../../client/primitives/codec.ts'
import {
  frontier,
  MapLeaf,
  MapProof,
  map,
  pathOf,
  proveItem,
  proveRange,
  RangeProof,
  type TailQuestion,
  TreeProof,
  valueHash,
  verifyItem,
  verifyMap,
  verifyRange,
  verifyTail,
} from '../../client/proofs/index.ts'
import { hashLeaf, hashLeaves } from '../../wasm/core.ts'
import { ask, type World, worldOf } from '../proofs/by-world.ts'
import { storeOf } from '../proofs/tree-store.ts'
import { jointsOf, mutate } from './_mutate.ts'
import { below, chance, type Draw, pick, type Trial } from './_seeded.ts'
import { warp } from './_warp.ts'

// Changed proofs of docs/wire.md section 4. Whatever is accepted has to be true of the tree, map or index that the root is of, and the
// proof the one that an honest prover makes: then it is the same value, and no second form of it.

/** A proof after changes, to its bytes or to its parts. @throws DecodeError when the bytes are none any more: a refusal like the others */
const bent = <T>(trial: Trial, codec: Codec<T>, proof: T, donors: readonly T[]): T => {
  const { draw } = trial
  if (chance(draw, 0.5)) return warp(draw, chance(draw, 0.1) ? pick(draw, donors) : proof, donors)
  const encoded = encode(codec, proof)
  const others = donors.map((donor) => encode(codec, donor))
  trial.input = mutate(draw, encoded, { joints: jointsOf(codec, encoded), others })
  return decode(codec, trial.input)
}

const same = <T>(codec: Codec<T>, one: T, other: T): boolean => equal(encode(codec, one), encode(codec, other))

export type Prepared = (trial: Trial) => string | null

const ITEMS = Array.from({ length: 70 }, (_, i) => u64le(BigInt(i >> 1)))
const SIZES = [1, 2, 3, 7, 8, 33, 64, 69]

/** Items stand there twice each: an honest proof of one place must not pass for the other. */
export const trees = async (): Promise<Prepared> => {
  const { source } = storeOf(hashLeaves(ITEMS))
  const made = new Map<number, readonly TreeProof[]>()
  const roots = new Map<number, Bytes>()
  for (const size of SIZES) {
    roots.set(size, frontier.rootOf(frontier.append(frontier.emptyFrontier, hashLeaves(ITEMS.slice(0, size)))))
    made.set(size, await Promise.all(ITEMS.slice(0, size).map((_, i) => proveItem(source, BigInt(size), BigInt(i)))))
  }
  return (trial) => {
    const { draw } = trial
    const size = pick(draw, SIZES)
    const proofs = made.get(size) as readonly TreeProof[]
    const position = below(draw, size)
    const item = ITEMS[chance(draw, 0.9) ? position : below(draw, ITEMS.length)] as Bytes
    const proof = bent(trial, TreeProof, proofs[position] as TreeProof, [...proofs, ...(made.get(pick(draw, SIZES)) ?? [])])
    verifyItem({ size: BigInt(size), root: roots.get(size) as Bytes }, proof, hashLeaf(item))
    const honest = proofs[Number(proof.position)]
    if (honest === undefined || !equal(ITEMS[Number(proof.position)] as Bytes, item))
      return `item ${toHex(item)} at ${proof.position} of ${size}`
    return same(TreeProof, proof, honest) ? null : `a second proof of item ${proof.position} of ${size}`
  }
}

export const ranges = async (): Promise<Prepared> => {
  const { source } = storeOf(hashLeaves(ITEMS))
  const made: { readonly root: Bytes; readonly proof: RangeProof }[] = []
  for (const size of [0, ...SIZES]) {
    const root = frontier.rootOf(frontier.append(frontier.emptyFrontier, hashLeaves(ITEMS.slice(0, size))))
    for (let from = 0; from <= size; from += 1 + (size >> 3))
      for (let to = from; to <= size; to += 1 + (size >> 3))
        made.push({ root, proof: await proveRange(source, BigInt(size), BigInt(from), BigInt(to)) })
  }
  const proofs = made.map(({ proof }) => proof)
  return (trial) => {
    const { draw } = trial
    const { root, proof: honest } = pick(draw, made)
    const { size } = honest
    const proof = bent(
      trial,
      RangeProof,
      honest,
      Array.from({ length: 3 }, () => pick(draw, proofs)),
    )
    const asked = chance(draw, 0.5) ? honest : proof
    const slice = ITEMS.slice(Number(asked.from), Number(asked.to))
    const items = chance(draw, 0.8) ? slice : warp(draw, slice, [ITEMS])
    verifyRange({ size, root }, proof, hashLeaves(items))
    const truth = ITEMS.slice(Number(proof.from), Number(proof.to))
    const isTrue = items.length === truth.length && items.every((item, i) => equal(item, truth[i] as Bytes))
    if (!isTrue) return `items ${proof.from} … ${proof.to} of ${size} that are others`
    const isOne = proof.from !== honest.from || proof.to !== honest.to || same(RangeProof, proof, honest)
    return isOne ? null : `a second proof of ${proof.from} … ${proof.to} of ${size}`
  }
}

const ENTRIES = Array.from({ length: 200 }, (_, i) => ({
  path: pathOf(u64le(BigInt(i))),
  value: valueHash(u64le(BigInt(i % 7))),
  data: null,
}))

export const maps = (): Prepared => {
  const trees = [0, 1, 2, 5, 40, 200].map((count) => map.fromEntries(ENTRIES.slice(0, count)))
  const asks = (draw: Draw) => ({
    path: chance(draw, 0.7) ? pick(draw, ENTRIES).path : pathOf(u64le(BigInt(below(draw, 999)))),
    bits: chance(draw, 0.5) ? 256 : below(draw, 12),
  })
  return (trial) => {
    const { draw } = trial
    const tree = pick(draw, trees)
    const [{ bits, path }, other] = [asks(draw), asks(draw)]
    const honest = map.prove(tree, bits, path)
    const donors = [honest, map.prove(tree, other.bits, other.path), map.prove(pick(draw, trees), bits, path)]
    const proof = bent(trial, MapProof, honest, donors)
    const shown = verifyMap(map.rootOf(tree), bits, path, proof)
    const truth = map.leavesUnder(tree, bits, path, 1_024)
    const isTrue = shown.length === truth.length && shown.every((leaf, i) => same(MapLeaf, leaf, truth[i] as MapLeaf))
    if (!isTrue) return `${shown.length} leaves under ${bits} bits of ${toHex(path)}, not ${truth.length}`
    return same(MapProof, proof, honest) ? null : `a second proof of ${bits} bits of ${toHex(path)}`
  }
}

const WORLD = worldOf(Array.from({ length: 40 }, (_, i) => [i % 3, 3 + (i % 5), ...(i % 4 === 0 ? [9] : [])]))

/** What of a tail's runs is not so in the index that it is of. */
const untrueRun = ({ index, items }: World, question: TailQuestion): string | null => {
  const { runs, items: shown } = verifyTail(question)
  const truth = map.leavesUnder(index, question.bits, question.path, 1_024)
  if (runs.length !== truth.length) return `${runs.length} runs of ${truth.length}`
  for (const [i, { key, start, end, positions }] of runs.entries()) {
    const { data } = truth[i] as (typeof truth)[number]
    const held = data.entries.slice(Number(start), Number(end)).map(({ position }) => position)
    if (!equal(key, data.key) || held.join() !== positions.join()) return `key ${toHex(key)} at ${positions.join()}, not ${held.join()}`
  }
  const carried = new Set(runs.flatMap(({ positions }) => positions))
  for (const [position, item] of shown) {
    if (!carried.has(position)) return `an item at ${position} that no key has`
    if (!equal(item, items[Number(position)] as Bytes)) return `another item at ${position}`
  }
  return null
}

export const tails = (): Prepared => {
  const paths = map.leavesUnder(WORLD.index, 0, new Uint8Array(32), 1_024).map(({ path }) => path)
  return (trial) => {
    const { draw } = trial
    const asked = (): TailQuestion => {
      const one = { bits: pick(draw, [0, 1, 2, 256]), path: pick(draw, paths), max: pick(draw, [3, 1_000]) }
      const above = ask(WORLD, one)
      if (chance(draw, 0.6)) return above
      return ask(WORLD, {
        ...one,
        upto: new Map(above.answer.runs.map(({ key, start, before }) => [toHex(pathOf(key)), { count: start, link: before }])),
      })
    }
    const [question, other] = [asked(), asked()]
    const tailOf = ({ answer }: TailQuestion) => ({ kind: 'tail', value: answer }) as const
    const answer = bent(trial, answerCodec, tailOf(question), [tailOf(question), tailOf(other)])
    return answer.kind === 'tail' ? untrueRun(WORLD, { ...question, answer: answer.value }) : null
  }
}
