import { describe, expect, it } from 'vitest'
import {
  type AttestedQuote,
  checkTicket,
  TICKET_CHECKS,
  type TicketExpectation,
  type TicketVerdict,
} from '../../../client/coalition/tickets/tdx-check.ts'
import { reportData, type TdxTicket } from '../../../client/coalition/tickets/tdx-ticket.ts'
import { tdx } from '../../../client/coalition/tickets/tdx-validator.ts'
import { type Bytes, toHex } from '../../../client/primitives/bytes.ts'
import { filled } from '../../vectors/identity.ts'

const of = (byte: number, length = 48): Bytes => new Uint8Array(length).fill(byte)
const QUOTED = 1_700_000_060
const HOUR = 3600
const VOTE = { group: filled<'GroupId'>(0x44), epoch: 7, voteKey: of(0x55, 32) }
const TICKET: TdxTicket = {
  peer: of(0x11, 32),
  network: filled<'UniqueId'>(0x22),
  startedAt: 1_700_000_000n,
  quotedAt: BigInt(QUOTED),
  expiresAt: BigInt(QUOTED + 12 * HOUR),
  quote: of(0x33, 100),
}
const MEASURED = { mrTd: 0xa0, rtmr0: 0xa1, rtmr1: 0xa2, rtmr2: 0xa3, rtmr3: 0xa4 }
const CRITERIA = tdx().requireMrtd(of(0xa0)).requireRtmr0(of(0xa1)).requireRtmr1(of(0xa2)).requireRtmr2(of(0xa3)).requireRtmr3(of(0xa4))

const verdictOf = (ticket: TdxTicket, vote = VOTE, measured: Partial<typeof MEASURED> = {}): AttestedQuote => ({
  accepted: true,
  status: 'UpToDate',
  expires: QUOTED + 100 * HOUR,
  measurements: {
    mrTd: toHex(of(measured.mrTd ?? MEASURED.mrTd)),
    rtmr0: toHex(of(measured.rtmr0 ?? MEASURED.rtmr0)),
    rtmr1: toHex(of(measured.rtmr1 ?? MEASURED.rtmr1)),
    rtmr2: toHex(of(measured.rtmr2 ?? MEASURED.rtmr2)),
    rtmr3: toHex(of(measured.rtmr3 ?? MEASURED.rtmr3)),
    reportData: toHex(reportData(ticket, vote)),
  },
})

const expectation = (changed: Partial<TicketExpectation> = {}): TicketExpectation => ({
  ...VOTE,
  peer: TICKET.peer,
  network: TICKET.network,
  at: QUOTED + HOUR,
  criteria: CRITERIA.config,
  verdictOfQuote: verdictOf(TICKET),
  ...changed,
})

const failed = ({ accepted, checks, expires }: TicketVerdict): readonly string[] => {
  const names = checks.filter(({ state }) => state === 'failed').map(({ name }) => name)
  expect(accepted).toBe(names.length === 0)
  expect(expires === null).toBe(!accepted)
  return names
}

/** What fails of a ticket that was quoted as it stands, with the fields given changed before. */
const quoted = (ticket: Partial<TdxTicket>, expected: Partial<TicketExpectation> = {}): readonly string[] => {
  const whole = { ...TICKET, ...ticket }
  return failed(checkTicket(whole, expectation({ verdictOfQuote: verdictOf(whole), ...expected })))
}

describe('whether a ticket counts, TDX.md "Tickets of a committee"', () => {
  it('lists every check once, in the closed order, with expected, found and source, as plain JSON', () => {
    const verdict = checkTicket(TICKET, expectation())
    expect(failed(verdict)).toEqual([])
    expect(verdict.checks.map(({ name }) => name)).toEqual(TICKET_CHECKS)
    expect(verdict.checks.every(({ expected, found, source }) => expected !== '' && found !== '' && source !== '')).toBe(true)
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict)
    const absent = verdict.checks.filter(({ state }) => state === 'absent').map(({ name }) => name)
    expect(absent).toEqual(['ticket.notBefore', 'ticket.lifetime'])
  })

  it('key: a ticket of another peer, a vote key that was not quoted, another group, epoch or network', () => {
    const other = of(0x77, 32)
    const verdict = (changed: Partial<TicketExpectation>) => failed(checkTicket(TICKET, expectation(changed)))
    expect(verdict({ peer: other })).toEqual(['ticket.peer'])
    expect(verdict({ voteKey: other })).toEqual(['ticket.voteKey'])
    expect(verdict({ group: filled<'GroupId'>(1) })).toEqual(['ticket.voteKey'])
    expect(verdict({ epoch: 8 })).toEqual(['ticket.voteKey'])
    expect(verdict({ network: filled<'UniqueId'>(1) })).toEqual(['ticket.network', 'ticket.voteKey'])
  })

  it('report_data: each bound field that is not what was quoted; a quote of something else', () => {
    const changes: readonly Partial<TdxTicket>[] = [
      { startedAt: TICKET.startedAt - 1n },
      { quotedAt: TICKET.quotedAt + 1n },
      { expiresAt: BigInt(QUOTED + 13 * HOUR) },
      { expiresAt: null },
    ]
    for (const changed of changes) expect(failed(checkTicket({ ...TICKET, ...changed }, expectation()))).toEqual(['ticket.reportData'])
    const peer = of(0x12, 32)
    expect(failed(checkTicket({ ...TICKET, peer }, expectation({ peer })))).toEqual(['ticket.reportData'])
    const measurements = { ...verdictOf(TICKET).measurements, reportData: '00'.repeat(64) }
    expect(failed(checkTicket(TICKET, expectation({ verdictOfQuote: { ...verdictOf(TICKET), measurements } })))).toEqual([
      'ticket.reportData',
      'ticket.voteKey',
    ])
  })

  it.each([0, 32, 63, 65])('report_data of %i bytes never holds', (length) => {
    const hex = `${toHex(reportData(TICKET, VOTE))}00`.slice(0, 2 * length)
    const verdictOfQuote = { ...verdictOf(TICKET), measurements: { ...verdictOf(TICKET).measurements, reportData: hex } }
    expect(failed(checkTicket(TICKET, expectation({ verdictOfQuote })))).toContain('ticket.voteKey')
  })

  it('age: 24 hours and no second more, 60 s ahead of the reader and no more, never before its start', () => {
    const forever = { expiresAt: null }
    expect(quoted(forever, { at: QUOTED + 24 * HOUR })).toEqual([])
    expect(quoted(forever, { at: QUOTED + 24 * HOUR + 1 })).toEqual(['ticket.age'])
    expect(quoted({}, { at: QUOTED - 60 })).toEqual([])
    expect(quoted({}, { at: QUOTED - 61 })).toEqual(['ticket.age'])
    expect(quoted({ startedAt: BigInt(QUOTED) })).toEqual([])
    expect(quoted({ startedAt: BigInt(QUOTED + 1) })).toEqual(['ticket.age'])
    expect(quoted({ quotedAt: (1n << 64n) - 1n, expiresAt: null })).toEqual(['ticket.age'])
    expect(quoted({ startedAt: 0n, quotedAt: 0n })).toEqual(['ticket.age'])
  })

  it('age: an ACL may ask for less than 24 hours, not for more', () => {
    const six = { criteria: CRITERIA.maxAge(BigInt(6 * HOUR)).config }
    expect(quoted({}, { ...six, at: QUOTED + 6 * HOUR })).toEqual([])
    expect(quoted({}, { ...six, at: QUOTED + 6 * HOUR + 1 })).toEqual(['ticket.age'])
    const week = { criteria: CRITERIA.maxAge(BigInt(168 * HOUR)).config }
    expect(quoted({ expiresAt: null }, { ...week, at: QUOTED + 24 * HOUR + 1 })).toEqual(['ticket.age'])
  })

  it('expiry: the last second before it counts, the second itself does not', () => {
    expect(quoted({}, { at: QUOTED + 12 * HOUR - 1 })).toEqual([])
    expect(quoted({}, { at: QUOTED + 12 * HOUR })).toEqual(['ticket.expiry'])
    expect(quoted({ expiresAt: 1n })).toEqual(['ticket.expiry'])
  })

  it('notBefore and maxLifetime, each with its boundary; a ticket without an end has no lifetime', () => {
    const since = (second: number) => ({ criteria: CRITERIA.notBefore(BigInt(second)).config })
    expect(quoted({}, since(QUOTED))).toEqual([])
    expect(quoted({}, since(QUOTED + 1))).toEqual(['ticket.notBefore'])
    const lifetime = (seconds: number) => ({ criteria: CRITERIA.maxLifetime(BigInt(seconds)).config })
    expect(quoted({}, lifetime(12 * HOUR))).toEqual([])
    expect(quoted({}, lifetime(12 * HOUR - 1))).toEqual(['ticket.lifetime'])
    expect(quoted({ expiresAt: null }, lifetime(1000 * HOUR))).toEqual(['ticket.lifetime'])
  })

  it('UNS-04 names MR_TD or the RTMR that is another one', () => {
    const names = { mrTd: 'ticket.mrtd', rtmr0: 'ticket.rtmr0', rtmr1: 'ticket.rtmr1', rtmr2: 'ticket.rtmr2', rtmr3: 'ticket.rtmr3' }
    for (const [register, name] of Object.entries(names)) {
      const verdictOfQuote = verdictOf(TICKET, VOTE, { [register]: 0xee })
      expect(failed(checkTicket(TICKET, expectation({ verdictOfQuote })))).toEqual([name])
      expect(failed(checkTicket(TICKET, expectation({ verdictOfQuote, criteria: tdx().config })))).toEqual([])
    }
  })

  it('variants: baseline and one of them; where none fits, the nearest is named', () => {
    const criteria = tdx()
      .requireMrtd(of(0xa0))
      .allowVariant({ rtmr1: of(0xb1), rtmr2: of(0xb2) })
      .allowVariant({ rtmr1: of(0xc1), rtmr2: of(0xc2) }).config
    const verdict = (measured: Partial<typeof MEASURED>) =>
      checkTicket(TICKET, expectation({ criteria, verdictOfQuote: verdictOf(TICKET, VOTE, measured) }))
    expect(failed(verdict({ rtmr1: 0xb1, rtmr2: 0xb2 }))).toEqual([])
    expect(failed(verdict({ rtmr1: 0xc1, rtmr2: 0xc2 }))).toEqual([])
    expect(failed(verdict({ mrTd: 0xee, rtmr1: 0xc1, rtmr2: 0xc2 }))).toEqual(['ticket.mrtd'])
    // Registers of two images in one machine.
    expect(failed(verdict({ rtmr1: 0xb1, rtmr2: 0xc2 }))).toEqual(['ticket.rtmr2'])
    const near = verdict({ rtmr1: 0xc1 })
    expect(failed(near)).toEqual(['ticket.rtmr2'])
    expect(near.checks.find(({ name }) => name === 'ticket.rtmr2')?.expected).toBe('c2'.repeat(48))
  })

  it('a variant never takes the place of the baseline, in a config that nobody checked either', () => {
    const verdictOfQuote = verdictOf(TICKET, VOTE, { mrTd: 0xee })
    const lax = [{ mrtd: of(0xee) }, { mrtd: undefined }]
    for (const variant of lax) {
      const criteria = { baseline: { mrtd: of(0xa0) }, variants: [variant] }
      expect(failed(checkTicket(TICKET, expectation({ criteria, verdictOfQuote })))).toEqual(['ticket.mrtd'])
    }
  })

  it('a quote that was refused, that could not be read, or that is an enclave’s', () => {
    const verdict = (changed: Partial<AttestedQuote>, criteria = tdx().config) =>
      failed(checkTicket(TICKET, expectation({ criteria, verdictOfQuote: { ...verdictOf(TICKET), ...changed } })))
    expect(verdict({ accepted: false, status: 'Revoked' })).toEqual(['ticket.quote'])
    expect(verdict({ accepted: false, status: null, measurements: null })).toEqual(['ticket.quote', 'ticket.reportData', 'ticket.voteKey'])
    const sgx = { measurements: { reportData: toHex(reportData(TICKET, VOTE)) } }
    expect(verdict(sgx)).toEqual(['ticket.quote'])
    expect(verdict(sgx, tdx().requireMrtd(of(0xa0)).config)).toEqual(['ticket.quote', 'ticket.mrtd'])
  })

  it('says until when it counts: the earliest end of age, expiry and the quote’s own verdict', () => {
    const expires = (ticket: Partial<TdxTicket>, changed: Partial<AttestedQuote> = {}) => {
      const whole = { ...TICKET, ...ticket }
      return checkTicket(whole, expectation({ verdictOfQuote: { ...verdictOf(whole), ...changed } })).expires
    }
    expect(expires({})).toBe(QUOTED + 12 * HOUR - 1)
    expect(expires({ expiresAt: null })).toBe(QUOTED + 24 * HOUR)
    expect(expires({ expiresAt: null }, { expires: QUOTED + 2 * HOUR })).toBe(QUOTED + 2 * HOUR)
    expect(expires({ expiresAt: null }, { expires: null })).toBe(QUOTED + 24 * HOUR)
    for (const ticket of [{}, { expiresAt: null }]) {
      const last = expires(ticket) as number
      expect(quoted(ticket, { at: last })).toEqual([])
      expect(quoted(ticket, { at: last + 1 })).not.toEqual([])
    }
  })
})
