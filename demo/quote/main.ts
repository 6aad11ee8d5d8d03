import '../wallet/style.css'
import './style.css'
import { createChecker } from './checker.ts'
import { QuoteFiles } from './files.ts'
import { type Bytes, textOf } from './given.ts'
import { EventLog } from './log-view.ts'
import { QuoteTerms } from './terms.ts'
import { QuoteVerdictView } from './verdict-view.ts'

const ELEMENTS = {
  'quote-files': QuoteFiles,
  'quote-terms': QuoteTerms,
  'quote-verdict': QuoteVerdictView,
  'event-log': EventLog,
} as const

type Name = keyof typeof ELEMENTS

for (const [name, made] of Object.entries(ELEMENTS)) customElements.define(name, made)

/** An element of quote.html. */
const part = <K extends Name>(name: K): InstanceType<(typeof ELEMENTS)[K]> => {
  const element = document.querySelector(name)
  if (element === null) throw new Error(`quote.html has no <${name}>`)
  return element as InstanceType<(typeof ELEMENTS)[K]>
}

const [files, terms, verdict, log] = [part('quote-files'), part('quote-terms'), part('quote-verdict'), part('event-log')]
const ask = createChecker()

/** The dates of a document as it calls itself, unverified: only to propose a time. */
const span = (document: unknown): readonly [number, number] => {
  const { issueDate, nextUpdate } = JSON.parse(String(document)) as { readonly issueDate: string; readonly nextUpdate: string }
  return [Date.parse(issueDate), Date.parse(nextUpdate)]
}

/** A time in the middle of the dates of both documents: unix seconds, or null where there is none. */
const timeOf = (collateral: Bytes | undefined): number | null => {
  try {
    const { tcb_info, qe_identity } = JSON.parse(textOf(collateral ?? new Uint8Array()) ?? '') as Readonly<Record<string, unknown>>
    const [a, b] = [span(tcb_info), span(qe_identity)]
    const middle = (Math.max(a[0], b[0]) + Math.min(a[1], b[1])) / 2_000
    return Number.isFinite(middle) ? Math.floor(middle) : null
  } catch {
    return null
  }
}

const check = async (): Promise<void> => {
  const collateral = files.get('collateral')?.bytes
  terms.suggested = timeOf(collateral)
  const quote = files.get('quote')?.bytes
  if (quote === undefined) {
    verdict.show(null)
    log.show(null, false)
    return
  }
  verdict.busy()
  const answer = await ask({
    quote,
    collateral: collateral ?? new Uint8Array(),
    log: files.get('log')?.bytes ?? null,
    root: files.get('root')?.bytes ?? null,
    policy: terms.policy(),
    at: terms.at(),
  })
  if (answer === null) return
  verdict.show(answer)
  log.show('verdict' in answer ? answer.log : null, 'verdict' in answer && answer.verdict.accepted)
}

document.addEventListener('changed', () => void check())
document.addEventListener('dragover', (event) => event.preventDefault())
document.addEventListener('drop', (event) => {
  // Otherwise the browser would leave the page and show the file.
  event.preventDefault()
  void files.take([...(event.dataTransfer?.files ?? [])])
})
