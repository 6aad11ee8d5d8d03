import { toHex } from '../../primitives/bytes.ts'
import { bytes, items, type Json, ParseError, record, text } from '../../primitives/json.ts'
import type { QuoteStatus } from '../attestation.ts'
import { MEASURED } from './measured.ts'
import { TCB_STATUSES, TD_ATTRIBUTES } from './names.ts'
import type { MeasurementCriteria, QuotePolicy, TdAttribute } from './policy.ts'

/** XFAM bits that every TD has (x87, SSE), and that TDX knows (XFAM_FIXED1 and XFAM_FIXED0 of the TDX module's constants). */
const XFAM = { required: '0300000000000000', allowed: 'e7db060000000000' } as const

// A list of a million hashes would be read as patiently as one of ten; a policy is a reader's own, and small.
const MOST = 1_024
/** A hundred years: more is a number in other units. */
const LONGEST = 3_155_760_000

/** The known fields of an object, comments left out. */
const fieldsOf = (json: Json, known: readonly string[]): Readonly<Record<string, Json | undefined>> => {
  const entries = Object.entries(record(json)).filter(([name]) => !name.startsWith('//'))
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (!known.includes(name)) throw new ParseError(`${json.path}.${name}`, `is no field of a policy; known are ${known.join(', ')}`)
      return [name, { value, path: `${json.path}.${name}` }]
    }),
  )
}

const listOf =
  <T>(read: (item: Json) => T) =>
  (json: Json): readonly T[] => {
    if (Array.isArray(json.value) && json.value.length > MOST) throw new ParseError(json.path, `more than ${MOST} items`)
    return items(json, read)
  }

const orNull =
  <T>(read: (json: Json) => T) =>
  (json: Json): T | null =>
    json.value === null ? null : read(json)

/** What is read where a field is there, and what it is otherwise. */
const or = <T>(json: Json | undefined, otherwise: T, read: (json: Json) => T): T => (json === undefined ? otherwise : read(json))

const hex =
  (length: number) =>
  (json: Json): string =>
    toHex(bytes(json, length))

const whole =
  (most: number) =>
  ({ value, path }: Json): number => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most)
      throw new ParseError(path, `expected a whole number of 0 to ${most}`)
    return value
  }

const seconds = whole(LONGEST)

const flag = ({ value, path }: Json): boolean => {
  if (typeof value !== 'boolean') throw new ParseError(path, 'expected true or false')
  return value
}

const oneOf =
  <T extends string>(known: readonly T[]) =>
  ({ value, path }: Json): T => {
    const found = known.find((one) => one === value)
    if (found === undefined) throw new ParseError(path, `expected one of ${known.join(', ')}`)
    return found
  }

const status = oneOf<QuoteStatus>([
  ...TCB_STATUSES.filter((one) => one !== 'Revoked'),
  'TDRelaunchAdvised',
  'TDRelaunchAdvisedConfigurationNeeded',
])

const attribute = oneOf(Object.keys(TD_ATTRIBUTES) as TdAttribute[])

const advisories = (json: Json): QuotePolicy['advisories'] => {
  const { allow, deny } = fieldsOf(json, ['allow', 'deny'])
  return { allow: or(allow, null, orNull(listOf(text))), deny: or(deny, [], listOf(text)) }
}

const xfam = (json: Json): QuotePolicy['xfam'] => {
  const { required, allowed } = fieldsOf(json, ['required', 'allowed'])
  return { required: or(required, XFAM.required, hex(8)), allowed: or(allowed, XFAM.allowed, hex(8)) }
}

const measurements = (json: Json): QuotePolicy['measurements'] => {
  const { baseline, variants } = fieldsOf(json, ['baseline', 'variants'])
  return { baseline: or(baseline, {}, criteria), variants: or(variants, [], listOf(variant)) }
}

const criteria = (json: Json): MeasurementCriteria => {
  const fields = fieldsOf(json, [...Object.keys(MEASURED), 'isvProdId', 'isvSvn'])
  const read = (name: string, value: Json): string | number =>
    name in MEASURED ? hex(MEASURED[name as keyof typeof MEASURED])(value) : whole(0xffff)(value)
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, read(name, value as Json)]))
}

/** One that names nothing is met by every quote, and the others beside it would restrict nothing. */
const variant = (json: Json): MeasurementCriteria => {
  const found = criteria(json)
  if (Object.keys(found).length === 0) throw new ParseError(json.path, 'names no measurement')
  return found
}

const platforms = (json: Json): QuotePolicy['platforms'] => {
  const { ppids, platformInstanceIds } = fieldsOf(json, ['ppids', 'platformInstanceIds'])
  return { ppids: or(ppids, [], listOf(hex(16))), platformInstanceIds: or(platformInstanceIds, [], listOf(hex(16))) }
}

const prefix = (json: Json): string => {
  const found = toHex(bytes(json))
  if (found.length === 0 || found.length > 128) throw new ParseError(json.path, `${found.length / 2} bytes, expected 1 to 64`)
  return found
}

/** What each field is when it is left out, and how it is read. Last in the file: it names readers from above. */
const FIELDS: { readonly [name in keyof QuotePolicy]: readonly [otherwise: QuotePolicy[name], read: (json: Json) => QuotePolicy[name]] } = {
  statuses: [['UpToDate'], listOf(status)],
  graceSeconds: [0, seconds],
  maxAgeSeconds: [null, orNull(seconds)],
  advisories: [{ allow: null, deny: [] }, advisories],
  tdAttributes: [[], listOf(attribute)],
  septVeDisable: [true, flag],
  xfam: [XFAM, xfam],
  serviceTds: [[], listOf(hex(48))],
  measurements: [{ baseline: {}, variants: [] }, measurements],
  reportData: [null, orNull(prefix)],
  platforms: [null, orNull(platforms)],
}

/**
 * A policy from JSON with the fields of {@link QuotePolicy}. A field that is left out has its strictest value, but measurements, report data,
 * platforms, advisories and age, which are not restricted unless they are named. Fields whose name begins with `//` are comments; any other
 * unknown one is refused, since a misspelt restriction would restrict nothing.
 *
 * @throws ParseError naming the field
 */
export const parsePolicy = (value: unknown): QuotePolicy => {
  const fields = fieldsOf({ value, path: '$' }, Object.keys(FIELDS))
  const entries = Object.entries(FIELDS).map(([name, [otherwise, read]]) => {
    const json = fields[name]
    return [name, json === undefined ? otherwise : read(json)]
  })
  // Every name of FIELDS, which are those of a policy.
  return Object.fromEntries(entries) as QuotePolicy
}
