import type { SgxReport, TdReport } from '../../../wasm/report.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import type { QuoteCheck } from '../attestation.ts'
import type { SvnLevel, TcbInfo, TdxModule } from '../collateral/index.ts'
import { absent, judge } from './checks.ts'
import { lackingSvn, majorOf, svnLevelOf } from './levels.ts'

/**
 * What is known of a TDX module by its SVNs. Those of major version 0 have no identity and no level of their own: their SVNs stand among
 * the platform's. `level` is null for them, and undefined where an identity or a level is missing.
 */
export interface ModuleStanding {
  /** `TDX_03`, or `tdxModule` for major version 0. */
  readonly id: string
  readonly expected: TdxModule | undefined
  readonly level: SvnLevel | null | undefined
  /** What its SVN is short of, when it is not up to date. */
  readonly lacking: readonly string[]
}

/** @param teeTcbSvn 16 SVNs, of which the first is the module's minor version and the second its major one */
export const moduleOf = ({ tdxModule, tdxModuleIdentities }: TcbInfo, teeTcbSvn: Bytes): ModuleStanding => {
  const major = majorOf(teeTcbSvn)
  if (major === 0) return { id: 'tdxModule', expected: tdxModule ?? undefined, level: null, lacking: [] }
  const id = `TDX_${toHex(Uint8Array.of(major)).toUpperCase()}`
  const identity = tdxModuleIdentities.find((one) => one.id === id)
  const minor = teeTcbSvn[0] as number
  const levels = identity?.levels ?? []
  return { id, expected: identity, level: svnLevelOf(levels, minor), lacking: lackingSvn(levels, minor) }
}

/**
 * Whether the TD runs under a TDX module that Intel signed, and what its SVN means.
 *
 * @see TDX.md section 7
 */
export const checkModule = (report: SgxReport | TdReport, info: TcbInfo): QuoteCheck => {
  if (report.kind === 'sgx') return absent('quote.module', 'an enclave, no TD')
  const { id, expected, level, lacking } = moduleOf(info, report.teeTcbSvn)
  const { mrSignerSeam, seamAttributes } = report
  const name = `module ${id}, SVN ${report.teeTcbSvn[0]}`
  const problems = [
    ...(expected === undefined ? [`${name}: the TCB info has no such module`] : []),
    ...(expected === undefined || equal(mrSignerSeam, expected.mrsigner) ? [] : [`mrSignerSeam ${toHex(mrSignerSeam)}`]),
    // Not under the mask: whatever a module's attributes may be one day, this version knows none that could be set.
    ...(seamAttributes.some((byte) => byte !== 0) || (expected !== undefined && !equal(seamAttributes, expected.attributes))
      ? [`seamAttributes ${toHex(seamAttributes)}`]
      : []),
    ...(expected !== undefined && level === undefined ? [`${name} is below every level`] : []),
  ]
  const wanted = `a module of the TCB info, by signer ${expected ? toHex(expected.mrsigner) : 'unknown'}, attributes zero`
  return judge('quote.module', problems, wanted, [level ? `${name}: ${level.status}` : name, ...lacking].join('; '))
}
