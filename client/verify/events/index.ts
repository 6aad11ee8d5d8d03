// The event log of a TD: what a measurement is made of. Apart from the quote's verification, which needs none of it.

export { EventLogError } from './cursor.ts'
export { LOG_BYTES, LOG_EVENTS, type Register } from './log.ts'
export {
  type DataState,
  type ExplainedEvent,
  type ExplainedRegister,
  type Explanation,
  explainMeasurements,
  type QuotedRegisters,
  type Replay,
  replayEventLog,
} from './replay.ts'
export { type CcelTable, readCcelTable } from './table.ts'
