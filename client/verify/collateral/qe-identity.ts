import type { Bytes } from '../../primitives/bytes.ts'
import { type Json, member, ParseError, text } from '../../primitives/json-value.ts'
import { date, hex, integer, type SvnLevel, svnLevels } from './fields.ts'

/** Intel's identity of a quoting enclave: QE of SGX, TD_QE of TDX. Bytes as the hex digits have them; times are unix seconds. */
export interface QeIdentity {
  readonly id: 'QE' | 'TD_QE'
  readonly version: 2
  readonly issueDate: number
  /** Valid up to and with this second. */
  readonly nextUpdate: number
  /** tcbEvaluationDataNumber, which may be another one than the TCB info's. */
  readonly evaluation: number
  /** 4 bytes. */
  readonly miscselect: Bytes
  readonly miscselectMask: Bytes
  /** 16 bytes. */
  readonly attributes: Bytes
  readonly attributesMask: Bytes
  /** 32 bytes. */
  readonly mrsigner: Bytes
  readonly isvprodid: number
  /** The highest SVN first. */
  readonly levels: readonly SvnLevel[]
}

/**
 * Reads a QE identity. Fields that this version does not know are left alone.
 *
 * @throws ParseError naming the field
 * @see TDX.md sections 5 and 6
 */
export const readQeIdentity = (json: Json): QeIdentity => {
  const id = text(member(json, 'id'))
  if (id !== 'QE' && id !== 'TD_QE')
    throw new ParseError(`${json.path}.id`, `expected QE or TD_QE, found ${JSON.stringify(id.slice(0, 64))}`)
  const version = integer(member(json, 'version'), 0xffff)
  if (version !== 2) throw new ParseError(`${json.path}.version`, `expected 2, found ${version}`)
  return {
    id,
    version,
    issueDate: date(member(json, 'issueDate')),
    nextUpdate: date(member(json, 'nextUpdate')),
    evaluation: integer(member(json, 'tcbEvaluationDataNumber'), 0xffff_ffff),
    miscselect: hex(member(json, 'miscselect'), 4),
    miscselectMask: hex(member(json, 'miscselectMask'), 4),
    attributes: hex(member(json, 'attributes'), 16),
    attributesMask: hex(member(json, 'attributesMask'), 16),
    mrsigner: hex(member(json, 'mrsigner'), 32),
    isvprodid: integer(member(json, 'isvprodid'), 0xffff),
    levels: svnLevels(member(json, 'tcbLevels')),
  }
}
