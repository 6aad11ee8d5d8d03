import { CoalitionError } from '../error.ts'

// Readers for JSON: a known field is checked strictly and an error says where it stands; fields that this version does not know stay as they
// are, so a config written for a later one still loads (CFG-17).

/** A value inside a JSON document, and the path to it, e.g. `$.lattices[0].chainId`. */
export interface Json {
  readonly value: unknown
  readonly path: string
}

/** The fields of an object, known and unknown. @throws ParseError */
export const record = ({ value, path }: Json): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ParseError(path, `expected an object, found ${nameOf(value)}`)
  return value as Record<string, unknown>
}

/** A field that may be absent; null is the same as absent. Own fields only: `constructor` is not one. */
export const optional = (json: Json, key: string): Json | undefined => {
  const fields = record(json)
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined
  return value === undefined || value === null ? undefined : { value, path: `${json.path}.${key}` }
}

/** A field that must be there. @throws ParseError */
export const member = (json: Json, key: string): Json => {
  const found = optional(json, key)
  if (!found) throw new ParseError(`${json.path}.${key}`, 'is missing')
  return found
}

/** Every item of a list, in order. @throws ParseError */
export const items = <T>({ value, path }: Json, read: (item: Json) => T): T[] => {
  if (!Array.isArray(value)) throw new ParseError(path, `expected a list, found ${nameOf(value)}`)
  return value.map((item: unknown, i) => read({ value: item, path: `${path}[${i}]` }))
}

/** Text as it stands. @throws ParseError */
export const text = ({ value, path }: Json): string => {
  if (typeof value !== 'string') throw new ParseError(path, `expected text, found ${nameOf(value)}`)
  return value
}

const nameOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value)

/** A published config that cannot be read; `path` names the field. */
export class ParseError extends CoalitionError {
  declare readonly path: string
  declare readonly problem: string

  constructor(path: string, problem: string, cause?: unknown) {
    super('Config.ParseError', `${path}: ${problem}`, { path, problem }, cause === undefined ? {} : { cause })
  }
}
