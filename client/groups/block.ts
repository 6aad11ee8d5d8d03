import { hash } from '../../wasm/core.ts'
import { type Bytes, concat, u64le, utf8 } from '../primitives/bytes.ts'
import { bytes, encode, fixed, kept, type Of, option, struct, text, u8, u32, u64, variant, vector } from '../primitives/codec.ts'
import type { GroupId, UniqueId } from '../primitives/id.ts'

// docs/wire.md section 3, field for field.

export const authorCodec = struct('Author', { peer: fixed(32), signature: fixed(64) })
export const bodyCodec = variant('Body', { machine: [0, bytes(1_000_000)] })
/** Encoded for the pool, the links, the block's root, the vote record and the archive: so its encoding is kept. */
export const commandCodec = kept(struct('Command', { id: fixed(16), until: u64, author: option(authorCodec), body: bodyCodec }))
export type Command = Of<typeof commandCodec>

export const indexCodec = struct('Index', { name: text(32), keys: u64, root: fixed(32) })
export const surfaceCodec = struct('Surface', { name: text(32), kind: u8, size: u64, root: fixed(32), by: vector(indexCodec, 2) })
export const headerCodec = struct('Header', {
  version: u8,
  roster: fixed(32),
  next: fixed(32),
  view: u64,
  index: u64,
  prev: fixed(32),
  commands: fixed(32),
  log: fixed(32),
  surfaces: vector(surfaceCodec, 4),
  time_ms: u64,
})
export type Surface = Of<typeof surfaceCodec>
export type Header = Of<typeof headerCodec>

/** Most commands of a block, its encoded size, and the size and number of what it appends (PROTOCOL.md section 1). */
export const BLOCK_LIMITS = { commands: 4_096, bytes: 1_048_576, appended: 512_000, items: 65_535 } as const
/** How far ahead of its block a command's `until` may lie, and how long its id is remembered. */
export const COMMAND_WINDOW = 1_024n

export const blockCodec = struct('Block', { header: headerCodec, commands: vector(commandCodec, BLOCK_LIMITS.commands) })
export type Block = Of<typeof blockCodec>

/** Finalize votes of `view` on one header; `signers` bit i of byte ⌊i/8⌋, least significant first, stands for member i. */
export const sealCodec = struct('Seal', { view: u64, signers: bytes(8), signatures: vector(fixed(64), 64, 1) })
export const certificateCodec = struct('Certificate', { header: headerCodec, seal: sealCodec })
export type Seal = Of<typeof sealCodec>
export type Certificate = Of<typeof certificateCodec>

export const questionCodec = struct('Question', { kind: u8, subject: bytes(256) })
export const observationCodec = struct('Observation', {
  roster_id: fixed(32),
  question: questionCodec,
  round: u32,
  until: u64,
  value: bytes(1_024),
})
export type Observation = Of<typeof observationCodec>

const COMMIT_TAG = utf8('coalition commit v1|')
const VOTE_TAG = utf8('coalition vote v1|')
const COMMAND_TAG = utf8('coalition command v1|')
const OBSERVATION_TAG = utf8('coalition observation v1|')

/** commit_hash: the name of a block, and the leaf that stands for it in every later header's log. */
export const commitHash = (header: Header): Bytes => hash(concat(COMMIT_TAG, encode(headerCodec, header)))

/** The four things a member can say of a view; nullify carries 32 zeros (docs/wire.md section 3). */
export const VOTE = { propose: 1, notarize: 2, nullify: 3, finalize: 4 } as const
export type VoteKind = keyof typeof VOTE

/** The bytes under a vote. The roster id binds network, group and epoch, so a signature fits one committee only. */
export const voteMessage = (roster: Bytes, view: bigint, kind: VoteKind, commit: Bytes): Bytes =>
  concat(VOTE_TAG, roster, u64le(view), Uint8Array.of(VOTE[kind]), commit)

/** The bytes under a command's author signature. */
export const commandMessage = (network: UniqueId, group: GroupId, command: Command): Bytes =>
  concat(COMMAND_TAG, network, group, command.id, u64le(command.until), encode(bodyCodec, command.body))

/** The bytes under a member's statement about the world outside. */
export const observationMessage = (observation: Observation): Bytes => concat(OBSERVATION_TAG, encode(observationCodec, observation))
