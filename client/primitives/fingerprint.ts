import { CoalitionError } from '../error.ts'
import type { Bytes } from './bytes.ts'
import { type Codec, encode } from './codec.ts'
import { digest } from './digest.ts'
import { asId, checkName, type Id } from './id.ts'
import * as read from './json.ts'

/** What a component does: moves when any parameter of its content does. */
export type ContentFingerprint = Id<'ContentFingerprint'>
/** Whom a component admits: measurements, tickets and the epoch-0 roster, for ever (IDENTITY.md, Fingerprints). */
export type AclFingerprint = Id<'AclFingerprint'>

/** Published parameters: the canonical bytes and the schema that reads them. Hashable by whoever lacks the codec. */
export interface ContentParams {
  readonly schema: string
  readonly canonical: Bytes
}
/** The published composition of ticket validators; same shape as ContentParams, other tag. */
export type AclComposition = ContentParams

/**
 * What a component folds into its id, as plain data in one of three forms: the fingerprint (32 bytes), the published
 * parameters, or the values themselves, which need the component's own Shape to be hashed.
 */
export interface Folded {
  readonly content: ContentFingerprint | ContentParams | object
  readonly acl: AclFingerprint | AclComposition | object
}

/** Both fingerprints of a component. */
export interface Fingerprints extends Folded {
  readonly content: ContentFingerprint
  readonly acl: AclFingerprint
}

/** A named encoding of content or ACL: the name is hashed, so two schemas never share a fingerprint. */
export interface Schema {
  readonly id: string
  readonly canonical: (value: unknown) => Bytes
  /** Reads the values from published JSON; without it the JSON must give a fingerprint or canonical bytes. */
  readonly parse?: (json: read.Json) => object
}

/** The two schemas of a component. */
export interface Shape {
  readonly content: Schema
  readonly acl: Schema
}

/** Binds a schema id to its codec, e.g. `schema('tally content@1', tallyContentCodec)`. */
export const schema = <T>(id: string, codec: Codec<T>, parse?: Schema['parse']): Schema => ({
  id: checkName(id),
  canonical: (value) => encode(codec, value as T),
  ...(parse && { parse }),
})

/** content_fingerprint = H("coalition content v1|" ‖ schema id ‖ "|" ‖ canonical(content)). */
export const contentFingerprint = (params: ContentParams): ContentFingerprint => asId(tagged('content', params))

/** acl_fingerprint = H("coalition acl v1|" ‖ schema id ‖ "|" ‖ canonical(acl)). */
export const aclFingerprint = (acl: AclComposition): AclFingerprint => asId(tagged('acl', acl))

// The schema id obeys the name grammar: a `|` in it would let it run on into the canonical bytes.
const tagged = (side: 'content' | 'acl', { schema, canonical }: ContentParams): Bytes =>
  digest(`coalition ${side} v1|`, checkName(schema), '|', canonical)

/** The canonical form of values: what an operator publishes beside, or instead of, the fingerprint. */
export const params = (schema: Schema, value: unknown): ContentParams => ({ schema: schema.id, canonical: schema.canonical(value) })

/**
 * The two fingerprints of whatever form a config has. With a shape, parameters published under another schema are refused:
 * they would give an id that no member of the component derives.
 * @throws FoldError naming content or acl
 */
export const fingerprints = (folded: Folded, shape?: Shape): Fingerprints => ({
  content: asId(side(folded, 'content', shape)),
  acl: asId(side(folded, 'acl', shape)),
})

const side = (folded: Folded, which: 'content' | 'acl', shape: Shape | undefined): Bytes => {
  const value: unknown = folded[which]
  if (value instanceof Uint8Array) return value as Bytes
  if (typeof value !== 'object' || value === null) throw new FoldError(which, 'is missing')
  const schema = shape?.[which]
  if (isParams(value)) {
    if (schema && schema.id !== value.schema)
      throw new FoldError(which, `is written in "${value.schema}", this component reads "${schema.id}"`)
    return tagged(which, value)
  }
  if (!schema)
    throw new FoldError(which, 'is given by its values, but their schema is not known here: give its fingerprint or its canonical bytes')
  return tagged(which, params(schema, value))
}

const isParams = (value: object): value is ContentParams =>
  'schema' in value && typeof value.schema === 'string' && 'canonical' in value && value.canonical instanceof Uint8Array

/**
 * Reads `content` and `acl` from published JSON: 64 hex digits, `{ schema, canonical }` with hex, or what the shape reads.
 * @throws ParseError
 */
export const parseFolded = (json: read.Json, shape?: Shape): Folded => ({
  content: parseSide(read.member(json, 'content'), shape?.content),
  acl: parseSide(read.member(json, 'acl'), shape?.acl),
})

const parseSide = (json: read.Json, schema: Schema | undefined): object => {
  if (typeof json.value === 'string') return read.bytes(json, 32)
  const canonical = read.optional(json, 'canonical')
  if (canonical) return { schema: read.name(read.member(json, 'schema')), canonical: read.bytes(canonical) }
  if (!schema?.parse)
    throw new read.ParseError(json.path, 'is neither a fingerprint nor { schema, canonical }, and its schema is not known here')
  return schema.parse(json)
}

/** Content or ACL that cannot be hashed as given. */
export class FoldError extends CoalitionError {
  declare readonly side: string
  declare readonly problem: string

  constructor(side: string, problem: string) {
    super('Identity.FoldError', `${side} ${problem}`, { side, problem })
  }
}
