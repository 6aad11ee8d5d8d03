import { CoalitionError } from '../../error.ts'
import {
  type MeasurementCriteria,
  type TdxValidatorConfig,
  type ValidatorSignature,
  validatorSignature,
} from '../../network/tickets/tdx.ts'
import { type Bytes, copy, equal, fromHex } from '../../primitives/bytes.ts'

// mosaik's `Tdx` by its own names, and its signature (IDENTITY.md, "Facts of mosaik"). A ticket has to meet the baseline and, where there are
// variants, one of them as well: a variant narrows the baseline, it is no way around it (mosaik, src/tee/tdx/validator.rs).

/** The registers a validator may ask for, each with the byte that the signature folds 48 times where it does not. */
export const CRITERIA = [
  ['mrtd', 9],
  ['rtmr0', 1],
  ['rtmr1', 2],
  ['rtmr2', 3],
  ['rtmr3', 4],
] as const
export type CriteriaName = (typeof CRITERIA)[number][0]
const FILLERS: ReadonlyMap<CriteriaName, number> = /* @__PURE__ */ new Map(CRITERIA)

/** The limits, in seconds, `notBefore` since the epoch. */
export const LIMITS = ['maxAge', 'notBefore', 'maxLifetime'] as const

/** Variants of one validator at most: each is another image that may be in the group at the same time. */
export const VARIANTS = 16

/** A register's value: 48 bytes or 96 hex digits. */
export type MeasurementLike = Bytes | string

/** Registers by name; one that is left out, or undefined, may have any value. */
export type CriteriaLike = Partial<Record<CriteriaName, MeasurementLike | undefined>>

/** A validator under construction; every call gives a new one and leaves this one as it is. All of them throw CriteriaError. */
export interface Tdx {
  /** What the signature is of. Checked: {@link checkValidator}. */
  readonly config: TdxValidatorConfig
  /** 32 bytes, what an ACL folds. */
  readonly signature: () => ValidatorSignature
  readonly requireMrtd: (value: MeasurementLike) => Tdx
  readonly requireRtmr0: (value: MeasurementLike) => Tdx
  readonly requireRtmr1: (value: MeasurementLike) => Tdx
  readonly requireRtmr2: (value: MeasurementLike) => Tdx
  readonly requireRtmr3: (value: MeasurementLike) => Tdx
  /** One more image that may be used: the ticket has to meet the baseline and this, or another variant. Their order is part of the signature. */
  readonly allowVariant: (criteria: CriteriaLike) => Tdx
  /** Seconds since the quote was made, at most. TDX.md's 24 hours stand beside it. */
  readonly maxAge: (seconds: bigint) => Tdx
  /** Quotes made before this second are refused: to end the tickets of a time that nobody trusts any more. */
  readonly notBefore: (second: bigint) => Tdx
  /** Seconds from quote to expiry, at most. A ticket that never expires is then refused. */
  readonly maxLifetime: (seconds: bigint) => Tdx
}

/**
 * A validator to be built by mosaik's calls. As it begins it asks for nothing, and every TD meets it.
 *
 * @example tdx().requireMrtd(MRTD).allowVariant({ rtmr1: OLD }).allowVariant({ rtmr1: NEW }).maxAge(21_600n)
 * @throws CriteriaError
 */
export const tdx = (from: TdxValidatorConfig = { baseline: {}, variants: [] }): Tdx => {
  const config = checkValidator(from)
  const demand = (name: CriteriaName) => (value: MeasurementLike) =>
    tdx({ ...config, baseline: { ...config.baseline, [name]: measurement('baseline', name, value) } })
  return {
    config,
    signature: () => validatorSignature(config),
    requireMrtd: demand('mrtd'),
    requireRtmr0: demand('rtmr0'),
    requireRtmr1: demand('rtmr1'),
    requireRtmr2: demand('rtmr2'),
    requireRtmr3: demand('rtmr3'),
    allowVariant: (criteria) =>
      tdx({ ...config, variants: [...config.variants, criteriaFrom(`variants[${config.variants.length}]`, criteria)] }),
    maxAge: (maxAge) => tdx({ ...config, maxAge }),
    notBefore: (notBefore) => tdx({ ...config, notBefore }),
    maxLifetime: (maxLifetime) => tdx({ ...config, maxLifetime }),
  }
}

/**
 * A validator as it may be folded: a copy with known fields only. Refused is what the signature cannot tell from something laxer (a register of
 * the bytes that stand for "any", a limit of 0), and what does not mean what it seems to (a variant that no ticket or every ticket meets).
 *
 * @throws CriteriaError naming the field
 */
export const checkValidator = (config: TdxValidatorConfig): TdxValidatorConfig => {
  const { baseline, variants } = config
  if (variants.length > VARIANTS) throw new CriteriaError('variants', `${variants.length} of them, at most ${VARIANTS}`)
  const checked = {
    baseline: criteriaFrom('baseline', baseline),
    variants: variants.map((variant, i) => criteriaFrom(`variants[${i}]`, variant)),
  }
  for (const [i, variant] of checked.variants.entries()) checkVariant(`variants[${i}]`, checked.baseline, variant)
  const limits = LIMITS.flatMap((name) => (config[name] === undefined ? [] : [[name, limit(name, config[name])]]))
  return { ...checked, ...Object.fromEntries(limits) }
}

const checkVariant = (path: string, baseline: MeasurementCriteria, variant: MeasurementCriteria): void => {
  const asked = CRITERIA.filter(([name]) => variant[name] !== undefined)
  if (asked.length === 0) throw new CriteriaError(path, 'asks for nothing: every ticket would meet it, and no other variant would count')
  for (const [name] of asked) {
    const base = baseline[name]
    if (base && !equal(base, variant[name] as Bytes))
      throw new CriteriaError(`${path}.${name}`, 'differs from the baseline: a ticket has to meet both')
  }
}

const criteriaFrom = (path: string, from: CriteriaLike): MeasurementCriteria =>
  Object.fromEntries(
    CRITERIA.flatMap(([name]) => {
      const value = from[name]
      return value === undefined ? [] : [[name, measurement(path, name, value)]]
    }),
  )

const measurement = (parent: string, name: CriteriaName, value: MeasurementLike): Bytes => {
  const path = `${parent}.${name}`
  const bytes = typeof value === 'string' ? hex(path, value) : value
  if (!(bytes instanceof Uint8Array) || bytes.length !== 48) throw new CriteriaError(path, 'is not 48 bytes')
  const filler = FILLERS.get(name)
  if (bytes.every((byte) => byte === filler))
    throw new CriteriaError(path, `is 48 times ${filler}, which the signature folds for "any value"`)
  return copy(bytes)
}

const hex = (path: string, text: string): Bytes => {
  try {
    return fromHex(text, path, 48)
  } catch (cause) {
    throw new CriteriaError(path, 'is not 96 hex digits', cause)
  }
}

const limit = (name: string, value: unknown): bigint => {
  if (typeof value !== 'bigint' || value < 0n || value >= 1n << 64n) throw new CriteriaError(name, 'is not a bigint of 64 bits')
  if (value === 0n) throw new CriteriaError(name, 'is 0, which the signature folds for "no limit"')
  return value
}

/** A validator that would not do what it says; `path` names the register or limit. */
export class CriteriaError extends CoalitionError {
  declare readonly path: string
  declare readonly problem: string

  constructor(path: string, problem: string, cause?: unknown) {
    super('Coalition.CriteriaError', `${path} ${problem}`, { path, problem }, cause === undefined ? {} : { cause })
  }
}
