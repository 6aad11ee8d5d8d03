import { expect, test } from 'vitest'
import { createQuota, originOf } from '../../../../node/transports/addresses.ts'
import { type Admission, createAdmission, type Place } from '../../../../node/transports/webtransport/quic/admission.ts'

const LIMITS = { connections: 10, pending: 6, unchecked: 2, perSecond: 4 }
const setUp = (limits: Partial<typeof LIMITS> = {}, perOrigin = 3) => {
  const clock = { now: 0 }
  const admission = createAdmission({ ...LIMITS, ...limits }, { ...createQuota(perOrigin), originOf }, () => clock.now)
  return { admission, clock }
}
const places = (admission: Admission, address: string, count: number): readonly (Place | 'retry' | 'full')[] =>
  Array.from({ length: count }, () => admission.ask(address, true, () => {}))
const words = (answers: readonly (Place | string)[]): readonly string[] => answers.map((each) => (typeof each === 'string' ? each : 'in'))

test('a first packet gets in without a Retry while few are unchecked, one an origin', () => {
  const { admission } = setUp()
  const first = admission.ask('192.0.2.1', false, () => {}) as Place
  expect(
    words([
      first,
      admission.ask('192.0.2.1', false, () => {}),
      admission.ask('192.0.2.2', false, () => {}),
      admission.ask('192.0.2.3', false, () => {}),
    ]),
  ).toEqual(['in', 'retry', 'in', 'retry'])
  first.check()
  expect(words([admission.ask('192.0.2.3', false, () => {})])).toEqual(['in'])
})

test('foreign names use up nobody’s share: an address that brings its token is let in', () => {
  const { admission } = setUp()
  for (let i = 0; i < 100; i++) admission.ask('192.0.2.1', false, () => {})
  expect(words(places(admission, '192.0.2.1', 2))).toEqual(['in', 'in'])
})

test('limits: by origin, by /64 of IPv6, in all, in a second; what is over the limit is not answered', () => {
  expect(words(places(setUp().admission, '192.0.2.1', 4))).toEqual(['in', 'in', 'in', 'full'])
  const { admission: v6 } = setUp()
  expect(words(['2001:db8::1', '2001:db8::2', '2001:db8::3:4', '2001:db8::5'].flatMap((address) => places(v6, address, 1)))).toEqual([
    'in',
    'in',
    'in',
    'full',
  ])
  const { admission: all } = setUp({ connections: 2 })
  expect(words(['1', '2', '3'].flatMap((last) => places(all, `192.0.2.${last}`, 1)))).toEqual(['in', 'in', 'full'])
  const { admission: fast, clock } = setUp({}, 100)
  expect(words(places(fast, '192.0.2.1', 5))).toEqual(['in', 'in', 'in', 'in', 'full'])
  clock.now += 1_000
  expect(words(places(fast, '192.0.2.1', 1))).toEqual(['in'])
})

test('one pending too many ends the oldest of the origin that has the most, and keeps nobody out', () => {
  const { admission } = setUp({ pending: 4 })
  const ended: string[] = []
  const ask = (last: string): Place | 'retry' | 'full' => admission.ask(`192.0.2.${last}`, true, () => ended.push(last))
  const [, , , settled] = [ask('1'), ask('1'), ask('1'), ask('2')]
  expect(words([ask('3')])).toEqual(['in'])
  ;(settled as Place).settle()
  expect(words([ask('4'), ask('5')])).toEqual(['in', 'in'])
  expect(ended).toEqual(['1', '1'])
})

test('a place is given back once, by its release, however often', () => {
  const { admission } = setUp({ connections: 2 })
  const [first, second] = ['1', '2'].flatMap((last) => places(admission, `192.0.2.${last}`, 1)) as [Place, Place]
  first.settle()
  expect(words(places(admission, '192.0.2.3', 1))).toEqual(['full'])
  second.release()
  second.release()
  second.settle()
  expect(words(places(admission, '192.0.2.3', 2))).toEqual(['in', 'full'])
})
