import { type MeasurementCriteria, type TdxValidatorConfig, validatorSignature } from '../../network/tickets/tdx.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { fixed, type Of, option, refine, struct, u64, vector } from '../../primitives/codec.ts'
import * as read from '../../primitives/json.ts'
import { CRITERIA, CriteriaError, type CriteriaName, checkValidator, LIMITS, VARIANTS } from './tdx-validator.ts'

// A validator inside of an ACL. The signature is folded as mosaik makes it (IDENTITY.md), and beside it the values that it is of, so that whoever
// has the ACL can check a ticket; a decoder refuses values that do not give the signature.

const register = option(fixed(48, 'measurement'))
const criteriaCodec = struct('Criteria', { mrtd: register, rtmr0: register, rtmr1: register, rtmr2: register, rtmr3: register })
const limit = option(u64)

const valuesCodec = struct('TdxAdmission', {
  signature: fixed(32),
  baseline: criteriaCodec,
  variants: vector(criteriaCodec, VARIANTS),
  max_age: limit,
  not_before: limit,
  max_lifetime: limit,
})
export type TdxAdmission = Of<typeof valuesCodec>

/** What an ACL holds of a validator. @throws CriteriaError */
export const toAdmission = (config: TdxValidatorConfig): TdxAdmission => {
  const checked = checkValidator(config)
  return {
    signature: validatorSignature(checked),
    baseline: padded(checked.baseline),
    variants: checked.variants.map(padded),
    max_age: checked.maxAge ?? null,
    not_before: checked.notBefore ?? null,
    max_lifetime: checked.maxLifetime ?? null,
  }
}

/** The validator of an ACL. @throws CriteriaError */
export const fromAdmission = (admission: Omit<TdxAdmission, 'signature'>): TdxValidatorConfig =>
  checkValidator({
    baseline: bare(admission.baseline),
    variants: admission.variants.map(bare),
    maxAge: admission.max_age ?? undefined,
    notBefore: admission.not_before ?? undefined,
    maxLifetime: admission.max_lifetime ?? undefined,
  })

type Padded = Of<typeof criteriaCodec>

const padded = ({ mrtd, rtmr0, rtmr1, rtmr2, rtmr3 }: MeasurementCriteria): Padded => ({
  mrtd: mrtd ?? null,
  rtmr0: rtmr0 ?? null,
  rtmr1: rtmr1 ?? null,
  rtmr2: rtmr2 ?? null,
  rtmr3: rtmr3 ?? null,
})

const bare = (criteria: Padded): MeasurementCriteria =>
  Object.fromEntries(CRITERIA.flatMap(([name]) => (criteria[name] === null ? [] : [[name, criteria[name]]])))

// Called with what a codec has already read or is about to write, so a field may still be of any type when it writes.
const problemOf = (value: TdxAdmission): string | null => {
  try {
    return equal(validatorSignature(fromAdmission(value)), value.signature) ? null : 'the signature is not that of the values beside it'
  } catch (error) {
    return error instanceof CriteriaError ? error.message : 'is not a validator'
  }
}

/** TdxAdmission: the signature, and what it is of. The rules are those of {@link checkValidator}. */
export const tdxAdmissionCodec = /* @__PURE__ */ refine(valuesCodec, 'TdxAdmission', problemOf)

/**
 * Reads a published validator: `{ baseline: { mrtd: hex, … }, variants: [{ … }], maxAge, notBefore, maxLifetime }`, all but the baseline
 * optional. An unknown field is refused, unlike elsewhere in a config: it can only be a limit, and one that is passed over admits what the
 * operator meant to keep out.
 *
 * @throws ParseError, CriteriaError
 */
export const parseValidator = (json: read.Json): TdxValidatorConfig => {
  only(json, ['baseline', 'variants', ...LIMITS])
  const variants = read.optional(json, 'variants')
  const limits = LIMITS.flatMap((name) => {
    const found = read.optional(json, name)
    return found ? [[name, read.u64(found)]] : []
  })
  return checkValidator({
    baseline: parseCriteria(read.member(json, 'baseline')),
    variants: variants ? read.items(variants, parseCriteria) : [],
    ...Object.fromEntries(limits),
  })
}

const parseCriteria = (json: read.Json): MeasurementCriteria => {
  only(
    json,
    CRITERIA.map(([name]) => name),
  )
  return Object.fromEntries(
    CRITERIA.flatMap(([name]) => {
      const found = read.optional(json, name)
      return found ? [[name, read.bytes(found, 48)]] : []
    }),
  )
}

const only = (json: read.Json, names: readonly string[]): void => {
  const unknown = Object.keys(read.record(json)).find((key) => !names.includes(key))
  if (unknown !== undefined) throw new read.ParseError(`${json.path}.${unknown.slice(0, 64)}`, 'is not known to this version')
}

/** A validator as JSON-stable data, which {@link parseValidator} reads back to the same signature. */
export const formatValidator = (config: TdxValidatorConfig) => ({
  baseline: formatCriteria(config.baseline),
  variants: config.variants.map(formatCriteria),
  ...Object.fromEntries(LIMITS.flatMap((name) => (config[name] === undefined ? [] : [[name, config[name].toString()]]))),
})

const formatCriteria = (criteria: MeasurementCriteria): Readonly<Partial<Record<CriteriaName, string>>> =>
  Object.fromEntries(CRITERIA.flatMap(([name]) => (criteria[name] === undefined ? [] : [[name, toHex(criteria[name] as Bytes)]])))
