import { base58 } from '@scure/base'
import type { Handle } from '../../client/network/handle.ts'
import { frame } from '../../client/network/light/frame.ts'
import { type Response, responseCodec } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import type { ConnectOptions, Network, OpenOptions } from '../../client/network/network.ts'
import { createNetwork } from '../../client/network/open.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import type { Verdict } from '../../client/verify/verdict.ts'
import { Chain, keyOf, type Seat, seats } from './chain.ts'
import { HEARTBEAT, type NoteDatum, notes } from './notes.ts'
import { type Place, World } from './world.ts'

/** A multiaddr as an operator publishes it: the link key stands in it. */
export const addressOf = (name: string): string => {
  const id = Uint8Array.from([0, 36, 8, 1, 18, 32, ...keyOf(name).public])
  return `/ip4/127.0.0.1/tcp/${4_000 + name.length}/ws/p2p/${base58.encode(id)}`
}

export const addresses = (n: number): readonly string[] => Array.from({ length: n }, (_, i) => addressOf(`peer ${i}`))

/** Serves a chain at a member's address, with the server's own clock. */
export const serve = (world: World, chain: Chain, name = 'peer 0', clockOffsetMs = 0): Place => {
  const host = world.host({ clockOffsetMs })
  return world.serve(addressOf(name), { key: keyOf(name).public, handler: serveLight(() => [chain.source()], host) })
}

export interface Setup {
  readonly world: World
  readonly chain: Chain
  readonly places: readonly Place[]
  readonly network: Network
  readonly open: (options?: OpenOptions) => Promise<Handle<NoteDatum>>
  /** A heartbeat's commit, and the time it takes. */
  readonly beat: (count?: number) => Promise<void>
}

/** A committee of n with `served` of its members up, a history as `fill` writes it, and a network that knows all addresses. */
export const setup = (
  n: number,
  fill: (chain: Chain) => void,
  options: Partial<ConnectOptions> & { readonly served?: number; readonly clockOffsetMs?: number; readonly members?: readonly Seat[] } = {},
): Setup => {
  const { served = n, clockOffsetMs = 0, members = seats(n), ...connect } = options
  const world = new World()
  const chain = new Chain(members, world.now - 100 * HEARTBEAT)
  fill(chain)
  const places = Array.from({ length: served }, (_, i) => serve(world, chain, `peer ${i}`))
  const network = createNetwork(world.host({ clockOffsetMs }), [notes], { bootstrap: addresses(n), ...connect })
  const open = (open?: OpenOptions): Promise<Handle<NoteDatum>> =>
    world.run(network.open({ name: 'notes.all' }, { roster: chain.roster }, open) as Promise<Handle<NoteDatum>>)
  const beat = async (count = 1): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await world.advance(HEARTBEAT)
      chain.commit([], { timeMs: world.now })
    }
    await world.settle()
  }
  return { world, chain, places, network, open, beat }
}

/** What refused an answer: the named check that failed, or the error that a decoder or frame gave. */
export const refusal = (error: unknown): string => {
  const { name, facts } = error as { readonly name: string; readonly facts?: { readonly verdict?: Verdict } }
  if (name !== 'Verify.EvidenceError' || facts?.verdict === undefined) return name
  const { integrity, authority, freshness } = facts.verdict
  const failed = [integrity, authority, freshness].flatMap(({ checks }) => checks).filter(({ state }) => state === 'failed')
  return failed.map((check) => check.name).join(' ')
}

/** The error that a promise rejects with. */
export const errorOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('nothing was refused')
    },
    (error: unknown) => error,
  )

/** A server that answers as it should and then changes its answer. Frames are one chunk each, as the server writes them. */
export const lying =
  (change: (response: Response) => Response) =>
  (chunk: Bytes): Bytes => {
    const head = chunk.findIndex((byte) => byte < 0x80) + 1
    return frame(encode(responseCodec, change(decode(responseCodec, chunk.subarray(head)))))
  }
