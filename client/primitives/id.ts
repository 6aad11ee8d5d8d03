import { CoalitionError } from '../error.ts'
import { type Bytes, copy, fromHex, toHex } from './bytes.ts'
import { digest } from './digest.ts'

declare const kind: unique symbol

/** Bytes that name one kind of thing. The kind lives in the type only, so an id is cloned and compared as plain bytes. */
export type Id<K extends string = string> = Bytes & { readonly [kind]: K }

/** 32 bytes without a narrower meaning: networks, organism roots, ticket classes. */
export type UniqueId = Id<'UniqueId'>
/** Names a citizen for life; moves on retirement only. */
export type StableId = Id<'StableId'>
/** Names one configuration of a citizen; moves on every rotation. Never accepted for a StableId (VOC-08). */
export type ContentHash = Id<'ContentHash'>
/** Names one organism's config inside a lattice: its committee and its surfaces derive from it. */
export type ConfigId = Id<'ConfigId'>
/** A committee: what PROTOCOL.md calls `group`. */
export type GroupId = Id<'GroupId'>
/** One public surface of a component. */
export type SurfaceId = Id<'SurfaceId'>
/** The first 20 bytes of a stable id: the key of per-citizen commits. */
export type CitizenId = Id<'CitizenId'>
/** CONFLUENCE of IDENTITY.md: free of every coalition that refers to it. */
export type ConfluenceId = Id<'ConfluenceId'>
/** What a module is called on the wire: derived from the coalition's ROOT. */
export type ModuleId = Id<'ModuleId'>
/** All that a committee or a surface may derive from. A coalition's root is not among them. */
export type ComponentId = ConfigId | ContentHash | ConfluenceId | ModuleId

/**
 * Names bytes as an id of kind K after checking their length.
 * The one place where a brand is made from outside data: everything else gets its ids from a formula.
 * @throws LengthError
 */
export const asId = <K extends string>(bytes: Uint8Array, length = 32): Id<K> => {
  if (!(bytes instanceof Uint8Array) || bytes.length !== length) throw new LengthError(bytes?.length ?? 0, length)
  return bytes as Id<K>
}

const HEX_ID = /^[0-9a-f]{64}$/i

/** A UniqueId from text: exactly 64 hex digits, of either case, are decoded; anything else is hashed (IDENTITY.md, UniqueId). */
export const id = (text: string): UniqueId => asId(HEX_ID.test(text) ? fromHex(text) : digest(text))

/**
 * H(parent ‖ x). One level of derivation; x is text or bytes of any length and is never decoded from hex.
 * No separator: derive(p, 'ab') is another id than derive(derive(p, 'a'), 'b').
 */
export const derive = (parent: Id, x: string | Bytes): UniqueId => asId(digest(parent, x))

/** The one network on which everything lives (VOC-07, IDN-01). An isolated federation names another; no default ever does. */
export const UNIVERSE: UniqueId = /* @__PURE__ */ id('mosaik.universe')

/** 64 lowercase hex digits. */
export const toText = (value: Id): string => toHex(value)

/** The first 5 bytes as 10 digits: for people to recognise, never to compare. */
export const short = (value: Id): string => toHex(value.subarray(0, 5))

/** Key of every per-citizen commit (IDN-31). Evidence carries the 32 bytes: compare those, 20 can be ground for. */
export const citizenId = (stable: StableId): CitizenId => asId(copy(stable.subarray(0, 20)), 20)

/** The committee that keeps a component's log. */
export const committeeOf = (component: ComponentId): GroupId => asId(derive(component, 'committee'))

/** A component's public surface by its name. */
export const surfaceOf = (component: ComponentId, name: string): SurfaceId => asId(derive(component, checkName(name)))

/** Longest name, in bytes of UTF-8. */
export const NAME_BYTES = 64

/**
 * The name grammar of IDENTITY.md: 1–64 bytes of NFC UTF-8 without `|` and without characters below U+0020.
 * A `|` in a name would let two configs spell one preimage; two normal forms of one word would look alike and name two things.
 * @throws NameError with the byte offset of the first character that breaks it
 */
export const checkName = (name: string): string => {
  if (typeof name !== 'string') throw new NameError('', 0, 'is not text')
  if (name === '') throw new NameError(name, 0, 'is empty')
  const normal = [...name.normalize('NFC')]
  let offset = 0
  let place = 0
  for (const character of name) {
    const problem = characterProblem(character, normal[place++])
    if (problem !== null) throw new NameError(name, offset, problem)
    offset += utf8Length(character)
    if (offset > NAME_BYTES) throw new NameError(name, NAME_BYTES, `is longer than ${NAME_BYTES} bytes`)
  }
  return name
}

const characterProblem = (character: string, normal: string | undefined): string | null => {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return 'has a control character'
  if (character === '|') return 'has a |'
  // Iteration joins surrogate pairs, so what is left of the range stands alone and has no UTF-8 form.
  if (code >= 0xd800 && code <= 0xdfff) return 'has a lone surrogate'
  return character === normal ? null : 'is not in normal form C'
}

const utf8Length = (character: string): number => {
  const code = character.codePointAt(0) ?? 0
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4
}

/** A name outside the grammar. `offset` counts bytes of UTF-8. */
export class NameError extends CoalitionError {
  declare readonly text: string
  declare readonly offset: number
  declare readonly problem: string

  constructor(text: string, offset: number, problem: string) {
    // A hostile config may carry a name of megabytes; its head is enough to find it.
    const head = text.slice(0, NAME_BYTES)
    super('Identity.NameError', `the name ${JSON.stringify(head)} ${problem} (byte ${offset})`, { text: head, offset, problem })
  }
}

/** Bytes of another length than the id they are given for. */
export class LengthError extends CoalitionError {
  declare readonly length: number
  declare readonly expected: number

  constructor(length: number, expected: number) {
    super('Identity.LengthError', `an id of this kind has ${expected} bytes, these are ${length}`, { length, expected })
  }
}
