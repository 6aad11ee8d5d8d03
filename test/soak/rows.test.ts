import { describe, expect, it } from 'vitest'
import { followed, type Listing, listingOf, NOTHING, shownIn } from './rows.ts'

/** What a tab that shows these rows, one after the other, is told. */
const problemsAfter = (...listings: readonly Listing[]): readonly string[] => listings.reduce(followed, NOTHING).problems

const down = (top: number, bottom: number): Listing => Array.from({ length: top - bottom + 1 }, (_, i) => String(top - i))

describe('the rows of a tab that stays open', () => {
  it('are what they should be: one more on top, the oldest leaves, older ones are paged to', () => {
    const listings = [[], ['4'], ['5', '4'], down(8, 4), down(9, 6), down(9, 2)]
    const sequence = listings.reduce(followed, NOTHING)
    expect(sequence).toEqual({ first: 4n, newest: 9n, problems: [] })
    expect([shownIn(NOTHING), shownIn(sequence)]).toEqual([0, 6])
  })

  it('show a missed item, inside a listing and between two', () => {
    expect(problemsAfter(['7', '5'])).toEqual(['position 5 follows 7'])
    expect(problemsAfter(['5'], ['9', '8'])).toEqual(['positions 6 to 7 were never shown'])
  })

  it('show a repeated item', () => {
    expect(problemsAfter(['6', '5', '5'])).toEqual(['position 5 is shown twice'])
    expect(problemsAfter(['6', '5'], ['5'])).toEqual(['the newest row went back from 6 to 5'])
  })

  it('show an item out of order, one without a position, lost rows, and more rows than a page may keep', () => {
    expect(problemsAfter(['5', '6'])).toEqual(['position 6 follows 5'])
    expect(problemsAfter(['5', '?'])).toEqual(['a row names "?" as its position'])
    expect(problemsAfter(['5'], [])).toEqual(['every row is gone after position 5'])
    expect(problemsAfter(down(100, 0))).toEqual(['101 rows are kept, 100 at most'])
  })

  it.each<readonly [string, Listing]>([
    ['', []],
    ['7', ['7']],
    ['9-4,2', [...down(9, 4), '2']],
    ['9-8,8-7', ['9', '8', '8', '7']],
    ['4-9', ['4-9']],
    ['9-9', ['9-9']],
    ['5,?,?', ['5', '?', '?']],
  ])('are told as %j', (runs, listing) => {
    expect(listingOf(runs)).toEqual(listing)
  })

  it('are wrong once for as long as they stand there, and not listed without end', () => {
    expect(problemsAfter(['7', '5'], ['8', '7', '5'])).toEqual(['position 5 follows 7'])
    expect(problemsAfter(...Array.from({ length: 1_000 }, (_, i) => [String(10 * i)]))).toHaveLength(20)
  })
})
