import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { concat, toHex, utf8 } from '../../../client/primitives/bytes.ts'
import { explainMeasurements, replayEventLog } from '../../../client/verify/events/index.ts'
import { digestOf, log, u32, variable } from './_log-writer.ts'

const ZERO = '00'.repeat(48)
const SEPARATOR = 4
const EFI_ACTION = 0x8000_0007
const action = (register: number, text: string) => ({ register, type: EFI_ACTION, data: utf8(text) })

// By another library than the code's, from the formula: SHA-384(register ‖ digest).
const extended = (...texts: readonly string[]): string =>
  texts
    .reduce((register, text) => {
      const digest = createHash('sha384').update(text).digest()
      return createHash('sha384')
        .update(Buffer.concat([register, digest]))
        .digest()
    }, Buffer.alloc(48))
    .toString('hex')

const quoted = (changed: object = {}) => ({ rtmr0: ZERO, rtmr1: ZERO, rtmr2: ZERO, rtmr3: ZERO, ...changed })

describe('replay of an event log', () => {
  it('extends RTMR0 to RTMR3 from zeros, each by its own events in the order of the log', () => {
    const bytes = log(action(1, 'a'), action(4, 'd'), action(2, 'b'), action(1, 'aa'), action(3, 'c'))
    const { rtmr } = replayEventLog(bytes)
    expect(rtmr.map(toHex)).toEqual([extended('a', 'aa'), extended('b'), extended('c'), extended('d')])
    expect(toHex(replayEventLog(log(action(1, 'aa'), action(1, 'a'))).rtmr[0])).not.toBe(extended('a', 'aa'))
  })

  it('extends nothing by EV_NO_ACTION and nothing by what is noted for MR_TD, and says so', () => {
    const { rtmr, events } = replayEventLog(log({ register: 1, type: 3, data: utf8('note') }, action(0, 'td'), action(2, 'b')))
    expect(rtmr.map(toHex)).toEqual([ZERO, extended('b'), ZERO, ZERO])
    expect(events.map((event) => event.extends)).toEqual([false, false, true])
    expect(events[1]?.register).toBe('mrTd')
  })

  it('lists each event with place, register, type, name, digest and text', () => {
    const bytes = log(action(2, 'Exit Boot Services Invocation'), { register: 1, type: 0x1234, data: utf8('own') })
    expect(replayEventLog(bytes).events).toEqual([
      {
        index: 0,
        offset: 65,
        register: 'rtmr1',
        type: EFI_ACTION,
        typeName: 'EV_EFI_ACTION',
        digest: toHex(digestOf(utf8('Exit Boot Services Invocation'))),
        text: 'Exit Boot Services Invocation',
        data: 'matches',
        extends: true,
      },
      expect.objectContaining({ index: 1, typeName: '0x00001234', text: 'own', data: 'unchecked' }),
    ])
  })

  it('holds data against the digest for the types whose digest is of the data, and for no other', () => {
    const other = digestOf(utf8('something else'))
    const states = (type: number, data: Uint8Array<ArrayBuffer>) =>
      [undefined, other].map((digest) => replayEventLog(log({ register: 1, type, data, ...(digest && { digest }) })).events[0]?.data)
    const covered = [SEPARATOR, 0x5, 0x8, 0x8000_0001, 0x8000_0006, EFI_ACTION, 0x8000_00e0]
    for (const type of covered) expect(states(type, u32(0)), type.toString(16)).toEqual(['matches', 'differs'])
    const others = [0x1, 0x3, 0x6, 0x7, 0x9, 0xa, 0xb, 0xc, 0xd, 0x10, 0x8000_0003, 0x8000_0008, 0x8000_0009, 0x8000_000a, 0x8000_000b]
    for (const type of others) expect(states(type, u32(0)), type.toString(16)).toEqual(['unchecked', 'unchecked'])
    // A separator after an error: its digest is of the number 1, not of the text.
    expect(states(SEPARATOR, utf8('no memory'))).toEqual(['unchecked', 'unchecked'])
    expect(states(SEPARATOR, u32(-1))).toEqual(['matches', 'differs'])
  })

  it('holds a boot variable’s value, not its name, against the digest', () => {
    const data = variable('BootOrder', Uint8Array.of(1, 0))
    const state = (digest: Uint8Array<ArrayBuffer>) => replayEventLog(log({ register: 1, type: 0x8000_0002, data, digest })).events[0]?.data
    expect(state(digestOf(Uint8Array.of(1, 0)))).toBe('matches')
    expect(state(digestOf(data))).toBe('differs')
    const broken = replayEventLog(log({ register: 1, type: 0x8000_0002, data: data.subarray(0, 20) })).events[0]
    expect(broken).toMatchObject({ data: 'unchecked', text: '20 bytes' })
  })
})

describe('explanation of a quote’s registers', () => {
  const replay = replayEventLog(log(action(1, 'a'), action(1, 'aa'), action(2, 'b')))

  it('all four equal, hex of either case, with the number of events that led there', () => {
    const found = explainMeasurements(quoted({ rtmr0: extended('a', 'aa').toUpperCase(), rtmr1: extended('b') }), replay)
    expect(found.equal).toBe(true)
    expect(found.registers.map(({ register, state, events }) => [register, state, events])).toEqual([
      ['rtmr0', 'passed', 2],
      ['rtmr1', 'passed', 1],
      ['rtmr2', 'passed', 0],
      ['rtmr3', 'passed', 0],
    ])
  })

  it('names the register to which the log does not lead: an event left out, made up or moved', () => {
    const failed = (rtmr0: string, rtmr1: string, rtmr3 = ZERO) =>
      explainMeasurements(quoted({ rtmr0, rtmr1, rtmr3 }), replay)
        .registers.filter(({ state }) => state === 'failed')
        .map(({ register }) => register)
    expect(failed(extended('a'), extended('b'))).toEqual(['rtmr0'])
    expect(failed(extended('a', 'aa'), extended('b', 'c'))).toEqual(['rtmr1'])
    expect(failed(extended('aa', 'a'), ZERO, extended('b'))).toEqual(['rtmr0', 'rtmr1', 'rtmr3'])
  })

  it('a register is equal although the text of an event is a lie: that event is named', () => {
    const lie = { ...action(1, 'Secure Boot is on'), digest: digestOf(utf8('Secure Boot is off')) }
    const told = replayEventLog(log(action(2, 'b'), lie))
    const right = quoted({ rtmr0: extended('Secure Boot is off'), rtmr1: extended('b') })
    expect(explainMeasurements(right, told)).toMatchObject({ equal: true, contradicted: [1] })
    expect(explainMeasurements({ ...right, rtmr0: ZERO }, told)).toMatchObject({ equal: false, contradicted: [] })
  })

  it('is plain data: JSON and back is the same', () => {
    const found = explainMeasurements(quoted(), replay)
    expect(JSON.parse(JSON.stringify(found))).toEqual(found)
    expect(JSON.parse(JSON.stringify(replay.events))).toEqual(replay.events)
  })

  it('two events of one register do not commute with their parts joined', () => {
    const joined = replayEventLog(log({ register: 1, type: 5, data: concat(utf8('a'), utf8('aa')) }))
    expect(toHex(joined.rtmr[0])).not.toBe(toHex(replay.rtmr[0]))
  })
})
