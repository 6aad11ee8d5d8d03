import type { SgxReport, TdReport } from '../../../wasm/report.ts'
import { type Bytes, fromHex, toHex } from '../../primitives/bytes.ts'
import type { QuoteCheck } from '../attestation.ts'
import { absent, judge } from './checks.ts'
import { TD_ATTRIBUTES } from './names.ts'
import type { QuotePolicy } from './policy.ts'

type Report = SgxReport | TdReport

const NO_TD = 'an enclave, no TD'
const SEPT_VE_DISABLE = 28
const BITS = 64

/** Whether a little-endian bit field has a bit. */
const hasBit = (field: Bytes, bit: number): boolean => (((field[bit >> 3] as number) >> (bit & 7)) & 1) !== 0

const bitsOf = (field: Bytes): readonly number[] => Array.from({ length: BITS }, (_, bit) => bit).filter((bit) => hasBit(field, bit))

/** Bit 0 of a TD's attributes, bit 1 of an enclave's: its memory is open to the host, so nothing it signs is worth anything. */
export const checkDebug = (report: Report): QuoteCheck => {
  const isDebug = report.kind === 'sgx' ? hasBit(report.attributes, 1) : hasBit(report.tdAttributes, 0)
  const found = isDebug ? ['the DEBUG attribute is set: its host reads and writes its memory; no policy accepts it'] : []
  return judge('policy.debug', found, 'no DEBUG attribute', 'not set')
}

/** All attributes of a TD but DEBUG: none that is reserved, of those that are known the allowed ones, and SEPT_VE_DISABLE. */
export const checkAttributes = ({ tdAttributes, septVeDisable }: QuotePolicy, report: Report): QuoteCheck => {
  if (report.kind === 'sgx') return absent('policy.attributes', NO_TD)
  const problems = bitsOf(report.tdAttributes).flatMap((bit) => {
    if (bit === 0 || bit === SEPT_VE_DISABLE) return []
    const known = Object.entries(TD_ATTRIBUTES).find(([, at]) => at === bit)
    if (known === undefined) return [`bit ${bit}, reserved: no policy accepts it`]
    return tdAttributes.some((name) => name === known[0]) ? [] : [`${known[0]} is not in \`tdAttributes\``]
  })
  if (septVeDisable && !hasBit(report.tdAttributes, SEPT_VE_DISABLE))
    problems.push('SEPT_VE_DISABLE is not set; `septVeDisable` asks for it')
  const expected = `${septVeDisable ? 'SEPT_VE_DISABLE, and ' : ''}at most ${tdAttributes.join(', ') || 'none'} of the others`
  return judge('policy.attributes', problems, expected, toHex(report.tdAttributes))
}

export const checkXfam = ({ xfam }: QuotePolicy, report: Report): QuoteCheck => {
  if (report.kind === 'sgx') return absent('policy.xfam', NO_TD)
  const [required, allowed] = [fromHex(xfam.required, 'xfam.required', 8), fromHex(xfam.allowed, 'xfam.allowed', 8)]
  const problems = [
    ...bitsOf(required).flatMap((bit) => (hasBit(report.xfam, bit) ? [] : [`bit ${bit} of \`xfam.required\` is not set`])),
    ...bitsOf(report.xfam).flatMap((bit) => (hasBit(allowed, bit) ? [] : [`bit ${bit} is not in \`xfam.allowed\``])),
  ]
  return judge('policy.xfam', problems, `${xfam.required} and at most ${xfam.allowed}`, toHex(report.xfam))
}

/** A service TD may copy a TD's memory and state to another machine. TDX 1.0 knows none. */
export const checkServiceTd = ({ serviceTds }: QuotePolicy, report: Report): QuoteCheck => {
  if (report.kind === 'sgx') return absent('policy.serviceTd', NO_TD)
  if (report.kind === 'td10') return absent('policy.serviceTd', 'a TD report 1.0 has none')
  const found = toHex(report.mrServiceTd)
  const isAllowed = report.mrServiceTd.every((byte) => byte === 0) || serviceTds.includes(found)
  const expected = serviceTds.length === 0 ? 'no service TD' : `no service TD, or one of ${serviceTds.length}`
  return judge('policy.serviceTd', isAllowed ? [] : [`${found} is not in \`serviceTds\``], expected, found)
}
