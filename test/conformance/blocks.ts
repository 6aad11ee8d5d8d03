// docs/wire.md, section 3: commands, headers, blocks, votes, certificates, observations.

import { bytes, encode, fixed, list, type Of, option, Refused, struct, text, u8, u32, u64, variant } from './bcs.ts'
import { type Roster, type Scope, strength } from './committee.ts'
import { verify } from './ed25519.ts'
import { at, type Bytes, bit, H, join, same, u64le, ZERO32 } from './hash.ts'
import { EMPTY_TREE, treeRoot } from './tree.ts'

/** 1, 2 and 3 are kept for reconfigure, succeed, adopt. */
export const Body = variant({ machine: [0, bytes(1_000_000)] }, [1, 2, 3])
export type Body = Of<typeof Body>

export const Author = struct({ peer: fixed(32), signature: fixed(64) })
export const Command = struct({ id: fixed(16), until: u64, author: option(Author), body: Body })
export type Command = Of<typeof Command>

export const Index = struct({ name: text(32), keys: u64, root: fixed(32) })
export const Surface = struct({ name: text(32), kind: u8, size: u64, root: fixed(32), by: list(Index, 2) })
export type Surface = Of<typeof Surface>

export const Header = struct({
  version: u8,
  roster: fixed(32),
  next: fixed(32),
  view: u64,
  index: u64,
  prev: fixed(32),
  commands: fixed(32),
  log: fixed(32),
  surfaces: list(Surface, 4),
  time_ms: u64,
})
export type Header = Of<typeof Header>

export const Block = struct({ header: Header, commands: list(Command, 4_096) })
export type Block = Of<typeof Block>

export const Seal = struct({ view: u64, signers: bytes(8), signatures: list(fixed(64), 64, 1) })
export type Seal = Of<typeof Seal>

export const Certificate = struct({ header: Header, seal: Seal })
export type Certificate = Of<typeof Certificate>

export const Question = struct({ kind: u8, subject: bytes(256) })
export type Question = Of<typeof Question>

export const Observation = struct({ roster_id: fixed(32), question: Question, round: u32, until: u64, value: bytes(1_024) })
export type Observation = Of<typeof Observation>

export const KINDS = { vec: 0, map: 1, set: 2, cell: 3, once: 4, stream: 5 } as const

export const commitHash = (header: Header): Bytes => H('coalition commit v1|', encode(Header, header))

export const commandMessage = (scope: Scope, command: Pick<Command, 'id' | 'until' | 'body'>): Bytes =>
  join('coalition command v1|', scope.network, scope.group, command.id, u64le(command.until), encode(Body, command.body))

export const observationMessage = (claim: Observation): Bytes => join('coalition observation v1|', encode(Observation, claim))

/** The tree over the encoded commands: an item is canonical(Command). */
export const commandsRoot = (commands: Command[]): Bytes => treeRoot(commands.map((command) => encode(Command, command)))

export const takes = (index: bigint, until: bigint): boolean => index <= until && until <= index + 1_024n

/** What a machine declares of a surface, from which the genesis header is computed. */
export interface Declared {
  name: string
  kind: number
  by: string[]
}

export const isTree = (kind: number): boolean => kind === KINDS.vec || kind === KINDS.stream

export const emptySurface = (declared: Declared): Surface => ({
  name: declared.name,
  kind: declared.kind,
  size: 0n,
  root: isTree(declared.kind) ? EMPTY_TREE : ZERO32,
  by: declared.by.map((name) => ({ name, keys: 0n, root: ZERO32 })),
})

export const genesis = (roster: Bytes, surfaces: Declared[]): Header => ({
  version: 1,
  roster,
  next: roster,
  view: 0n,
  index: 0n,
  prev: ZERO32,
  commands: EMPTY_TREE,
  log: EMPTY_TREE,
  surfaces: surfaces.map(emptySurface),
  time_ms: 0n,
})

// --- votes

export const VOTES = { propose: 1, notarize: 2, nullify: 3, finalize: 4 } as const
export type VoteKind = keyof typeof VOTES

export const voteMessage = (roster: Bytes, view: bigint, kind: VoteKind, hash: Bytes): Bytes =>
  join('coalition vote v1|', roster, u64le(view), Uint8Array.of(VOTES[kind]), kind === 'nullify' ? ZERO32 : hash)

// --- certificates

export interface Committee {
  roster: Roster
  id: Bytes
}

/** What the page fixes for every header; the rest of a header is checked against its parent or its surfaces. */
export function checkHeader(header: Header): void {
  if (header.version !== 1) throw new Refused('version', `${header.version}`)
  for (const surface of header.surfaces) if (surface.kind > 5) throw new Refused('surface-kind', `${surface.kind}`)
}

/**
 * "an id that took effect in blocks i − 1,024 … i − 1, or earlier in this block": `before` holds the index of each block (this one
 * among them) in which a command of this id took effect.
 */
export const repeats = (index: bigint, before: bigint[]): boolean => before.some((each) => each >= index - 1_024n && each <= index)

/** Every listed signature has to verify, also those above the strength. Genesis has no certificate: it is computed. */
export function checkCertificate(certificate: Certificate, committee: Committee, withstand: number | null): void {
  const { header, seal } = certificate
  const { members } = committee.roster
  const n = members.length
  checkHeader(header)
  if (!same(header.roster, committee.id)) throw new Refused('roster', 'the header names another roster')
  if (header.index === 0n) throw new Refused('genesis', 'genesis has no certificate')
  if (seal.view < header.view) throw new Refused('view', 'sealed in a view before the one it was proposed in')
  if (seal.signers.length !== Math.ceil(n / 8)) throw new Refused('bitmap-length', `${seal.signers.length} bytes for ${n} members`)
  const signers: number[] = []
  for (let i = 0; i < 8 * seal.signers.length; i++) {
    if (!bit(seal.signers, i)) continue
    if (i >= n) throw new Refused('bitmap-extra', `bit ${i} of ${n} members`)
    signers.push(i)
  }
  if (signers.length !== seal.signatures.length)
    throw new Refused('signature-count', `${seal.signatures.length} for ${signers.length} bits`)
  if (signers.length < strength(n, withstand)) throw new Refused('strength', `${signers.length} of ${strength(n, withstand)}`)
  const message = voteMessage(committee.id, seal.view, 'finalize', commitHash(header))
  for (const [place, member] of signers.entries()) {
    if (!verify(at(members, member).vote, message, at(seal.signatures, place))) throw new Refused('signature', `member ${member}`)
  }
}

export function checkAuthor(scope: Scope, command: Command): void {
  if (command.author === null) return
  const { peer, signature } = command.author
  if (!verify(peer, commandMessage(scope, command), signature)) throw new Refused('author', 'signature')
}

/** What can be said of a block alone: the form of its header, the root over its commands, their authors, its size. */
export function checkBlock(scope: Scope, block: Block): void {
  checkHeader(block.header)
  if (encode(Block, block).length > 1_048_576) throw new Refused('block-size', 'over 1 MiB')
  if (!same(commandsRoot(block.commands), block.header.commands)) throw new Refused('commands-root', 'another root')
  for (const command of block.commands) checkAuthor(scope, command)
}

/** `log`: the tree over the commit hashes of all blocks before. */
export function checkLog(before: Header[], header: Header): void {
  if (!same(treeRoot(before.map(commitHash)), header.log)) throw new Refused('log', 'another log')
}

/** A header after the one before it, as far as the two say it: places, rosters, views, clock. `log` and the surfaces need what stands under them. */
export function checkNext(parent: Header, header: Header): void {
  if (header.index !== parent.index + 1n) throw new Refused('index', `${header.index} after ${parent.index}`)
  if (!same(header.prev, commitHash(parent))) throw new Refused('prev', 'another parent')
  if (!same(header.roster, parent.next)) throw new Refused('roster', 'not the roster that the parent names as next')
  if (header.view <= parent.view) throw new Refused('view', `${header.view} after ${parent.view}`)
  if (header.time_ms < parent.time_ms) throw new Refused('time', `${header.time_ms} after ${parent.time_ms}`)
}
