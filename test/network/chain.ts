import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { type Certificate, commitHash, type Header, type Seal, voteMessage } from '../../client/groups/block.ts'
import { genesisOf } from '../../client/groups/genesis.ts'
import type { SurfaceSpec } from '../../client/groups/machine.ts'
import { type Member, type Roster, rosterId, ZEROS } from '../../client/groups/roster.ts'
import type { Source, View } from '../../client/groups/source.ts'
import { type Bytes, toHex, utf8 } from '../../client/primitives/bytes.ts'
import { type Codec, encode } from '../../client/primitives/codec.ts'
import { type GroupId, UNIVERSE } from '../../client/primitives/id.ts'
import {
  type Frontier,
  frontier,
  linkNext,
  type MapTree,
  map,
  pathOf,
  proveItem,
  proveRange,
  Tip,
  valueHash,
} from '../../client/proofs/index.ts'
import { hash, hashLeaf, hashLeaves } from '../../wasm/core.ts'
import { blobOf, GROUP, HEARTBEAT, type Note, noteCodec, SPECS } from './notes.ts'

// A group's history, signed for real and kept whole, served as a Source. It shares the proofs with the library and nothing of its groups.

export interface Key {
  readonly secret: KeyObject
  readonly public: Bytes
}

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

export const keyOf = (name: string): Key => {
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8, hash(utf8(name))]), format: 'der', type: 'pkcs8' })
  const raw = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32)
  return { secret, public: new Uint8Array(raw) }
}

export interface Seat {
  readonly member: Member
  readonly vote: Key
}

export const seats = (n: number, epoch = 0): readonly Seat[] =>
  Array.from({ length: n }, (_, i) => {
    const vote = keyOf(`vote ${epoch} ${i}`)
    const settle = hash(utf8(`settle ${i}`)).slice(0, 20)
    return { vote, member: { peer: keyOf(`peer ${i}`).public, vote: vote.public, settle, operator: `operator ${i}` } }
  })

interface Held {
  readonly header: Header
  readonly by: readonly MapTree<TipData>[]
}

interface TipData {
  readonly key: Bytes
  readonly path: Bytes
  readonly count: bigint
  readonly link: Bytes
}

interface Epoch {
  readonly seats: readonly Seat[]
  readonly roster: Roster
  readonly id: Bytes
}

const nodeStore = () => {
  const nodes = new Map<string, Bytes>()
  return {
    keep: (level: number, index: bigint, node: Bytes) => void nodes.set(`${level}/${index}`, node),
    source: async (level: number, index: bigint) => {
      const node = nodes.get(`${level}/${index}`)
      if (node === undefined) throw new Error(`no node ${level}/${index}`)
      return node
    },
  }
}

/** What a history is of: the group, its one surface and the raw evidence of an item. */
export interface About<T> {
  readonly group: GroupId
  readonly specs: readonly SurfaceSpec<never>[]
  readonly item: Codec<T>
  readonly blob: (item: T) => Bytes
}

const NOTES: About<Note> = { group: GROUP, specs: SPECS, item: noteCodec, blob: ({ words }) => blobOf(words) }

export interface CommitOptions {
  /** Members that seal it, default the first quorum. */
  readonly signers?: readonly number[]
  /** The committee that follows: this block is the last of its epoch. */
  readonly next?: readonly Seat[]
  /** Its epoch, when it is not the one that follows. */
  readonly nextEpoch?: number
  readonly timeMs?: number
  /** A block without a seal of its own, final by a later one's. */
  readonly unsealed?: boolean
}

export class Chain<T = Note> {
  readonly headers: Header[] = []
  readonly seals: (Seal | null)[] = []
  readonly items: Bytes[] = []
  /** Size of the surface after each block. */
  readonly sizes: bigint[] = []
  readonly steps: { readonly certificate: Certificate; readonly roster: Roster }[] = []
  readonly blobs = new Map<string, Bytes>()
  readonly about: About<T>
  readonly #held: Held[] = []
  readonly #entries = new Map<string, { readonly position: bigint; readonly before: Bytes }>()
  readonly #listeners = new Set<(newest: bigint) => void>()
  readonly #logNodes = nodeStore()
  readonly #itemNodes = nodeStore()
  #log: Frontier
  #edge = frontier.emptyFrontier
  #by: readonly MapTree<TipData>[]
  #epoch: Epoch
  readonly roster: Roster
  timeMs: number
  /** Oldest block kept and oldest head that proofs are answered at. */
  oldest = 0n
  oldestHeld = 0n

  constructor(members: readonly Seat[], timeMs = 1_700_000_000_000 - 10 * HEARTBEAT, about: About<T> = NOTES as never) {
    this.timeMs = timeMs
    this.about = about
    this.#by = about.specs[0]?.by.map(() => map.emptyMap) ?? []
    this.#epoch = epochOf(about.group, 0, members, ZEROS)
    this.roster = this.#epoch.roster
    const genesis = genesisOf(about.specs, this.#epoch.id)
    this.#log = frontier.append(frontier.emptyFrontier, [hashLeaf(commitHash(genesis))], this.#logNodes.keep)
    this.headers.push(genesis)
    this.seals.push(null)
    this.sizes.push(0n)
    this.#held.push({ header: genesis, by: this.#by })
  }

  get head(): Header {
    return this.headers[this.headers.length - 1] as Header
  }

  get epoch(): Epoch {
    return this.#epoch
  }

  commit(items: readonly T[], options: CommitOptions = {}): Header {
    const parent = this.head
    this.timeMs = options.timeMs ?? this.timeMs + HEARTBEAT
    this.#append(items)
    const following =
      options.next && epochOf(this.about.group, options.nextEpoch ?? this.#epoch.roster.epoch + 1, options.next, commitHash(parent))
    const header: Header = {
      version: 1,
      roster: this.#epoch.id,
      next: following?.id ?? this.#epoch.id,
      view: this.#newEpoch(parent) ? 1n : parent.view + 1n,
      index: parent.index + 1n,
      prev: commitHash(parent),
      commands: hash(),
      log: frontier.rootOf(this.#log),
      surfaces: [
        { name: this.about.specs[0]?.name ?? '', kind: 0, size: this.#edge.size, root: frontier.rootOf(this.#edge), by: this.#indexes() },
      ],
      time_ms: BigInt(this.timeMs),
    }
    const seal = options.unsealed ? null : this.seal(header, options.signers)
    this.#log = frontier.append(this.#log, [hashLeaf(commitHash(header))], this.#logNodes.keep)
    this.headers.push(header)
    this.seals.push(seal)
    this.sizes.push(this.#edge.size)
    this.#held.push({ header, by: this.#by })
    if (following !== undefined && seal !== null) {
      this.steps.push({ certificate: { header, seal }, roster: following.roster })
      this.#epoch = following
    }
    this.notify()
    return header
  }

  /** More signatures on a block that stands: late finalize votes. */
  grow(index: bigint, signers: readonly number[]): void {
    this.seals[Number(index)] = this.seal(this.headers[Number(index)] as Header, signers)
    this.notify()
  }

  /** Tells the servers that there is news. */
  notify(): void {
    for (const listener of this.#listeners) listener(this.head.index)
  }

  /** A seal by those members of the epoch that `header` is of. */
  seal(header: Header, signers?: readonly number[], view = header.view): Seal {
    const { seats: members, id } = this.#epoch
    const n = members.length
    const quorum = Math.floor((n + Math.floor((n - 1) / 3)) / 2) + 1
    const chosen = signers ?? Array.from({ length: quorum }, (_, i) => i)
    const bitmap = new Uint8Array(Math.ceil(n / 8))
    for (const i of chosen) bitmap[i >> 3] = (bitmap[i >> 3] as number) | (1 << (i & 7))
    const message = voteMessage(id, view, 'finalize', commitHash(header))
    const signatures = chosen.map((i) => new Uint8Array(sign(null, message, (members[i] as Seat).vote.secret)))
    return { view, signers: bitmap, signatures }
  }

  #newEpoch(parent: Header): boolean {
    return toHex(parent.roster) !== toHex(this.#epoch.id)
  }

  #append(items: readonly T[]): void {
    for (const one of items) {
      const position = this.#edge.size
      const item = encode(this.about.item, one as never)
      this.items.push(item)
      const blob = this.about.blob(one)
      this.blobs.set(toHex(hash(blob)), blob)
      this.#edge = frontier.append(this.#edge, hashLeaves([item]), this.#itemNodes.keep)
      this.#by = this.#by.map((tree, by) => {
        const keys = (this.about.specs[0]?.by[by]?.keys(one as never) ?? []) as readonly Bytes[]
        return keys.reduce((grown, key) => this.#extend(grown, by, key, position, item), tree)
      })
    }
  }

  #extend(tree: MapTree<TipData>, by: number, key: Bytes, position: bigint, item: Bytes): MapTree<TipData> {
    const path = pathOf(key)
    const before = map.get(tree, path)?.data ?? { key, path, count: 0n, link: ZEROS }
    this.#entries.set(`${by} ${toHex(path)} ${before.count}`, { position, before: before.link })
    const tip = { key, path, count: before.count + 1n, link: linkNext(before.link, position, hashLeaf(item)) }
    return map.insert(tree, path, valueHash(encode(Tip, { count: tip.count, link: tip.link })), tip)
  }

  #indexes(): Header['surfaces'][number]['by'] {
    return this.#by.map((tree, i) => ({
      name: this.about.specs[0]?.by[i]?.name ?? '',
      keys: BigInt(map.size(tree)),
      root: map.rootOf(tree),
    }))
  }

  #view(index: bigint): View | null {
    const held = index < this.oldestHeld ? undefined : this.#held[Number(index)]
    if (held === undefined) return null
    const { header, by } = held
    const size = header.surfaces[0]?.size ?? 0n
    const items = this.items
    return {
      header,
      item: async (_, position) => ({
        item: items[Number(position)] as Bytes,
        proof: await proveItem(this.#itemNodes.source, size, position),
      }),
      range: (_, from, to) => proveRange(this.#itemNodes.source, size, from, to),
      items: async function* (_, from, to) {
        for (let i = from; i < to; i++) yield items[Number(i)] as Bytes
      },
      bucket: (_, i, bits, path) => {
        const tree = by[i] as MapTree<TipData>
        return { proof: map.prove(tree, bits, path), keys: map.leavesUnder(tree, bits, path, 1_024).map(({ data }) => data) }
      },
      entry: async (_, i, path, k) => {
        const entry = this.#entries.get(`${i} ${toHex(path)} ${k}`)
        if (entry === undefined) throw new Error(`no entry ${k}`)
        return entry
      },
      ancestor: async (i) => ({ header: this.headers[Number(i)] as Header, proof: await proveItem(this.#logNodes.source, index, i) }),
    }
  }

  source(): Source {
    const at = <T>(list: readonly T[], index: bigint): T | null => (index < this.oldest ? null : (list[Number(index)] ?? null))
    return {
      group: this.about.group,
      served: () => ({ oldest: this.oldest, newest: this.head.index, held: this.oldestHeld }),
      head: (strength) => {
        for (let i = this.headers.length - 1; i > 0; i--) {
          const seal = this.seals[i]
          if (seal && seal.signatures.length >= strength) return { header: this.headers[i] as Header, seal }
        }
        return null
      },
      steps: (fromEpoch, most) => this.steps.slice(fromEpoch, fromEpoch + most),
      roster: () => this.#epoch.roster,
      logProof: async (head, index) => (index >= head.index ? null : proveItem(this.#logNodes.source, head.index, index)),
      at: (index) => this.#view(index),
      header: async (index) => at(this.headers, index),
      seal: async (index) => at(this.seals, index),
      commands: async (index) => (at(this.headers, index) === null ? null : []),
      appended: async (index) =>
        index <= 0n || at(this.headers, index) === null
          ? null
          : [this.items.slice(Number(this.sizes[Number(index) - 1]), Number(this.sizes[Number(index)]))],
      blob: async (wanted) => this.blobs.get(toHex(wanted)) ?? null,
      onCommit: (listener) => {
        const own = (newest: bigint): void => listener(newest)
        this.#listeners.add(own)
        return () => this.#listeners.delete(own)
      },
    }
  }

  get listeners(): number {
    return this.#listeners.size
  }
}

const epochOf = (group: GroupId, epoch: number, members: readonly Seat[], after: Bytes): Epoch => {
  const roster = { epoch, members: members.map(({ member }) => member) }
  return { seats: members, roster, id: rosterId(UNIVERSE, group, after, roster) }
}
