import type { Page } from 'playwright'

/** Positions of the refunds that a tab shows live, in the order of the page: newest first. '?' is a row that names none. */
export type Listing = readonly string[]

/** What a tab has shown so far. */
export interface Sequence {
  /** The oldest position of its first rows. */
  readonly first: bigint | null
  readonly newest: bigint | null
  readonly problems: readonly string[]
}

export const NOTHING: Sequence = { first: null, newest: null, problems: [] }

/** Rows that the page keeps: demo/wallet/all-refunds.ts. */
export const MOST_ROWS = 100
/** What is kept of a tab that goes on showing nonsense. */
const MOST_PROBLEMS = 20

/** How many items a tab has shown, each counted once. */
export const shownIn = ({ first, newest }: Sequence): number => (first === null || newest === null ? 0 : Number(newest - first) + 1)

/** A tab's sequence after its rows changed. An item that is missing or shown twice is a problem, whenever it happens. */
export const followed = (before: Sequence, listing: Listing): Sequence => {
  // A gap stands there until it leaves at the bottom, and is one problem all that time.
  const problems = [...new Set([...before.problems, ...problemsOf(before, listing)])].slice(0, MOST_PROBLEMS)
  const [top, bottom] = [listing[0], listing.at(-1)]
  if (!isPosition(top) || !isPosition(bottom)) return { ...before, problems }
  return { first: before.first ?? BigInt(bottom), newest: BigInt(top), problems }
}

const isPosition = (text: string | undefined): text is string => text !== undefined && /^\d{1,20}$/.test(text)

const problemsOf = ({ newest }: Sequence, listing: Listing): readonly string[] => {
  if (listing.length === 0) return newest === null ? [] : [`every row is gone after position ${newest}`]
  const odd = listing.find((text) => !isPosition(text))
  if (odd !== undefined) return [`a row names ${JSON.stringify(odd)} as its position`]
  const positions = listing.map(BigInt)
  const problems: string[] = []
  if (listing.length > MOST_ROWS) problems.push(`${listing.length} rows are kept, ${MOST_ROWS} at most`)
  positions.forEach((position, i) => {
    const above = positions[i - 1]
    if (above === undefined || position + 1n === above) return
    problems.push(positions.indexOf(position) < i ? `position ${position} is shown twice` : `position ${position} follows ${above}`)
  })
  const [top, bottom] = [positions[0] as bigint, positions.at(-1) as bigint]
  if (newest !== null && top < newest) problems.push(`the newest row went back from ${newest} to ${top}`)
  if (newest !== null && bottom > newest + 1n) problems.push(`positions ${newest + 1n} to ${bottom - 1n} were never shown`)
  return problems
}

/** The listing that a page told of in runs, such as "9-4,2". A text that is no run is a row of its own. */
export const listingOf = (runs: string): Listing => (runs === '' ? [] : runs.split(',').flatMap(positionsIn))

const positionsIn = (run: string): Listing => {
  const [, top, bottom] = /^(\d{1,15})-(\d{1,15})$/.exec(run) ?? []
  const length = Number(top) - Number(bottom) + 1
  return length > 1 ? Array.from({ length }, (_, i) => String(Number(top) - i)) : [run]
}

/**
 * Calls `see` with the rows of a page, now and after every change to them. The page tells them in runs, each a position or the first and the
 * last of some that count down: a listing that is as it should be is a dozen bytes, so that who watches twenty tabs is not what they wait for.
 */
export const watchRows = async (page: Page, see: (listing: Listing) => void): Promise<void> => {
  await page.exposeFunction('soakSees', (runs: string) => see(listingOf(runs)))
  await page.evaluate(() => {
    const { soakSees } = globalThis as unknown as { readonly soakSees: (runs: string) => Promise<void> }
    let last: string | null = null
    const look = (): void => {
      const runs: string[][] = []
      for (const { dataset } of document.querySelectorAll<HTMLElement>('#live li.refund')) {
        const position = dataset.position ?? '?'
        const run = runs.at(-1)
        if (run !== undefined && /^\d{1,15}$/.test(position) && Number(run.at(-1)) === Number(position) + 1) run[1] = position
        else runs.push([position])
      }
      const now = runs.map((run) => run.join('-')).join()
      if (now === last) return
      last = now
      void soakSees(now)
    }
    const place = document.querySelector('#live')
    if (place === null) throw new Error('the page has no #live')
    new MutationObserver(look).observe(place, { childList: true, subtree: true, attributeFilter: ['data-position'] })
    look()
  })
}

/** What stands in a row, as a person reads it. */
export interface Row {
  readonly position: string
  /** Such as "block 17". */
  readonly block: string
}

export const rowsOf = (page: Page): Promise<readonly Row[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('#live li.refund')].map((row) => ({
      position: row.dataset.position ?? '',
      block: row.querySelector('.block')?.textContent?.trim() ?? '',
    })),
  )
