import { html, type TemplateResult } from 'lit'
import { refusal } from './verdict.ts'

/** Milliseconds until the next try without being asked: members come back, and liars are replaced. */
const PAUSE = 5_000

/** A failure that is shown until it is time to try again. */
export interface Failure {
  readonly error: unknown
  /** Null for what another try cannot mend. */
  readonly retry: (() => void) | null
}

/** Shows a failure, and resolves when its time is over or somebody asks for the next try. */
export const pause = (error: unknown, show: (failure: Failure) => void): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, PAUSE)
    const retry = (): void => {
      clearTimeout(timer)
      resolve()
    }
    show({ error, retry })
  })

export const failed = ({ error, retry }: Failure): TemplateResult =>
  refusal(error, retry === null ? null : html`<button type="button" @click=${retry}>Try again now</button>`)
