import { describe, expect, it } from 'vitest'
import { createQuota, originOf } from '../../node/transports/addresses.ts'

describe('the origin of a connection', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  ])('of %s is %s', (address, origin) => {
    expect(originOf(address)).toBe(origin)
  })
})

describe('a quota', () => {
  it('gives what it has to each, and again what came back, once', () => {
    const quota = createQuota(2)
    const [first, second] = [quota.take('a'), quota.take('a')]
    expect([first, second].every((release) => release !== null)).toBe(true)
    expect(quota.take('a')).toBe(null)
    expect(quota.take('b')).not.toBe(null)
    first?.()
    first?.()
    expect(quota.take('a')).not.toBe(null)
    expect(quota.take('a')).toBe(null)
  })

  it('gives the origin of a proxy as much as it asks for, and others no more for that', () => {
    const quota = createQuota(1, ['192.0.2.7', '2001:db8::1'])
    const origins = ['192.0.2.7', '192.0.2.7', originOf('::ffff:192.0.2.7'), originOf('2001:db8::1'), originOf('2001:db8::2')]
    expect(origins.map((origin) => quota.take(origin)).filter((release) => release === null)).toEqual([])
    expect([quota.take('192.0.2.8') !== null, quota.take('192.0.2.8')]).toEqual([true, null])
  })
})
