import type { TdxValidatorConfig } from '../../network/tickets/tdx.ts'
import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { fixed, type Of, struct } from '../../primitives/codec.ts'
import * as read from '../../primitives/json.ts'
import { formatValidator, fromAdmission, parseValidator, type TdxAdmission, tdxAdmissionCodec, toAdmission } from './tdx-acl.ts'

/**
 * Who may be in a committee whose keys live in TDs: what their quotes have to measure, and where the chain of their certificates ends. The root
 * folds too, so that a group of a development root is another group than the one that pins Intel's.
 */
export const tdxGateCodec = /* @__PURE__ */ struct('TdxGate', { root: fixed(32, 'root'), validator: tdxAdmissionCodec })
export type TdxGate = Of<typeof tdxGateCodec>

/** The gate of a root (SHA-256 of its SubjectPublicKeyInfo, 32 bytes) and a validator. @throws CriteriaError */
export const tdxGate = (root: Bytes, validator: TdxValidatorConfig): TdxGate => ({ root, validator: toAdmission(validator) })

/** What the tickets of a gate are held against. */
export const criteriaOf = ({ validator }: { readonly validator: Omit<TdxAdmission, 'signature'> }): TdxValidatorConfig =>
  fromAdmission(validator)

/** Reads a published gate: `{ root: hex, validator: { baseline: … } }`. @throws ParseError, CriteriaError */
export const parseGate = (json: read.Json): TdxGate =>
  tdxGate(read.bytes(read.member(json, 'root'), 32), parseValidator(read.member(json, 'validator')))

/** A gate as JSON-stable data, which {@link parseGate} reads back. */
export const formatGate = (gate: TdxGate) => ({ root: `0x${toHex(gate.root)}`, validator: formatValidator(criteriaOf(gate)) })
