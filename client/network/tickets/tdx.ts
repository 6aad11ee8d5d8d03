import { type Bytes, u64le } from '../../primitives/bytes.ts'
import { asId, derive, type Id, id, type UniqueId } from '../../primitives/id.ts'
import { TDX_CLASS } from './ticket.ts'

// Ids of TDX tickets, in step with mosaik (IDENTITY.md, last section). All times are whole seconds; chains of derive fold one value
// after the other, so every order below is part of the formula.

/** What a TDX quote binds beside the machine's measurements. */
export interface TicketBinding {
  /** The peer's Ed25519 link key, 32 bytes. */
  readonly peer: Bytes
  readonly network: UniqueId
  /** Seconds since the epoch, by the quoting machine's own clock. */
  readonly startedAt: bigint
  readonly quotedAt: bigint
  /** Null for a ticket that never expires: folded as 0. */
  readonly expiresAt: bigint | null
}

/** The five registers a validator may ask for, 48 bytes each; absent means any value. */
export interface MeasurementCriteria {
  readonly mrtd?: Bytes | undefined
  readonly rtmr0?: Bytes | undefined
  readonly rtmr1?: Bytes | undefined
  readonly rtmr2?: Bytes | undefined
  readonly rtmr3?: Bytes | undefined
}

/** What a TDX validator folds: baseline, accepted variants in order, and limits in seconds (absent: 0, no limit). */
export interface TdxValidatorConfig {
  readonly baseline: MeasurementCriteria
  readonly variants: readonly MeasurementCriteria[]
  readonly maxAge?: bigint | undefined
  /** Seconds since the epoch. */
  readonly notBefore?: bigint | undefined
  readonly maxLifetime?: bigint | undefined
}

export type CriteriaSignature = Id<'CriteriaSignature'>
export type ValidatorSignature = Id<'ValidatorSignature'>

/** report_data[0..32] of a ticket's quote; bytes 32..64 bind the vote key (TDX.md, "Tickets of a committee"). */
export const reportBinding = ({ peer, network, startedAt, quotedAt, expiresAt }: TicketBinding): UniqueId =>
  chain(id('mosaik.tdx.ticket.extra'), asId(peer), asId(network), u64le(startedAt), u64le(quotedAt), u64le(expiresAt ?? 0n))

// The bytes that mosaik folds, 48 times each, for a register that may have any value.
const REGISTERS = [
  ['mrtd', 0x09],
  ['rtmr0', 0x01],
  ['rtmr1', 0x02],
  ['rtmr2', 0x03],
  ['rtmr3', 0x04],
] as const

/** id("mosaik.tee.tdx.measurements-criteria.v1") derived by mrtd and rtmr0..3. @throws LengthError for a register that is not 48 bytes */
export const criteriaSignature = (criteria: MeasurementCriteria): CriteriaSignature => {
  const registers = REGISTERS.map(([name, filler]) => asId(criteria[name] ?? new Uint8Array(48).fill(filler), 48))
  return asId(chain(id('mosaik.tee.tdx.measurements-criteria.v1'), ...registers))
}

/** The TDX class derived by the baseline's signature, each variant's, then max_age, not_before, max_lifetime. */
export const validatorSignature = ({ baseline, variants, maxAge, notBefore, maxLifetime }: TdxValidatorConfig): ValidatorSignature => {
  const criteria = [baseline, ...variants].map(criteriaSignature)
  const limits = [maxAge, notBefore, maxLifetime].map((seconds) => u64le(seconds ?? 0n))
  return asId(chain(TDX_CLASS, ...criteria, ...limits))
}

const chain = (start: Id, ...steps: readonly Bytes[]): UniqueId => asId(steps.reduce<Id>((parent, step) => derive(parent, step), start))
