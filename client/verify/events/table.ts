import type { Bytes } from '../../primitives/bytes.ts'
import { cursor, EventLogError } from './cursor.ts'

// The ACPI table that says where the log lies (ACPI 6.5 section 5.2.34, "Confidential Computing Event Log").

export type CcelTable = {
  /** Bytes of the area that holds the log, padding included. */
  readonly length: bigint
  /** Where the area began in the guest's physical memory. */
  readonly address: bigint
}

const SIZE = 56
const TDX = 2
const SIGNATURE = 0x4c45_4343 // "CCEL", low byte first

/**
 * Reads the table that goes with a log.
 *
 * @param bytes all of the table, 56 bytes
 * @throws EventLogError naming path and offset, also for a table of another TEE than TDX
 */
export const readCcelTable = (bytes: Bytes): CcelTable => {
  const from = cursor(bytes)
  if (from.u32('table.signature') !== SIGNATURE) throw new EventLogError('table.signature', 0, 'is not "CCEL"')
  const length = from.u32('table.length')
  if (length !== SIZE || bytes.length !== SIZE)
    throw new EventLogError('table.length', 4, `is ${length} of ${bytes.length} bytes, not ${SIZE}`)
  if (bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0) !== 0) throw new EventLogError('table.checksum', 9, 'does not make the sum zero')
  // Revision, checksum, and who made the table.
  from.bytes('table.maker', 28)
  const typeAt = from.at
  const type = from.u8('table.ccType')
  if (type !== TDX) throw new EventLogError('table.ccType', typeAt, `is ${type}, not ${TDX} (TDX)`)
  from.u8('table.ccSubtype')
  from.u16('table.reserved')
  return { length: from.u64('table.logLength'), address: from.u64('table.logAddress') }
}
