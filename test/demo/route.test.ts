import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatRoute, type Route, readRoute } from '../../demo/wallet/route.ts'

const GROUP = 'ab'.repeat(32)

describe('a link to a part of the page', () => {
  it.each<Route>([
    { view: 'home' },
    { view: 'address', address: '0x5a0b54d5dc17e0aadc383d2db43b0a0d3e029c4c' },
    { view: 'refund', group: GROUP, position: 0n },
    { view: 'refund', group: GROUP, position: 1_234n },
    { view: 'filter', recipient: '0x5a', block: '' },
    { view: 'filter', recipient: '', block: '17' },
    { view: 'filter', recipient: 'a&b=c', block: '17' },
  ])('%o is read back', (route) => {
    expect(readRoute(formatRoute(route))).toEqual(route)
  })

  it.each([
    '',
    '#',
    '#/nowhere',
    '#/refund/ab/1',
    `#/refund/${GROUP}/-1`,
    `#/refund/${GROUP}/01`,
    `#/address/`,
    `#/all/${'x'.repeat(300)}`,
  ])('%j is home', (hash) => {
    expect(readRoute(hash)).toEqual({ view: 'home' })
  })

  it('whatever stands in the address bar is read without a throw', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => ['home', 'address', 'refund', 'filter'].includes(readRoute(`#${text}`).view)),
    )
  })
})
