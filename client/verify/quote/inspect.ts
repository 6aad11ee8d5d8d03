import type { SgxExtension } from '../../../wasm/certificate.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { check, INTEL_ROOT, type QuoteCheck, type TrustedRoot, type VerifyEcdsa } from '../attestation.ts'
import { dateText, expectTime } from '../collateral/fields.ts'
import {
  type Collateral,
  inspectCollateral,
  type RollbackMemory,
  remember,
  type TcbInfo,
  type VerifiedCollateral,
} from '../collateral/index.ts'
import { appraise } from './appraise.ts'
import { judge } from './checks.ts'
import { collateralChecks } from './freshness.ts'
import { measurementsOf, platformOf } from './measurements.ts'
import { checkModule } from './module.ts'
import { checkChain, checkRevocation, type PckChain } from './pck.ts'
import type { QuotePolicy } from './policy.ts'
import { checkQe } from './qe.ts'
import { type StartedQuote, startQuote } from './started.ts'
import { evaluateTcb } from './tcb.ts'
import { QuoteError, type QuoteVerdict, type VerdictParts, verdictOf } from './verdict.ts'

/** What a quote's verification needs beside quote and collateral. */
export interface QuoteOptions {
  readonly policy: QuotePolicy
  /** Unix seconds at which everything must be valid. */
  readonly at: number
  /** From `createEcdsa`, made once: it keeps the keys that it imported. */
  readonly ecdsa: VerifyEcdsa
  /** Asked before a quote is accepted, and raised after. Without one `collateral.rollback` is what it was for the collateral. */
  readonly memory?: RollbackMemory
}

/** What the verification of a quote with collateral that nobody verified yet needs. */
export interface AttestationOptions extends QuoteOptions {
  /** Where every chain must end. */
  readonly root: TrustedRoot
}

/**
 * Verifies a quote with collateral that holds. Three signatures, side by side; two when the same platform's certificate was seen under this
 * handle before.
 *
 * @param bytes the quote, with whatever follows it
 * @returns every check with what was expected and found, whether the quote is accepted or not
 * @throws TypeError for an `at` that is no time; UnsupportedError where there is no WebAssembly with SIMD; what the memory throws when it
 * cannot be raised. Never for what stands in the bytes.
 * @see TDX.md, "Shape of the API"
 */
export const inspectQuote = async (bytes: Bytes, collateral: VerifiedCollateral, options: QuoteOptions): Promise<QuoteVerdict> => {
  const { at, ecdsa, memory } = options
  expectTime(at)
  const started = startQuote(bytes, ecdsa, collateral)
  const checks = await collateralChecks(collateral, at, memory)
  return conclude(started, { checks, verified: collateral }, { ...options, root: collateral.root })
}

/**
 * The same, for who wants an accepted verdict or an error.
 *
 * @throws QuoteError with the verdict, when the quote is not accepted
 */
export const verifyQuote = async (bytes: Bytes, collateral: VerifiedCollateral, options: QuoteOptions): Promise<QuoteVerdict> => {
  const verdict = await inspectQuote(bytes, collateral, options)
  if (!verdict.accepted) throw new QuoteError(verdict)
  return verdict
}

/**
 * Verifies a quote and its collateral in one call: all nine signatures, side by side as far as one does not need another.
 *
 * @param source collateral, or its JSON as text or UTF-8 bytes
 * @throws as {@link inspectQuote} does
 */
export const inspectAttestation = async (
  bytes: Bytes,
  source: Collateral | Bytes | string,
  options: AttestationOptions,
): Promise<QuoteVerdict> => {
  expectTime(options.at)
  const early = startQuote(bytes, options.ecdsa, null)
  const collateral = await inspectCollateral(source, options)
  const { verified } = collateral
  // A quote that brings no chain of its own had to wait for the collateral's.
  const isWaiting = verified !== null && 'quote' in early && typeof early.pck === 'string'
  return conclude(isWaiting ? startQuote(bytes, options.ecdsa, verified) : early, collateral, options)
}

interface Stage {
  readonly checks: readonly QuoteCheck[]
  readonly verified: VerifiedCollateral | null
}

const conclude = async (
  started: StartedQuote | QuoteCheck,
  { checks, verified }: Stage,
  options: AttestationOptions,
): Promise<QuoteVerdict> => {
  const parts = 'quote' in started ? await partsOf(started, verified, options) : { ...NOTHING, checks: [started] }
  const verdict = verdictOf({ ...parts, checks: [...checks, ...parts.checks], root: rootOf(options.root) })
  // Only now: collateral alone, or with a quote that is refused, must not be able to shut out older collateral.
  if (verdict.accepted && verified !== null && options.memory) await remember(options.memory, verified)
  return verdict
}

const NOTHING = { status: null, tcbDate: null, advisories: [], measurements: null, expires: null, platform: null } as const

/** A root that is not Intel's is a development root, whatever it is called. */
const rootOf = ({ spkiHash, development }: TrustedRoot): QuoteVerdict['root'] =>
  !development && toHex(spkiHash) === INTEL_ROOT ? 'intel' : 'development'

type OwnParts = Omit<VerdictParts, 'root'>

const partsOf = async (
  started: StartedQuote,
  handle: VerifiedCollateral | null,
  { policy, at, ecdsa }: AttestationOptions,
): Promise<OwnParts> => {
  const { quote, shape, pck, leaf } = started
  const { body, header, signature } = quote
  const sgx = typeof pck === 'string' ? null : pck.chain[0].sgx
  const [own, chain] = await Promise.all([started.checks, handle === null ? [] : checkPck(pck, handle, { at, ecdsa, leaf })])
  const parts = { ...NOTHING, checks: [shape, ...own, ...chain], measurements: measurementsOf(body), platform: sgx && platformOf(sgx) }
  if (handle === null) return parts
  const qe = checkQe(signature.certification.qeReport, handle.qeIdentity, header.teeType)
  const platform = sgx && checkPlatform(header.teeType, sgx, handle.tcbInfo)
  const module = checkModule(body, handle.tcbInfo)
  const tcb = sgx && platform?.state === 'passed' ? evaluateTcb(body, sgx, handle.tcbInfo, qe.level) : null
  const standing = tcb?.standing ?? null
  const appraisal = appraise(policy, { report: body, standing, platform: sgx, collateral: handle, at })
  return {
    ...parts,
    checks: [...parts.checks, ...(platform ? [platform] : []), qe.check, module, ...(tcb?.checks ?? []), ...appraisal.checks],
    status: standing?.status ?? null,
    tcbDate: standing && dateText(standing.tcbDate),
    advisories: standing?.advisories ?? [],
    expires: Math.min(handle.expires, appraisal.until, ...(typeof pck === 'string' ? [] : pck.chain.map(({ notAfter }) => notAfter))),
  }
}

const checkPck = async (
  pck: PckChain | string,
  handle: VerifiedCollateral,
  options: Parameters<typeof checkChain>[2],
): Promise<readonly QuoteCheck[]> => {
  if (typeof pck === 'string') return [check('quote.pckChain', 'failed', 'the certificate of the platform, with its chain', pck)]
  return [await checkChain(pck, handle, options), checkRevocation(pck, handle)]
}

/**
 * Whether the TCB info is of this quote's TEE and of this platform: another one's levels say nothing of it.
 *
 * @see TDX.md section 5
 */
const checkPlatform = (teeType: 'sgx' | 'tdx', { fmspc, pceid }: SgxExtension, info: TcbInfo): QuoteCheck => {
  const id = teeType.toUpperCase()
  const told = `${id}, FMSPC ${toHex(fmspc)}, PCEID ${toHex(pceid)}`
  const problems = [
    ...(info.id === id ? [] : [`the TCB info is of ${info.id}`]),
    ...(equal(info.fmspc, fmspc) ? [] : [`the TCB info is of FMSPC ${toHex(info.fmspc)}`]),
    ...(equal(info.pceId, pceid) ? [] : [`the TCB info is of PCEID ${toHex(info.pceId)}`]),
  ]
  return judge('quote.platform', problems, `TCB info of ${told}`, told)
}
