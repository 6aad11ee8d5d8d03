import { html, nothing, type TemplateResult } from 'lit'
import type { QuoteVerdict } from '../../client/verify/quotes.ts'

const NAMES: Readonly<Record<string, string>> = {
  mrTd: 'MR_TD',
  rtmr0: 'RTMR0',
  rtmr1: 'RTMR1',
  rtmr2: 'RTMR2',
  rtmr3: 'RTMR3',
  mrSeam: 'MR_SEAM',
  mrSignerSeam: 'MR_SIGNER_SEAM',
  mrConfigId: 'MR_CONFIG_ID',
  mrOwner: 'MR_OWNER',
  mrOwnerConfig: 'MR_OWNER_CONFIG',
  mrServiceTd: 'MR_SERVICETD',
  seamAttributes: 'SEAM attributes',
  tdAttributes: 'TD attributes',
  xfam: 'XFAM',
  reportData: 'report data',
  teeTcbSvn: 'TEE TCB SVN at launch',
  teeTcbSvn2: 'TEE TCB SVN now',
  mrEnclave: 'MRENCLAVE',
  mrSigner: 'MRSIGNER',
  isvProdId: 'ISV product',
  isvSvn: 'ISV SVN',
}

const KINDS = { td10: 'TD, report 1.0', td15: 'TD, report 1.5', td15ex: 'TD, report 1.5 extended', sgx: 'SGX enclave' } as const

const copy = async (event: Event, text: string): Promise<void> => {
  const button = event.currentTarget as HTMLButtonElement
  const said = button.nextElementSibling
  try {
    await navigator.clipboard.writeText(text)
    if (said !== null) said.textContent = 'copied'
  } catch {
    // A browser may forbid it: the text can still be selected.
    if (said !== null) said.textContent = 'not allowed here'
  }
}

const value = ([name, found]: readonly [string, string | number | null]): TemplateResult | typeof nothing => {
  if (found === null) return nothing
  const shown = NAMES[name] ?? name
  const text = String(found)
  return html`<dt>${shown}</dt>
    <dd data-value=${name}>
      <code>${/^(?:00)+$/.test(text) ? `zero, ${text.length / 2} bytes` : text}</code>
      <button type="button" class="copy" @click=${(event: Event) => copy(event, text)}>Copy<span class="unseen"> ${shown}</span></button>
      <span role="status" class="copied"></span>
    </dd>`
}

/** What stands in the quote, whether it is accepted or not, and which of the two it is. */
export const values = ({ measurements, accepted }: QuoteVerdict): TemplateResult | typeof nothing => {
  if (measurements === null) return nothing
  const { kind, ...rest } = measurements
  return html`
    <h3>${accepted ? 'Measurements' : 'What the quote says of itself'}</h3>
    ${accepted ? nothing : html`<p class="why">It is not accepted: none of this may be believed.</p>`}
    <p>${KINDS[kind]}</p>
    <dl class="values">${Object.entries(rest).map(value)}</dl>
  `
}
