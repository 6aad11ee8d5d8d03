/** What happened, in order. Two runs were the same if their digests are. */
export class Trace {
  readonly lines: string[] | null
  /** FNV-1a over the lines. */
  #digest = 0x811c9dc5

  constructor(keep: boolean) {
    this.lines = keep ? [] : null
  }

  get digest(): string {
    return this.#digest.toString(16).padStart(8, '0')
  }

  note(at: number, line: string): void {
    const text = `${at.toFixed(3)} ${line}`
    let digest = this.#digest
    for (let i = 0; i < text.length; i++) digest = Math.imul(digest ^ text.charCodeAt(i), 0x01000193)
    this.#digest = digest >>> 0
    this.lines?.push(text)
  }
}
