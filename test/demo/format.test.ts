import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ago, bytes, ether, problem, short } from '../../demo/wallet/format.ts'

describe('ether', () => {
  it.each([
    [0n, '0 ETH'],
    [1n, '0.000000000000000001 ETH'],
    [10n ** 18n, '1 ETH'],
    [1_500_000_000_000_000_000n, '1.5 ETH'],
    [10n ** 30n + 1n, '1000000000000.000000000000000001 ETH'],
  ])('%s wei is %s', (wei, text) => {
    expect(ether(wei)).toBe(text)
  })

  it('loses no digit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n }), (wei) => {
        const [whole = '', fraction = ''] = ether(wei).replace(' ETH', '').split('.')
        expect(BigInt(whole + fraction.padEnd(18, '0'))).toBe(wei)
      }),
    )
  })
})

it('short texts stay, long ones keep both ends', () => {
  expect(short('0x1234')).toBe('0x1234')
  expect(short(`0x${'ab'.repeat(20)}`)).toBe('0xababab…ababab')
})

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [12_345, '12 kB'],
  [99_600, '100 kB'],
  [999_600, '1.0 MB'],
  [5_400_000_000, '5.4 GB'],
])('%i bytes are %s', (count, text) => {
  expect(bytes(count)).toBe(text)
})

it.each([
  [-5_000, 'just now'],
  [500, 'just now'],
  [9_999, 'just now'],
  [10_000, '10 s ago'],
  [59_000, '50 s ago'],
  [119_999, '110 s ago'],
  [120_000, '2 min ago'],
  [180_000, '3 min ago'],
  [8_000_000, '2 h ago'],
])('%s ms are %s', (age, text) => {
  expect(ago(1_000_000_000, 1_000_000_000 + age)).toBe(text)
})

it('a problem is told with the causes that say more', () => {
  const error = new Error('no answer', { cause: new Error('no answer', { cause: new Error('refused') }) })
  expect(problem(error)).toBe('no answer: refused')
  expect(problem('text')).toBe('text')
})
