import { CoalitionError } from '../../client/error.ts'
import { type Io, UsageError } from '../io.ts'

/** What was understood and refused, or could not be had: exit 1. Any other error of ours is about the input: exit 2. */
const REFUSALS: ReadonlySet<string> = new Set([
  'Verify.EvidenceError',
  'Network.ConnectTimeoutError',
  'Network.EquivocationError',
  'Network.LinkError',
  'Network.ShutdownError',
  'Light.ServerError',
  'Group.WithstandError',
  'Group.RosterError',
])

/** Says what went wrong with a command, in one line. @returns its exit code; an error that nobody foresaw is thrown on */
export const report = (command: string, error: unknown, io: Io): number => {
  const refused = error instanceof CoalitionError && REFUSALS.has(error.name)
  // parseArgs throws TypeErrors with a code.
  const unusable = error instanceof CoalitionError || error instanceof UsageError || (error instanceof TypeError && 'code' in error)
  if (!unusable) throw error
  io.err(`coalition ${command}: ${refused ? 'refused: ' : ''}${plain(error.message).replace(/\s+/g, ' ')}`)
  if (!refused) io.err(`try: coalition ${command} --help`)
  return refused ? 1 : 2
}

/** Text of others for a terminal: a control or a change of direction in it could write over what stands there. Lines and tabs stay. */
export const plain = (text: string): string => text.replace(/[^\P{C}\n\t]/gu, '\ufffd')

/** A whole number from an option, or undefined when it was not given. @throws UsageError */
export const whole = (flag: string, text: string | undefined, most: number): number | undefined => {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!/^\d{1,10}$/.test(text) || value > most) throw new UsageError(`${flag} takes a whole number up to ${most}`)
  return value
}
