import { el } from './dom.ts'
import { refusal } from './verdict.ts'

/** Milliseconds until the next try without being asked: members come back, and liars are replaced. */
const PAUSE = 5_000

/** Shows what went wrong, and resolves when it is time to try again. It stays on the page until something takes its place. */
export const again = (note: HTMLElement, error: unknown): Promise<void> =>
  new Promise((resolve) => {
    const button = el('button', { type: 'button' }, 'Try again now')
    const timer = setTimeout(resolve, PAUSE)
    button.addEventListener('click', () => {
      clearTimeout(timer)
      resolve()
    })
    note.replaceChildren(refusal(error, button))
  })
