import { html, nothing, type TemplateResult } from 'lit'
import { Part } from '../wallet/part.ts'
import { type Given, KINDS, type Kind, kindOf, MOST } from './given.ts'

const LABELS: Readonly<Record<Kind, string>> = {
  quote: 'Quote',
  collateral: 'Collateral',
  log: 'Event log',
  root: 'Root of your own',
}

const HINTS: Readonly<Record<Kind, string>> = {
  quote: 'raw, hex or base64, of TDX or SGX',
  collateral: 'JSON: certificates, CRLs, TCB info and QE identity as a PCCS gives them',
  log: 'optional: the CCEL area of the same machine',
  root: 'optional: PEM. Only for tests: whatever stands on it is no word of Intel’s',
}

/** Where quote, collateral, log and root come in: chosen, dropped anywhere on the page, or pasted. */
export class QuoteFiles extends Part {
  readonly #given = new Map<Kind, Given>()
  #said = ''

  get(kind: Kind): Given | null {
    return this.#given.get(kind) ?? null
  }

  /** Takes what was dropped or pasted, each by what it is. */
  async take(files: readonly File[]): Promise<void> {
    for (const file of files) await this.#read(file, null)
    this.#changed()
  }

  async #read(file: File, wanted: Kind | null): Promise<void> {
    if (file.size > MOST[wanted ?? 'collateral']) return this.#say(`${file.name} has ${file.size} bytes: that is none of these.`)
    const bytes = new Uint8Array(await file.arrayBuffer())
    const kind = wanted ?? kindOf(bytes)
    if (kind === null) return this.#say(`What ${file.name} is cannot be told: choose it where it belongs.`)
    if (bytes.length > MOST[kind]) return this.#say(`${file.name} has ${bytes.length} bytes, at most ${MOST[kind]} are read.`)
    this.#given.set(kind, { name: file.name, bytes })
    this.#say(`${LABELS[kind]}: ${file.name}, ${bytes.length} bytes.`)
  }

  #say(text: string): void {
    this.#said = text
    this.requestUpdate()
  }

  #changed(): void {
    this.dispatchEvent(new CustomEvent('changed', { bubbles: true }))
  }

  readonly #choose = async (event: Event, kind: Kind): Promise<void> => {
    const input = event.target as HTMLInputElement
    const file = input.files?.[0]
    if (file === undefined) return
    await this.#read(file, kind)
    // The same file can be chosen again after it was written anew.
    input.value = ''
    this.#changed()
  }

  readonly #paste = (event: Event): void => {
    const area = event.target as HTMLTextAreaElement
    if (area.value.trim() === '') return
    void this.take([new File([area.value], 'what was pasted')])
    area.value = ''
  }

  readonly #forget = (kind: Kind): void => {
    this.#given.delete(kind)
    this.#say(`${LABELS[kind]}: none.`)
    this.#changed()
    this.querySelector<HTMLInputElement>(`#file-${kind}`)?.focus()
  }

  #row(kind: Kind): TemplateResult {
    const given = this.#given.get(kind)
    const forget = html`<button type="button" @click=${() => this.#forget(kind)}>Remove<span class="unseen"> ${LABELS[kind]}</span></button>`
    return html`
      <label for="file-${kind}">${LABELS[kind]}</label>
      <div>
        <input id="file-${kind}" type="file" aria-describedby="hint-${kind}" @change=${(event: Event) => this.#choose(event, kind)} />
        <small id="hint-${kind}">${HINTS[kind]}</small>
        ${given ? html`<p class="given"><strong>${given.name}</strong>, ${given.bytes.length} bytes ${forget}</p>` : nothing}
      </div>
    `
  }

  override render(): TemplateResult {
    return html`
      <div class="inputs">
        ${KINDS.map((kind) => this.#row(kind))}
        <label for="pasted">Or paste one</label>
        <textarea id="pasted" rows="2" spellcheck="false" autocomplete="off" @input=${this.#paste}></textarea>
      </div>
      <p><small>Files can be dropped anywhere on this page, several at once.</small></p>
      <p role="status">${this.#said}</p>
    `
  }
}
