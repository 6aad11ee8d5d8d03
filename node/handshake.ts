import * as read from '../client/primitives/json.ts'
import { readJson } from './files.ts'

/** What an operator publishes, as far as a reader needs it. */
export interface Handshake {
  /** Tally's config, still JSON. */
  readonly tally: unknown
  /** Members' multiaddrs; none when the file names none. */
  readonly bootstrap: readonly string[]
  /** Another universe than the shared one, 64 hex digits. */
  readonly network: string | undefined
}

/** A config of a committee of 64 is 20 kB. */
const MAX_HANDSHAKE = 1_048_576

/**
 * A published handshake, `{ tally, bootstrap, network }`, or tally's config by itself.
 * @throws UsageError, ParseError
 */
export const readHandshake = async (file: string): Promise<Handshake> => {
  const whole = { value: await readJson(file, MAX_HANDSHAKE), path: '$' }
  const tally = read.optional(whole, 'tally')
  const bootstrap = read.optional(whole, 'bootstrap')
  const network = read.optional(whole, 'network')
  return {
    tally: tally ? tally.value : whole.value,
    bootstrap: bootstrap ? read.items(bootstrap, read.text) : [],
    network: network && read.text(network),
  }
}
