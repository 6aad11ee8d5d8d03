import { CoalitionError } from '../../error.ts'
import { type Bytes, concat, toHex, utf8 } from '../../primitives/bytes.ts'
import { check, type QuoteCheck } from '../attestation.ts'
import { collateralCheck } from './checks.ts'
import { dateText } from './fields.ts'
import type { VerifiedCollateral } from './verified.ts'

// Intel re-issues TCB information every month, and a platform that was UpToDate under number 17 may be OutOfDate under 18 while both are
// valid. Whoever chooses the collateral would choose the older; so a reader never goes back behind what it accepted a quote under.

/** What a quote was accepted under: of one FMSPC, one of Intel's two documents, and one root. */
export interface RollbackRecord {
  /** tcbEvaluationDataNumber */
  readonly evaluation: number
  /** Unix seconds. */
  readonly issueDate: number
}

/** Where the records are kept: any map by byte strings that outlives the process. */
export interface RollbackMemory {
  /** What was put there last, or null. What is no record is refused. */
  readonly get: (key: Bytes) => Promise<RollbackRecord | null>
  /** Resolves when the record survives a power cut. */
  readonly put: (key: Bytes, record: RollbackRecord) => Promise<void>
}

/** What the memory looks at in a handle. */
export type Rollback = Pick<VerifiedCollateral, 'root' | 'tcbInfo' | 'qeIdentity'>

interface Entry {
  readonly document: string
  readonly key: Bytes
  readonly record: RollbackRecord
}

const PREFIX = 'tdx rollback v1|'

/** The root is part of the key: what a development root signed must not lock out, or let in, what Intel signs. */
const entriesOf = ({ root, tcbInfo, qeIdentity }: Rollback): readonly Entry[] =>
  [tcbInfo, qeIdentity].map(({ id, evaluation, issueDate }) => ({
    document: `${id === 'SGX' || id === 'TDX' ? 'TCB info' : 'QE identity'} ${id} of ${toHex(tcbInfo.fmspc)}`,
    key: concat(utf8(PREFIX), root.spkiHash, tcbInfo.fmspc, utf8(id)),
    record: { evaluation, issueDate },
  }))

/**
 * Whether collateral goes back behind what a quote of the same FMSPC was accepted under: a lower evaluation number or an older issue date of
 * either document. To be asked again when a cached handle is used. A memory that cannot be read fails the check: nothing is accepted while
 * nobody can say what was accepted before.
 *
 * @see TDX.md section 5
 */
export const checkRollback = async (memory: RollbackMemory, handle: Rollback): Promise<QuoteCheck> => {
  const entries = entriesOf(handle)
  let known: readonly (RollbackRecord | null)[]
  try {
    known = await Promise.all(entries.map((entry) => recall(memory, entry)))
  } catch (thrown) {
    return collateralCheck('collateral.rollback', 'failed', thrown instanceof Error ? thrown.message : String(thrown))
  }
  const problems = entries.flatMap((entry, i) => backwards(entry, known[i] ?? null))
  const found = problems.length > 0 ? problems : entries.map(({ document, record }) => `${document}: ${told(record)}`)
  const expected = entries.map(({ document }, i) => `${document}: ${bound(known[i] ?? null)}`).join('; ')
  return check('collateral.rollback', problems.length > 0 ? 'failed' : 'passed', expected, found.join('; '))
}

const backwards = ({ document, record }: Entry, before: RollbackRecord | null): string[] => {
  if (before === null) return []
  const problems = []
  if (record.evaluation < before.evaluation) problems.push(`${document}: evaluation number ${record.evaluation} after ${before.evaluation}`)
  if (record.issueDate < before.issueDate) problems.push(`${document}: issued ${dateOf(record)} after one of ${dateOf(before)}`)
  return problems
}

const bound = (before: RollbackRecord | null): string =>
  before === null ? 'any, none was accepted before' : `number ${before.evaluation} or higher, issued ${dateOf(before)} or later`

const told = (record: RollbackRecord): string => `number ${record.evaluation}, issued ${dateOf(record)}`

const dateOf = ({ issueDate }: RollbackRecord): string => dateText(issueDate)

// One update of a memory at a time: two that read before either wrote would leave the lower number. Within one process; two processes on
// one store may each be behind by what the other accepted in the same moment.
const updates = new WeakMap<RollbackMemory, Promise<void>>()

/**
 * Raises the memory to a handle's numbers and dates. To be called once a quote was accepted under it, never before: collateral alone, which
 * anybody can send, must not be able to refuse older collateral for a reader. It never lowers anything, and calls may overlap.
 *
 * @throws whatever `put` throws; RollbackRecordError for a record that cannot be read, which is left as it is
 */
export const remember = (memory: RollbackMemory, handle: Rollback): Promise<void> => {
  const before = updates.get(memory) ?? Promise.resolve()
  const update = before.then(() => raise(memory, entriesOf(handle)))
  // What failed for one caller is told to that caller only.
  updates.set(
    memory,
    update.catch(() => undefined),
  )
  return update
}

const raise = async (memory: RollbackMemory, entries: readonly Entry[]): Promise<void> => {
  for (const entry of entries) {
    const { key, record } = entry
    const before = await recall(memory, entry)
    const next = highest(record, before)
    if (before === null || next.evaluation !== before.evaluation || next.issueDate !== before.issueDate) await memory.put(key, next)
  }
}

/** What goes back behind neither. */
export const highest = (a: RollbackRecord, b: RollbackRecord | null): RollbackRecord =>
  b === null ? a : { evaluation: Math.max(a.evaluation, b.evaluation), issueDate: Math.max(a.issueDate, b.issueDate) }

const recall = async (memory: RollbackMemory, { key, document }: Entry): Promise<RollbackRecord | null> => {
  const record = await memory.get(key).catch((cause: unknown) => {
    throw new RollbackRecordError(document, cause instanceof Error ? cause.message : String(cause), cause)
  })
  // A comparison with what is no number is false in both directions, and everything would pass.
  if (record !== null && !(isCount(record.evaluation) && isCount(record.issueDate)))
    throw new RollbackRecordError(document, 'has no evaluation number and issue date')
  return record
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** A record of the rollback memory that cannot be read, or is none. Nothing is accepted while it stands: to take it for "nothing known" would be to go back. */
export class RollbackRecordError extends CoalitionError {
  declare readonly document: string
  declare readonly problem: string

  constructor(document: string, problem: string, cause?: unknown) {
    super('Verify.RollbackRecordError', `record of ${document}: ${problem}`, { document, problem }, { cause })
  }
}
