import axe from 'axe-core'
import type { Page } from 'playwright'

/** A file that a person has. */
export interface Upload {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Drops files on the page, as a person would. */
export const drop = (page: Page, files: readonly Upload[]): Promise<void> =>
  page.evaluate(
    (given) => {
      const transfer = new DataTransfer()
      for (const { name, base64 } of given) {
        transfer.items.add(new File([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], name))
      }
      document.querySelector('main')?.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }))
    },
    files.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString('base64') })),
  )

export const choose = (page: Page, label: string, { name, bytes }: Upload): Promise<void> =>
  page
    .locator('quote-files')
    .getByLabel(label, { exact: true })
    .setInputFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) })

/** Rules that are broken, by name and how badly; the page's own policy forbids it an inline script, so axe comes in by the debugger. */
export const broken = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as { axe: { run: () => Promise<{ violations: { id: string; impact: string }[] }> } }
    ).axe.run()
    return violations.map(({ id, impact }) => `${id} (${impact})`)
  })
}
