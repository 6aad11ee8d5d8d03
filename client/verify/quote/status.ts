import type { QuoteStatus, TcbStatus } from '../attestation.ts'

// The names of Intel's statuses are made of parts, and the rules are about the parts: OutOfDate…, …Configuration….

const isOutdated = (status: QuoteStatus): boolean => status.startsWith('OutOfDate')

const needsConfiguration = (status: QuoteStatus): boolean => status.includes('Configuration')

/** A TCB that nothing newer is asked of. */
export const isCurrent = (status: TcbStatus): boolean => !isOutdated(status) && status !== 'Revoked'

/**
 * The status of a platform with its parts: QE and TDX module. A part can only make it worse.
 *
 * A part of any other status than UpToDate and Revoked counts as OutOfDate. Intel's documents have none, and the reference of 2026 would
 * let a QE that is ConfigurationNeeded pass as UpToDate.
 *
 * @see TDX.md section 8, "Converge"
 */
export const converge = (platform: TcbStatus, parts: readonly TcbStatus[]): TcbStatus => {
  if (platform === 'Revoked' || parts.includes('Revoked')) return 'Revoked'
  if (parts.every((part) => part === 'UpToDate')) return platform
  return needsConfiguration(platform) ? 'OutOfDateConfigurationNeeded' : 'OutOfDate'
}

/**
 * The status of a TD that was launched on one TCB and runs on another: of a TD on an old TCB whose platform is current by now, that it
 * should be launched anew. In every other case it is the status at launch.
 *
 * @see TDX.md section 8, the reference's TDRelaunchCheck.cpp
 */
export const relaunch = (launch: TcbStatus, now: TcbStatus): QuoteStatus => {
  if (!isOutdated(launch) || !isCurrent(now)) return launch
  return needsConfiguration(launch) || needsConfiguration(now) ? 'TDRelaunchAdvisedConfigurationNeeded' : 'TDRelaunchAdvised'
}

/** What a status would be were the TCB current: what a policy's days of grace make of it. */
export const withGrace = (status: QuoteStatus): QuoteStatus => {
  if (!isOutdated(status) && !status.startsWith('TDRelaunch')) return status
  return needsConfiguration(status) ? 'ConfigurationNeeded' : 'UpToDate'
}
