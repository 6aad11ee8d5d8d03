import { thresholds, ZEROS } from '../../client/groups/roster.ts'
import { type Effect, type Link, Simplex, type Vote } from '../../client/groups/simplex/index.ts'
import { type Bytes, toHex, u32le, u64le, utf8 } from '../../client/primitives/bytes.ts'
import { hash } from '../../wasm/core.ts'
import { random } from '../random.ts'

type Message = { readonly to: number; readonly vote: Vote } | { readonly to: number; readonly block: Link }

export interface Run {
  readonly seed: number
  readonly n: number
  /** Finalized hashes by height, as each member saw them. */
  readonly logs: readonly (readonly string[])[]
  readonly steps: number
}

const ROOT: Link = { hash: hash(utf8('simulated genesis')), view: 0n, parent: ZEROS, parentView: -1n }

/**
 * Runs n members over a network that delays, reorders and loses messages until every one of them finalized `blocks` blocks.
 * Lost votes come again when a view times out, as a host that resends does.
 */
export const simulate = (n: number, seed: number, blocks: number, loss: number): Run => {
  const draw = random(seed)
  const held: Map<string, Link>[] = []
  const logs: string[][] = []
  const sent: Message[] = []
  const queue: Message[] = []
  const members: Simplex[] = []

  const broadcast = (message: (to: number) => Message, from: number): void => {
    for (let to = 0; to < n; to++)
      if (to !== from) {
        queue.push(message(to))
        sent.push(message(to))
      }
  }
  const build = (member: number, effect: Extract<Effect, { kind: 'propose' }>): void => {
    if ((logs[member]?.length ?? 0) >= blocks) return
    const link = {
      hash: blockHash(effect.view, effect.parent.hash, member),
      view: effect.view,
      parent: effect.parent.hash,
      parentView: effect.parent.view,
    }
    held[member]?.set(toHex(link.hash), link)
    broadcast((to) => ({ to, block: link }), member)
    members[member]?.offer(link)
  }
  const drain = (member: number): void => {
    const core = members[member] as Simplex
    for (let effects = core.take(); effects.length > 0; effects = core.take())
      for (const effect of effects) {
        if (effect.kind === 'vote' && effect.vote.kind !== 'propose') broadcast((to) => ({ to, vote: effect.vote }), member)
        if (effect.kind === 'propose') build(member, effect)
        if (effect.kind === 'enter') for (const link of held[member]?.values() ?? []) if (link.view === effect.view) core.offer(link)
        if (effect.kind === 'final') logs[member]?.push(...chain(held[member] ?? new Map(), effect.link, logs[member] ?? []))
      }
  }
  for (let member = 0; member < n; member++) {
    held.push(new Map())
    logs.push([])
    const sign = (view: bigint, kind: string, commit: Bytes): Bytes => hash(utf8(`${member} ${kind}`), u64le(view), commit)
    members.push(new Simplex({ n, quorum: thresholds(n).quorum, member, root: ROOT, patience: { viewMs: 400, shortMs: 100 }, sign }))
  }
  members.forEach((core, member) => {
    core.start()
    drain(member)
  })

  let steps = 0
  for (; steps < 200_000 && logs.some((log) => log.length < blocks); steps++) {
    if (queue.length === 0 || draw() < 0.0005) {
      // Nothing under way, or a clock ran out: everybody's view times out and what was sent before is sent again.
      members.forEach((core, member) => {
        core.timeout(core.view)
        drain(member)
      })
      const [slowest = 0n] = members.map(({ root }) => root.view).sort((a, b) => Number(a - b))
      queue.push(...sent.filter((message) => ('vote' in message ? message.vote.view : message.block.view) >= slowest))
      continue
    }
    const [message] = queue.splice(Math.floor(draw() * queue.length), 1)
    if (message === undefined || draw() < loss) continue
    const core = members[message.to] as Simplex
    if ('vote' in message) core.vote(message.vote)
    else if (message.block.parent === ROOT.hash || held[message.to]?.has(toHex(message.block.parent))) {
      // As in the engine: a block is executed on its parent, so whoever holds it holds all of its ancestors.
      held[message.to]?.set(toHex(message.block.hash), message.block)
      if (message.block.view === core.view) core.offer(message.block)
      else core.hold(message.block)
    }
    drain(message.to)
  }
  return { seed, n, logs, steps }
}

const blockHash = (view: bigint, parent: Bytes, member: number): Bytes => hash(utf8('block'), u64le(view), parent, u32le(member))

/** The blocks that became final with `link`, oldest first. */
const chain = (held: ReadonlyMap<string, Link>, link: Link, known: readonly string[]): readonly string[] => {
  const found: string[] = []
  const last = known.at(-1) ?? toHex(ROOT.hash)
  for (let at: Link | undefined = link; at !== undefined && toHex(at.hash) !== last && at.view > 0n; at = held.get(toHex(at.parent)))
    found.unshift(toHex(at.hash))
  return found
}

/** The first height at which two members finalized different blocks, or null. */
export const forkOf = ({ logs }: Run): number | null => {
  const height = Math.max(...logs.map((log) => log.length))
  for (let i = 0; i < height; i++) if (new Set(logs.map((log) => log[i]).filter((name) => name !== undefined)).size > 1) return i
  return null
}
