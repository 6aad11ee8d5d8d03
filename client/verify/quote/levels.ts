import type { SgxExtension } from '../../../wasm/certificate.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import type { SvnLevel, TcbInfo, TcbLevel } from '../collateral/index.ts'
import { isCurrent } from './status.ts'

/** The SVNs of a platform: 16 components of SGX and PCESVN by its PCK certificate, 16 of TDX by a TD's report, null for an enclave. */
export interface PlatformSvns {
  readonly sgx: Bytes
  readonly pcesvn: number
  readonly tdx: Bytes | null
}

export const svnsOf = ({ components, pcesvn }: SgxExtension, tdx: Bytes | null): PlatformSvns => ({ sgx: components, pcesvn, tdx })

/**
 * The level a platform stands on: the first, in Intel's order, of which it is short in nothing.
 *
 * @param levels sorted, the highest first
 * @see TDX.md section 8
 */
export const levelOf = ({ levels }: Pick<TcbInfo, 'levels'>, svns: PlatformSvns): TcbLevel | undefined =>
  levels.find((level) => shortfall(level, svns).length === 0)

/** Each SVN that is lower than a level asks for, by its name in the TCB info: `sgxtcbcomponents[2] 4 < 5`. */
export const shortfall = (level: TcbLevel, { sgx, pcesvn, tdx }: PlatformSvns): readonly string[] => [
  ...lower('sgxtcbcomponents', sgx, level.sgx, 0),
  ...(pcesvn < level.pcesvn ? [`pcesvn ${pcesvn} < ${level.pcesvn}`] : []),
  // From TDX module 1.x on the first two are the module's own, which has an identity with levels of its own.
  ...(tdx === null ? [] : lower('tdxtcbcomponents', tdx, level.tdx ?? UNREACHABLE, majorOf(tdx) > 0 ? 2 : 0)),
]

/** For a TDX report against a level without TDX components: none of them may pass for reached. */
const UNREACHABLE: readonly number[] = /* @__PURE__ */ new Array<number>(16).fill(256)

const lower = (name: string, have: Bytes, need: readonly number[], from: number): readonly string[] => {
  const found: string[] = []
  for (let i = from; i < need.length; i++) {
    // A component that is missing is lower than any.
    const svn = have[i] ?? -1
    const least = need[i] as number
    if (svn < least) found.push(`${name}[${i}] ${svn} < ${least}`)
  }
  return found
}

/** The major version of a TDX module, by its SVNs. */
export const majorOf = (teeTcbSvn: Bytes): number => teeTcbSvn[1] as number

/** What a platform lacks for the nearest level that is neither out of date nor revoked; nothing where it stands on one, or none exists. */
export const lacking = ({ levels }: Pick<TcbInfo, 'levels'>, svns: PlatformSvns): readonly string[] => {
  const good = levels.filter(({ status }) => isCurrent(status))
  return good.map((level) => shortfall(level, svns)).sort((a, b) => a.length - b.length)[0] ?? []
}

/** The level of a QE or module: the highest SVN that it reaches. */
export const svnLevelOf = (levels: readonly SvnLevel[], svn: number): SvnLevel | undefined => levels.find(({ isvsvn }) => svn >= isvsvn)

/** `isvsvn 5 < 8` against the nearest level that is up to date; empty where that is reached, or none exists. */
export const lackingSvn = (levels: readonly SvnLevel[], svn: number): readonly string[] => {
  const needed = levels.filter(({ status }) => status === 'UpToDate').at(-1)
  return needed !== undefined && svn < needed.isvsvn ? [`isvsvn ${svn} < ${needed.isvsvn}`] : []
}
