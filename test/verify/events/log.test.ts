import { describe, expect, it } from 'vitest'
import { type Bytes, concat, utf8 } from '../../../client/primitives/bytes.ts'
import { LOG_BYTES, LOG_EVENTS, readEventLog } from '../../../client/verify/events/log.ts'
import { digestOf, event, header, log, NONE, SHA384, u16, u32 } from './_log-writer.ts'

const one = { register: 1, type: 0x8000_0007, data: utf8('started') }
const HEADER = header().length

const refusal = (bytes: Bytes): { readonly path: string; readonly offset: number } => {
  try {
    readEventLog(bytes)
  } catch (error) {
    const { name, path, offset } = error as Error & { readonly path: string; readonly offset: number }
    expect(name).toBe('Verify.EventLogError')
    return { path, offset }
  }
  throw new Error('read what should be refused')
}

describe('event log, TCG PFP section 10.2', () => {
  it('gives events in order with their offsets and registers, index 0 being MR_TD and n RTMR n−1', () => {
    const drafts = [0, 1, 2, 3, 4].map((register) => ({ register, type: 5, data: utf8(`of ${register}`) }))
    const events = readEventLog(log(...drafts))
    expect(events.map(({ register }) => register)).toEqual(['mrTd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'])
    expect(events.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4].map((i) => HEADER + i * (12 + 50 + 4 + 4)))
    expect(events.map(({ data }) => data)).toEqual(drafts.map(({ data }) => data))
    expect(events[2]?.digest).toEqual(digestOf(utf8('of 2')))
  })

  it('takes a log of no events, with vendor info, and an area filled up with 00 or ff, of any length', () => {
    expect(readEventLog(header())).toEqual([])
    expect(readEventLog(header({ vendor: utf8('maker') }))).toEqual([])
    for (const filler of [0, 0xff])
      for (const length of [1, 3, 4, 11, 12, 13, 4096])
        expect(readEventLog(concat(log(one), new Uint8Array(length).fill(filler)))).toHaveLength(1)
  })

  it('refuses an area filled with anything else, with both, or with an event after it', () => {
    const zeros = new Uint8Array(64)
    for (const rest of [
      Uint8Array.of(1),
      concat(zeros, Uint8Array.of(0xff)),
      concat(new Uint8Array(64).fill(0xff), Uint8Array.of(0)),
      concat(zeros, event(one)),
    ])
      expect(refusal(concat(log(one), rest)).path).toMatch(/^events\[1\]\./)
  })

  it('copies what it keeps: neither the log nor a later change of it is held', () => {
    const bytes = log(one)
    const [read] = readEventLog(bytes)
    bytes.fill(0x55)
    expect(read?.data).toEqual(one.data)
    expect(read?.data.buffer.byteLength).toBe(one.data.length)
  })

  it('reads a view that does not begin where its buffer does', () => {
    const whole = concat(new Uint8Array(7), log(one))
    expect(readEventLog(whole.subarray(7))).toEqual(readEventLog(log(one)))
  })

  it('takes the SHA-384 digest among several, in any order, and one of each that the header lists', () => {
    const algorithms = [[0xb, 32], SHA384, [0x4, 20]] as const
    const values = new Map([
      [0xb, new Uint8Array(32).fill(1)],
      [0xc, digestOf(utf8('x'))],
      [0x4, new Uint8Array(20).fill(2)],
    ])
    const written = (ids: readonly number[]): Bytes =>
      concat(
        header({ algorithms }),
        u32(1),
        u32(5),
        u32(ids.length),
        ...ids.map((id) => concat(u16(id), values.get(id) ?? new Uint8Array(64))),
        u32(0),
      )
    expect(readEventLog(written([0x4, 0xc, 0xb]))[0]?.digest).toEqual(digestOf(utf8('x')))
    const at = header({ algorithms }).length
    expect(refusal(written([0xb, 0xc]))).toEqual({ path: 'events[0].digests', offset: at + 8 })
    expect(refusal(written([0xb, 0xb, 0xc]))).toEqual({ path: 'events[0].digests[1].id', offset: at + 12 + 34 })
    expect(refusal(written([0xb, 0xc, 0xd]))).toEqual({ path: 'events[0].digests[2].id', offset: at + 12 + 34 + 50 })
  })

  it.each([
    ['header.register', 0, header({ register: 5 })],
    ['header.type', 4, header({ type: 4 })],
    ['header.digest', 27, header({ digest: concat(new Uint8Array(19), Uint8Array.of(1)) })],
    ['header.size', 28, header({ size: 32 })],
    ['header.size', 28, header({ size: 34 })],
    ['header.size', 28, header({ after: NONE, vendor: utf8('x'), size: 33 })],
    ['header.signature', 32, header({ signature: 'Spec ID Event02\0' })],
    ['header.specVersionMajor', 53, header({ major: 1 })],
    ['header.algorithms', 56, header({ algorithms: [] })],
    ['header.algorithms', 56, header({ count: 9 })],
    ['header.algorithms', 56, header({ count: 0xffff_ffff })],
    ['header.algorithms', 56, header({ algorithms: [[0xb, 32]] })],
    ['header.algorithms[0].id', 60, header({ algorithms: [[0x77, 48]] })],
    ['header.algorithms[0].size', 62, header({ algorithms: [[0xc, 32]] })],
    ['header.algorithms[1].id', 64, header({ algorithms: [SHA384, SHA384] })],
    ['header.vendorInfo', 65, header({ vendorSize: 200 })],
    ['events[0].register', HEADER, log({ ...one, register: 5 })],
    ['events[0].register', HEADER, log({ ...one, register: 0xffff_fffe })],
    ['events[0].data', HEADER + 66, log({ ...one, size: one.data.length + 1 })],
    ['events[0].data', HEADER + 66, log({ ...one, size: 0xffff_ffff })],
  ])('refuses a wrong %s at byte %i', (path, offset, bytes) => {
    expect(refusal(bytes)).toEqual({ path, offset })
  })

  it('refuses every length short of whole events, naming the field that is cut', () => {
    const whole = log(one, { ...one, register: 2 })
    const ends = new Set([HEADER, HEADER + event(one).length])
    for (let length = 0; length < whole.length; length++) {
      if (ends.has(length)) expect(() => readEventLog(whole.subarray(0, length))).not.toThrow()
      else expect(refusal(whole.subarray(0, length)).offset).toBeLessThanOrEqual(length)
    }
  })

  it('reads 1 MiB and 4,096 events, and no byte or event more', () => {
    const small = event({ register: 1, type: 5, data: NONE })
    const many = (count: number): Bytes => concat(header(), ...Array.from({ length: count }, () => small))
    expect(readEventLog(many(LOG_EVENTS))).toHaveLength(4096)
    expect(refusal(many(LOG_EVENTS + 1))).toEqual({ path: 'events', offset: HEADER + LOG_EVENTS * small.length })
    const room = LOG_BYTES - HEADER - 66
    expect(readEventLog(log({ ...one, data: new Uint8Array(room) }))[0]?.data).toHaveLength(room)
    expect(refusal(log({ ...one, data: new Uint8Array(room + 1) }))).toEqual({ path: 'log', offset: 1 << 20 })
  })
})
