import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Bytes, utf8 } from '../../../client/primitives/bytes.ts'
import { type Certificate, DAY, makeCertificate } from '../../../node/transports/webtransport/certificate.ts'
import { openRotation, readTurn, type Turn, writeTurn } from '../../../node/transports/webtransport/rotation.ts'
import { manualClock } from './_clock.ts'

const MINUTE = 60_000

interface Kept {
  bytes: Bytes | null
  writes: number
}

const setUp = async (kept: Kept = { bytes: null, writes: 0 }, clock = manualClock()) => {
  const warnings: unknown[] = []
  const store = {
    load: async () => kept.bytes,
    store: async (bytes: Bytes) => {
      kept.bytes = bytes
      kept.writes += 1
    },
  }
  const rotation = await openRotation({ store, clock, warn: (error) => void warnings.push(error) })
  return { rotation, clock, kept, warnings }
}

const validAt = ({ certificate }: Certificate, at: number): boolean => {
  const x509 = new X509Certificate(certificate)
  return Date.parse(x509.validFrom) <= at && at <= Date.parse(x509.validTo)
}

describe('two certificates that overlap (libp2p specs, webtransport, "Certificates")', () => {
  test('four times a day for 100 days the current one is valid, a day to either side too, for less than 14 days', async () => {
    const { rotation, clock } = await setUp()
    for (let hour = 0; hour < 2_400; hour += 6) {
      const { current } = rotation.turn()
      for (const skew of [-DAY + MINUTE, 0, DAY - MINUTE]) expect(validAt(current, clock.now() + skew)).toBe(true)
      expect(current.notAfter - current.notBefore).toBeLessThan(14 * DAY)
      clock.pass(DAY / 4)
    }
  })

  test('an address with the current and the next hash works for 12 days from any moment, and noise names its hashes as long', async () => {
    const { rotation, clock } = await setUp()
    for (let start = 0; start < 10; start++) {
      const { current, next } = rotation.turn()
      const learned = [current, next].map(({ hash }) => hash)
      const at = clock.now()
      const later = manualClock(at)
      const other = await setUp({ bytes: writeTurn(rotation.turn()), writes: 0 }, later)
      for (let passed = 0; passed < 12 * DAY - 2 * MINUTE; passed += DAY / 8) {
        const turn = other.rotation.turn()
        expect(learned).toContainEqual(turn.current.hash)
        const named = [turn.previous, turn.current.hash, turn.next.hash]
        for (const hash of learned) expect(named).toContainEqual(hash)
        later.pass(DAY / 8)
      }
      clock.pass(2.9 * DAY)
    }
  })

  test('the next one takes over, and those who listen are told once', async () => {
    const { rotation, clock, kept } = await setUp()
    const told: Turn[] = []
    rotation.onChange((turn) => void told.push(turn))
    const before = rotation.turn()
    clock.pass(13 * DAY)
    const after = rotation.turn()
    expect(told).toEqual([after])
    expect(after.current).toEqual(before.next)
    expect(after.previous).toEqual(before.current.hash)
    expect(kept.writes).toBe(2)
    rotation.close()
    expect(clock.waiting()).toBe(0)
  })
})

describe('kept across restarts', () => {
  test('the same certificates come back, byte by byte', async () => {
    const { rotation, clock, kept } = await setUp()
    const again = await setUp(kept, clock)
    expect(again.rotation.turn()).toEqual(rotation.turn())
    expect(kept.writes).toBe(1)
    expect(again.warnings).toEqual([])
  })

  test('after a rest of less than a turn the next one is current; after two both are new', async () => {
    const { rotation, clock, kept } = await setUp()
    const { next } = rotation.turn()
    rotation.close()
    clock.pass(14 * DAY)
    const again = await setUp(kept, clock)
    expect(again.rotation.turn().current).toEqual(next)
    again.rotation.close()
    clock.pass(40 * DAY)
    const { current, previous } = (await setUp(kept, clock)).rotation.turn()
    expect(previous).toBeNull()
    expect(validAt(current, clock.now())).toBe(true)
  })

  test('a clock that was set back by weeks gets new ones: the old ones are not valid yet', async () => {
    const { kept, clock } = await setUp()
    const past = manualClock(clock.now() - 30 * DAY)
    const { rotation } = await setUp(kept, past)
    expect(validAt(rotation.turn().current, past.now())).toBe(true)
  })

  test.each<readonly [string, (good: Bytes, turn: Turn) => Bytes]>([
    ['nothing', () => utf8('')],
    ['other words', () => utf8('hello')],
    ['a cut file', (good) => good.slice(0, -100)],
    ['more behind it', (good) => utf8(`${Buffer.from(good)}x`)],
    ['a file of a megabyte', () => new Uint8Array(1_000_000)],
    ['a key of another', (_, turn) => writeTurn({ ...turn, current: { ...turn.current, key: turn.next.key } })],
    ['one certificate twice', (_, turn) => writeTurn({ ...turn, next: turn.current })],
    ['the two in the wrong order', (_, turn) => writeTurn({ ...turn, current: turn.next, next: turn.current })],
    ['one of a month', (_, turn) => writeTurn({ ...turn, next: makeCertificate(turn.next.notBefore, turn.next.notBefore + 30 * DAY) })],
  ])('%s is refused without a word of what is in it, and replaced', async (_, spoil) => {
    const { kept, clock, rotation } = await setUp()
    kept.bytes = spoil(kept.bytes as Bytes, rotation.turn())
    const again = await setUp(kept, clock)
    expect(again.warnings).toMatchObject([{ name: 'WebTransport.CertificateError' }])
    expect(String(again.warnings[0])).not.toContain('PRIVATE')
    expect(readTurn(kept.bytes as Bytes)).toEqual(again.rotation.turn())
  })

  test('a place that cannot be written is told at the start, and only noted later', async () => {
    const broken = { load: async () => null, store: () => Promise.reject(new Error('the disk is full')) }
    await expect(openRotation({ store: broken, clock: manualClock(), warn: () => {} })).rejects.toThrow('the disk is full')
    const clock = manualClock()
    let isFull = false
    const warnings: unknown[] = []
    const store = { load: async () => null, store: async () => (isFull ? Promise.reject(new Error('the disk is full')) : undefined) }
    const rotation = await openRotation({ store, clock, warn: (error) => void warnings.push(error) })
    const { next } = rotation.turn()
    isFull = true
    clock.pass(13 * DAY)
    await new Promise((resolve) => setImmediate(resolve))
    expect(warnings).toHaveLength(1)
    expect(rotation.turn().current).toEqual(next)
  })
})
