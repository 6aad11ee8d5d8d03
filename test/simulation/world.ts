import { ZEROS } from '../../client/groups/roster.ts'
import type { Link, Signatures, Simplex, SimplexOptions, Vote } from '../../client/groups/simplex/index.ts'
import { type Bytes, toHex, u32le, u64le, utf8 } from '../../client/primitives/bytes.ts'
import { hash } from '../../wasm/core.ts'
import type { Clock } from './clock.ts'
import type { Network } from './network.ts'
import type { Observer } from './observer.ts'
import type { Trace } from './trace.ts'

/** The core that a run is made with: the real one, or a mutant of it. */
export type Core = new (options: SimplexOptions) => Simplex

/** What members tell each other; of `/coalition/commit/1` what finality needs. A block carries its leader's propose vote. */
export type Message =
  | { readonly kind: 'votes'; readonly votes: readonly Vote[] }
  | { readonly kind: 'block'; readonly link: Link; readonly vote: Vote }
  | { readonly kind: 'status'; readonly height: number; readonly ask: boolean }
  | { readonly kind: 'fetch'; readonly from: number }
  /** Final blocks in a row, and the finalize votes on the last. */
  | { readonly kind: 'final'; readonly from: number; readonly links: readonly Link[]; readonly votes: Signatures }
  | { readonly kind: 'want'; readonly hash: Bytes }

/** How a host keeps its promises. */
export interface Habits {
  /** The mutant: votes leave, and work goes on, before the disk has what they promise. */
  readonly early: boolean
  /** The slowest sync of its disk, in milliseconds. */
  readonly syncMs: number
}

/** What everything in a run shares. */
export interface World {
  readonly n: number
  readonly quorum: number
  readonly clock: Clock
  /** Numbers of 0 … 1 from the seed. */
  readonly draw: () => number
  readonly network: Network<Message>
  readonly observer: Observer
  readonly trace: Trace
  readonly Core: Core
}

export const ROOT: Link = { hash: hash(utf8('simulated genesis')), view: 0n, parent: ZEROS, parentView: -1n }
export const PATIENCE = { viewMs: 400, shortMs: 100 } as const

/** A block as finality sees it; `nonce` stands for what is in it. */
export const makeLink = (view: bigint, parent: Link, member: number, nonce: number): Link => ({
  hash: hash(utf8('simulated block'), u64le(view), parent.hash, u32le(member), u32le(nonce)),
  view,
  parent: parent.hash,
  parentView: parent.view,
})

/** Nobody in a run makes a vote of a member that it does not act for, so the bytes of signatures carry nothing. */
export const signatureOf = (member: number): Bytes => Uint8Array.of(member)

/** A number of `least` … `most`, small ones far more often, as latencies are. */
export const skewed = (draw: () => number, least: number, most: number): number => least + (most - least) * draw() ** 4
export const whole = (draw: () => number, below: number): number => Math.floor(draw() * below)

const names = new WeakMap<Bytes, string>()
/** A hash in hex, computed once for each array. */
export const nameOf = (bytes: Bytes): string => {
  const known = names.get(bytes)
  if (known !== undefined) return known
  const name = toHex(bytes)
  names.set(bytes, name)
  return name
}
