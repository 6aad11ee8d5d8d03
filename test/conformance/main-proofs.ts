// Section 4 against client/: trees, maps, indexes and their tails. Where client/ makes what the vectors hold, it has to make the same bytes.

import type { SurfaceSpec } from '../../client/groups/machine.ts'
import { ZEROS } from '../../client/groups/roster.ts'
import type { View } from '../../client/groups/source.ts'
import { appendItems, type SurfaceState } from '../../client/groups/surface-state.ts'
import { answerTail } from '../../client/network/light/tail.ts'
import { type Bytes, equal, fromHex, toHex } from '../../client/primitives/bytes.ts'
import { type Codec, decode, encode, fixed } from '../../client/primitives/codec.ts'
import {
  type Frontier,
  frontier,
  frontierOf,
  linkNext,
  MapProof,
  type MapTree,
  map,
  type NodeSource,
  pathOf,
  proveItem,
  proveRange,
  RangeProof,
  rootAt,
  Tip,
  type Tips,
  TreeError,
  TreeProof,
  valueHash,
  verifyItem,
  verifyMap,
  verifyRange,
  verifyTail,
} from '../../client/proofs/index.ts'
import { hashLeaf, hashLeaves } from '../../wasm/core.ts'
import { accepts, allAt, demand, demandHex, demandShown, type Entry, given, hexAt, type Part, refuses, roundTrip } from './main-kit.ts'
import { decodeTailAnswer, decodeTailQuery, encodeTailAnswer, encodeTailQuery } from './main-types.ts'

// --- trees

const items = (): Bytes[] => allAt('trees.items').map((entry) => entry.hex('value'))

/** All nodes of a tree, as a member keeps them. */
const storeOf = (leaves: readonly Bytes[]): { readonly edge: Frontier; readonly source: NodeSource } => {
  const nodes = new Map<string, Bytes>()
  const edge = frontier.append(frontier.emptyFrontier, leaves, (level, index, node) => nodes.set(`${level}/${index}`, node))
  const source: NodeSource = async (level, index) =>
    nodes.get(`${level}/${index}`) ?? Promise.reject(new Error(`no node ${level}/${index}`))
  return { edge, source }
}
const firstOf = (n: number) => storeOf(hashLeaves(items().slice(0, n)))
const headOf = (n: number) => ({ size: BigInt(n), root: frontier.rootOf(firstOf(n).edge) })

const expectItem = async (entry: Entry): Promise<void> => {
  const [size, position] = [entry.number('size'), entry.number('position')]
  const proof = roundTrip(TreeProof, entry)
  demand(proof.position === BigInt(position), 'another position')
  verifyItem(headOf(size), proof, hashLeaf(items()[position] as Bytes))
  demandHex(encode(TreeProof, await proveItem(firstOf(size).source, BigInt(size), BigInt(position))), entry.hex('hex'), 'made')
}

const expectRange = async (entry: Entry): Promise<void> => {
  const [size, from, to] = [entry.number('size'), entry.number('from'), entry.number('to')]
  const proof = roundTrip(RangeProof, entry)
  demand(proof.left.length === entry.number('left') && proof.right.length === entry.number('right'), 'other lengths')
  demand(proof.from === BigInt(from) && proof.to === BigInt(to), 'another range')
  verifyRange(headOf(size), proof, hashLeaves(items().slice(from, to)))
  demandHex(encode(RangeProof, await proveRange(firstOf(size).source, BigInt(size), BigInt(from), BigInt(to))), entry.hex('hex'), 'made')
}

const expectFold = (entry: Entry): void => {
  const root = entry.hex('root')
  if (entry.text('proof') === 'TreeProof') {
    const proof = roundTrip(TreeProof, entry)
    verifyItem({ size: proof.size, root }, proof, hashLeaf(entry.hex('item')))
    return
  }
  demand(entry.text('proof') === 'RangeProof', 'no such proof')
  const proof = roundTrip(RangeProof, entry)
  demand(proof.left.length === entry.number('left') && proof.right.length === entry.number('right'), 'other lengths')
  verifyRange({ size: proof.size, root }, proof, hashLeaves(entry.hexes('items')))
}

const expectEdge = (entry: Entry): void => {
  const [size, more] = [entry.number('size'), entry.number('more')]
  const before = frontierOf({ size: BigInt(size), from: BigInt(size), to: BigInt(size), left: entry.hexes('before'), right: [] })
  const after = frontier.append(before, hashLeaves(items().slice(size, size + more)))
  demandShown(after.edge, entry.json('after'))
  demandHex(frontier.rootOf(after), entry.hex('root'), 'root')
}

const TREES: readonly Part[] = [
  given('trees.items'),
  accepts('trees.roots', 'MSK-03 is the root of so many items', async (entry) => {
    const { edge, source } = firstOf(entry.number('size'))
    demandHex(frontier.rootOf(edge), entry.hex('root'), 'root')
    demandHex(await rootAt(source, edge.size), entry.hex('root'), 'root of a store')
  }),
  accepts('trees.proofs', 'GAP-18 verifies, and is what we make', expectItem),
  accepts('trees.ranges', 'GAP-18 verifies, and is what we make', expectRange),
  accepts('trees.folds', 'folds to its root', expectFold),
  accepts('trees.edges', 'grows by what is appended', expectEdge),
  refuses('trees.refusedProofs', 'GAP-18 proves nothing', (entry) => {
    const proof = decode(TreeProof, entry.hex('hex'))
    const position = BigInt(entry.number('position'))
    // Whoever asks compares the position, as `fetchItem` does: a proof is of the leaf that it says.
    if (proof.position !== position) throw new TreeError('position', `${position}`, `${proof.position}`)
    verifyItem({ size: BigInt(entry.number('size')), root: entry.hex('root') }, proof, hashLeaf(entry.hex('item')))
  }),
  refuses('trees.refusedRanges', 'GAP-18 proves nothing', (entry) => {
    const head = { size: BigInt(entry.number('size')), root: entry.hex('root') }
    verifyRange(head, decode(RangeProof, entry.hex('hex')), hashLeaves(entry.hexes('items')))
  }),
]

// --- maps

const mapOf = (entry: Entry): MapTree<null> => {
  const entries = entry.entries('entries').map((each) => {
    demandHex(pathOf(each.hex('key')), each.hex('path'), 'path')
    return { path: each.hex('path'), value: valueHash(each.hex('value')), data: null }
  })
  const bare = entry.has('leaves')
    ? entry.entries('leaves').map((each) => ({ path: each.hex('path'), value: each.hex('value'), data: null }))
    : []
  return map.fromEntries([...entries, ...bare])
}

const expectMapProof = (entry: Entry): void => {
  const tree = mapOf(allAt('maps.maps')[entry.number('map')] as Entry)
  const [bits, path] = [entry.number('bits'), entry.hex('path')]
  const proof = roundTrip(MapProof, entry)
  demand(proof.end.kind === entry.text('end'), `ends in ${proof.end.kind}`)
  demandShown(
    verifyMap(map.rootOf(tree), bits, path, proof).map((leaf) => leaf.path),
    entry.json('shows'),
  )
  demandHex(encode(MapProof, map.prove(tree, bits, path)), entry.hex('hex'), 'made')
}

const MAPS: readonly Part[] = [
  accepts('maps.maps', 'MSK-03 has its root, in bulk and one by one', (entry) => {
    const tree = mapOf(entry)
    demandHex(map.rootOf(tree), entry.hex('root'), 'root')
    const leaves = [...map.leavesUnder(tree, 0, ZEROS, 1_024)].reverse()
    const grown = leaves.reduce<MapTree<null>>((sum, { path, value }) => map.insert(sum, path, value, null), map.emptyMap)
    demandHex(map.rootOf(grown), entry.hex('root'), 'root one by one')
  }),
  accepts('maps.keys', 'GAP-18 shows presence or absence, and is what we make', expectMapProof),
  accepts('maps.prefixes', 'GAP-18 shows all of a prefix, and is what we make', expectMapProof),
  refuses('maps.refused', 'GAP-18 shows nothing', (entry) => {
    verifyMap(entry.hex('root'), entry.number('bits'), entry.hex('path'), decode(MapProof, entry.hex('hex')))
  }),
]

// --- indexes

/** Which keys the items of a list in the file carry: `keys` of each entry, each once. */
export const keysIn = (entries: readonly Entry[], keysOf: (entry: Entry) => readonly Bytes[]) => {
  const carried = new Map(entries.map((entry) => [entry.text('item'), distinct(keysOf(entry))]))
  return (item: Bytes): Bytes[] => {
    const keys = carried.get(toHex(item))
    if (keys === undefined) throw new TreeError('item', 'an item of the file', toHex(item))
    return keys
  }
}
export const distinct = (keys: readonly Bytes[]): Bytes[] => [...new Set(keys.map(toHex))].sort().map((key) => fromHex(key))

/** A surface with these items, made as a member's execution makes it. */
export const surfaceOf = <T>(spec: SurfaceSpec<T>, list: readonly Bytes[]): SurfaceState =>
  appendItems({ frontier: frontier.emptyFrontier, by: spec.by.map(() => map.emptyMap) }, spec, 0, list, [])

const keysOfItem = keysIn(allAt('indexes.items'), (entry) => entry.hexes('keys'))
const indexed = (): Bytes[] => allAt('indexes.items').map((entry) => entry.hex('item'))
const ITEM: Codec<Bytes> = fixed(24)
const SPEC: SurfaceSpec<Bytes> = { name: 'indexed', kind: 'vec', item: ITEM, by: [{ name: 'key', keys: keysOfItem }] }
const surface = () => surfaceOf(SPEC, indexed())

const chainOf = (path: Bytes): Entry | undefined => allAt('indexes.chains').find((each) => equal(each.hex('path'), path))

const expectChain = (entry: Entry): void => {
  const path = pathOf(entry.hex('key'))
  demandHex(path, entry.hex('path'), 'path')
  const positions = entry.list('positions').map(Number)
  const links: Bytes[] = [ZEROS]
  for (const position of positions) {
    links.push(linkNext(links.at(-1) as Bytes, BigInt(position), hashLeaf(indexed()[position] as Bytes)))
  }
  demandShown(links, entry.json('links'))
  const tip = { count: BigInt(positions.length), link: links.at(-1) as Bytes }
  demandHex(encode(Tip, tip), entry.hex('tip'), 'tip')
  const held = map.get(surface().by[0] as MapTree<{ readonly count: bigint; readonly link: Bytes }>, path)
  demandHex(encode(Tip, { count: held?.data.count ?? 0n, link: held?.data.link ?? ZEROS }), entry.hex('tip'), 'tip of the surface')
}

/** `upto` with the links of the runs that it continues; an `upto` that no run of the reader's backs gets a link of zeros. */
const uptoOf = (entry: Entry): Tips => {
  const continued = entry.entries('continued')
  const linkAt = (path: Bytes): Bytes => continued.find((each) => equal(each.hex('path'), path))?.hex('link') ?? ZEROS
  return new Map(decodeTailQuery(entry.hex('query')).upto.map(({ path, count }) => [toHex(path), { count, link: linkAt(path) }]))
}

const tail = (entry: Entry, more: { readonly have?: Tips; readonly max?: number } = {}): void => {
  const { bits, path } = decodeTailQuery(entry.hex('query'))
  const answer = decodeTailAnswer(entry.hex('answer'))
  const question = {
    root: hexAt('indexes.root'),
    surfaceSize: BigInt(indexed().length),
    bits,
    path,
    answer,
    keysOf: keysOfItem,
    upto: uptoOf(entry),
  }
  verifyTail({ ...question, ...more })
}

/** What a reader who holds `have` knows: the link at that count. A count that the index does not have yet is no such reader's. */
const haveOf = (entry: Entry): Tips =>
  new Map(
    decodeTailQuery(entry.hex('query')).have.flatMap(({ path, count }) => {
      const link = chainOf(path)?.hexes('links')[Number(count)]
      return link === undefined ? [] : [[toHex(path), { count, link }] as const]
    }),
  )

/** The index as a server reads it. */
const view = (): View => {
  const by = surface().by[0] as MapTree<{ readonly key: Bytes; readonly count: bigint; readonly link: Bytes }>
  const unused = () => Promise.reject(new Error('not asked for by a tail'))
  return {
    header: null as never,
    item: unused,
    range: unused,
    ancestor: unused,
    items: async function* (_, from, to) {
      yield* indexed().slice(Number(from), Number(to))
    },
    bucket: (_, __, bits, path) => ({
      proof: map.prove(by, bits, path),
      keys: map.leavesUnder(by, bits, path, 1_024).map((leaf) => ({ ...leaf.data, path: leaf.path })),
    }),
    entry: async (_, __, path, k) => {
      const chain = chainOf(path)
      const [position, before] = [chain?.list('positions')[Number(k)], chain?.hexes('links')[Number(k)]]
      if (position === undefined || before === undefined) throw new Error(`no entry ${k}`)
      return { position: BigInt(String(position)), before }
    },
  }
}

const expectTail = async (entry: Entry): Promise<void> => {
  const query = decodeTailQuery(entry.hex('query'))
  const answer = decodeTailAnswer(entry.hex('answer'))
  demandHex(encodeTailQuery(query), entry.hex('query'), 'query')
  demandHex(encodeTailAnswer(answer), entry.hex('answer'), 'answer')
  if (entry.has('queryValue')) demandShown(query, entry.json('queryValue'))
  if (entry.has('answerValue')) demandShown(answer, entry.json('answerValue'))
  tail(entry)
  // A reader who says what it has, and how much it wants, holds an honest server to both.
  tail(entry, { have: haveOf(entry), max: query.max })
  demandHex(encodeTailAnswer(await answerTail(view(), query, 1_000_000)), entry.hex('answer'), 'answered')
}

const INDEXES: readonly Part[] = [
  accepts('indexes.items', 'carries its keys, each once', (entry) => {
    const keys = keysOfItem(entry.hex('item'))
    demandShown(keys, distinct(entry.hexes('keys')).map(toHex))
  }),
  accepts('indexes.tree', 'is the root of the items', (entry) => {
    demandHex(frontier.rootOf(surface().frontier), entry.hex('value'), 'root')
  }),
  accepts('indexes.root', 'is the root of the index', (entry) => {
    demandHex(map.rootOf(surface().by[0] as MapTree<unknown>), entry.hex('value'), 'root')
  }),
  accepts('indexes.chains', 'TAL-07 has its links and its tip', expectChain),
  accepts('indexes.tails', 'TAL-07 is complete, and is what our server answers', expectTail),
  refuses('indexes.refused', 'TAL-07 leaves something out, or adds something', tail),
]

export const PROOFS: readonly Part[] = [...TREES, ...MAPS, ...INDEXES]
