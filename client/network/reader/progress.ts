import { toHex } from '../../primitives/bytes.ts'
import type { StateReport } from '../handle.ts'
import type { Progress } from '../network.ts'
import type { Reader } from './reader.ts'

type Listener = (progress: Progress) => void

/** Tells of a reader that somebody waits for, with every change, until it is stopped. */
export const tellProgress = (reader: Reader, listener: Listener | undefined): { readonly tell: () => void; readonly stop: () => void } => {
  if (listener === undefined) return { tell: () => {}, stop: () => {} }
  let last = ''
  const told = (report: StateReport): void => {
    const progress = progressOf(reader, report)
    const text = JSON.stringify(progress)
    if (text === last) return
    last = text
    listener(progress)
  }
  // A listener that throws is a page's mistake and must not fail the opening, no more than one of states stops a reader.
  const tell = (): void => {
    try {
      told(reader.report)
    } catch (error) {
      reader.options.host.log('warn', 'a progress listener threw', { problem: error instanceof Error ? error.message : String(error) })
    }
  }
  tell()
  return { tell, stop: reader.reports.listen(told) }
}

const progressOf = ({ options, trusted }: Reader, { state, detail, peers }: StateReport): Progress => ({
  stage: trusted !== null ? 'live' : state === 'connecting' ? 'dialing' : 'syncing',
  surface: options.component,
  group: toHex(options.ground.identified.group),
  reached: peers.filter(({ connected }) => connected).length,
  peers: peers.length,
  detail: trusted === null ? detail : null,
})
