import type { SgxExtension } from '../../../wasm/certificate.ts'
import type { SgxReport, TdReport } from '../../../wasm/report.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import { check, type QuoteCheck, type QuoteStatus, type TcbStatus } from '../attestation.ts'
import type { SvnLevel, TcbInfo } from '../collateral/index.ts'
import { absent, judge } from './checks.ts'
import { lacking, levelOf, type PlatformSvns, svnsOf } from './levels.ts'
import { moduleOf } from './module.ts'
import { converge, relaunch } from './status.ts'

/** What Intel says of a quote's platform, QE and module together. */
export interface QuoteStanding {
  readonly status: QuoteStatus
  /** The oldest of the parts' dates: unix seconds. */
  readonly tcbDate: number
  /** Sorted, each once. */
  readonly advisories: readonly string[]
}

export interface TcbFinding {
  /** quote.tcb and quote.relaunch. */
  readonly checks: readonly QuoteCheck[]
  /** Null where a part has no level: such a platform is not supported, whatever the others are. */
  readonly standing: QuoteStanding | null
}

/**
 * Evaluates the TCB of a quote. That the module is Intel's at all is another check, `quote.module`.
 *
 * @param info of the report's own TEE and the platform's own FMSPC
 * @param qe the level of its quoting enclave; null where it has none
 * @see TDX.md sections 7 and 8; chapters 4.1.2.5.18 to 20 of Intel's reference
 */
export const evaluateTcb = (report: SgxReport | TdReport, pck: SgxExtension, info: TcbInfo, qe: SvnLevel | null): TcbFinding => {
  if (report.kind === 'sgx') return evaluateSgx(pck, info, qe)
  const launch = evaluate(pck, info, qe, report.teeTcbSvn)
  if (report.kind === 'td10') {
    return { checks: [launch.check, absent('quote.relaunch', 'a TD report 1.0 has the SVNs at launch only')], standing: launch.standing }
  }
  const now = evaluate(pck, info, qe, report.teeTcbSvn2)
  const found = `launch ${launch.standing?.status ?? NO_LEVEL}, now ${now.standing?.status ?? NO_LEVEL}`
  const isSupported = launch.standing !== null && now.standing !== null
  return {
    checks: [launch.check, judge('quote.relaunch', isSupported ? [] : [found], 'a TCB level at launch and now', found)],
    standing: isSupported ? { ...launch.standing, status: relaunch(launch.standing.status, now.standing.status) } : null,
  }
}

const NO_LEVEL = 'on no level'

const evaluateSgx = (pck: SgxExtension, info: TcbInfo, qe: SvnLevel | null): TcbFinding => {
  const { check, standing } = evaluatePlatform(info, svnsOf(pck, null), qe === null ? null : [qe])
  return { checks: [check, absent('quote.relaunch', 'an enclave, no TD')], standing }
}

interface Evaluated {
  readonly check: QuoteCheck
  /** Before anything was said of a relaunch. */
  readonly standing: (QuoteStanding & { readonly status: TcbStatus }) | null
}

const evaluate = (pck: SgxExtension, info: TcbInfo, qe: SvnLevel | null, teeTcbSvn: Bytes): Evaluated => {
  const { level } = moduleOf(info, teeTcbSvn)
  const parts = qe === null || level === undefined ? null : level === null ? [qe] : [qe, level]
  return evaluatePlatform(info, svnsOf(pck, teeTcbSvn), parts)
}

/** @param parts null where one of them has no level */
const evaluatePlatform = (info: TcbInfo, svns: PlatformSvns, parts: readonly SvnLevel[] | null): Evaluated => {
  const level = levelOf(info, svns)
  const expected = `a TCB level of the TCB info, evaluation ${info.evaluation}`
  const short = lacking(info, svns)
  if (level === undefined) {
    return { check: check('quote.tcb', 'failed', expected, ['below every level', ...short].join('; ')), standing: null }
  }
  const passed = check('quote.tcb', 'passed', expected, [level.status, ...(level.status === 'UpToDate' ? [] : short)].join('; '))
  if (parts === null) return { check: passed, standing: null }
  const all = [level, ...parts]
  return {
    check: passed,
    standing: {
      status: converge(
        level.status,
        parts.map(({ status }) => status),
      ),
      tcbDate: Math.min(...all.map(({ tcbDate }) => tcbDate)),
      advisories: [...new Set(all.flatMap(({ advisories }) => advisories))].sort(),
    },
  }
}
