import { CoalitionError } from '../../error.ts'
import type { Store } from '../../groups/storage.ts'
import { type Bytes, concat, toHex, utf8 } from '../../primitives/bytes.ts'
import { decode, encode, type Of, struct, u32, u64 } from '../../primitives/codec.ts'
import type { QuoteCheck } from '../attestation.ts'
import type { CheckState } from '../verdict.ts'
import { check } from './checks.ts'
import { dateText } from './fields.ts'
import type { VerifiedCollateral } from './verified.ts'

// Intel re-issues TCB information every month, and a platform that was UpToDate under number 17 may be OutOfDate under 18 while both are
// valid. Whoever chooses the collateral would choose the older; so a reader never goes back behind what it accepted a quote under.

/** Where the records are kept: any map of byte strings that outlives the process. */
export interface RollbackMemory {
  readonly get: (key: Bytes) => Promise<Bytes | null>
  /** Resolves when the value survives a power cut. */
  readonly put: (key: Bytes, value: Bytes) => Promise<void>
}

/** The memory in a store of the storage port, under keys that begin with `tdx rollback v1|`. */
export const rollbackMemory = (store: Store): RollbackMemory => ({
  get: store.get,
  put: (key, value) => store.write([{ key, value }], { sync: true }),
})

/** What the memory looks at in a handle. */
export type Rollback = Pick<VerifiedCollateral, 'root' | 'tcbInfo' | 'qeIdentity'>

const recordCodec = struct('RollbackRecord', { evaluation: u32, issueDate: u64 })
type RollbackRecord = Of<typeof recordCodec>

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
    record: { evaluation, issueDate: BigInt(issueDate) },
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
    return rollbackCheck('failed', 'nothing older than what was accepted before', thrown instanceof Error ? thrown.message : String(thrown))
  }
  const problems = entries.flatMap((entry, i) => backwards(entry, known[i] ?? null))
  const found = problems.length > 0 ? problems : entries.map(({ document, record }) => `${document}: ${told(record)}`)
  const expected = entries.map(({ document }, i) => `${document}: ${bound(known[i] ?? null)}`).join('; ')
  return rollbackCheck(problems.length > 0 ? 'failed' : 'passed', expected, found.join('; '))
}

/** A check of the rollback as it came out. */
export const rollbackCheck = (state: CheckState, expected: string, found: string): QuoteCheck =>
  check('collateral.rollback', state, found, expected)

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

const dateOf = ({ issueDate }: RollbackRecord): string => dateText(Number(issueDate))

// One update of a memory at a time: two that read before either wrote would leave the lower number. Within one process; two processes on
// one store may each be behind by what the other accepted in the same moment.
const updates = new WeakMap<RollbackMemory, Promise<void>>()

/**
 * Raises the memory to a handle's numbers and dates. To be called once a quote was accepted under it, never before: collateral alone, which
 * anybody can send, must not be able to refuse older collateral for a reader. It never lowers anything, and calls may overlap.
 *
 * @throws whatever the memory throws; RollbackRecordError for a record that cannot be read, which is left as it is
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
    const next = before === null ? record : highest(record, before)
    if (before === null || next.evaluation !== before.evaluation || next.issueDate !== before.issueDate)
      await memory.put(key, encode(recordCodec, next))
  }
}

const highest = (a: RollbackRecord, b: RollbackRecord): RollbackRecord => ({
  evaluation: Math.max(a.evaluation, b.evaluation),
  issueDate: [a, b].reduce((most, { issueDate }) => (issueDate > most ? issueDate : most), 0n),
})

const recall = async (memory: RollbackMemory, { key, document }: Entry): Promise<RollbackRecord | null> => {
  const bytes = await memory.get(key)
  if (bytes === null) return null
  try {
    return decode(recordCodec, bytes)
  } catch (cause) {
    throw new RollbackRecordError(document, cause)
  }
}

/** A record of the rollback memory that is not one. Nothing is accepted while it stands: to take it for "nothing known" would be to go back. */
export class RollbackRecordError extends CoalitionError {
  declare readonly document: string

  constructor(document: string, cause: unknown) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    super('Verify.RollbackRecordError', `record of ${document}: ${problem}`, { document, problem }, { cause })
  }
}
