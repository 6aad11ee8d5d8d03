import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, toHex } from '../../../client/primitives/bytes.ts'
import { explainMeasurements, readCcelTable, replayEventLog } from '../../../client/verify/events/index.ts'
import { readQuote } from '../../../wasm/quote.ts'
import { random } from '../../random.ts'
import { log } from './_log-writer.ts'

const ROOT = new URL('../../../../shared/data/tdx/', import.meta.url)
const there = existsSync(ROOT)
if (!there) console.warn('no shared/data/tdx beside the checkout: the event log of a real machine is skipped')

const file = (name: string): Bytes => new Uint8Array(readFileSync(new URL(name, ROOT)))

describe.skipIf(!there)('the event log of data/tdx/extras and the quote of its machine', () => {
  const area = there ? file('extras/ccel_data.dat') : log()

  it('the table names an area as long as the file', () => {
    expect(readCcelTable(file('extras/ccel_table.dat')).length).toBe(BigInt(area.length))
  })

  it.each(['tdx-v4-cos113-google-2025-10', 'tdx-v4-cos113-after-tcbr-2026-01'])('replays to RTMR0–3 of %s', (name) => {
    const { body } = readQuote(file(`cases/${name}/quote.bin`))
    if (body.kind === 'sgx') throw new Error('no TD')
    const [rtmr0, rtmr1, rtmr2, rtmr3] = [body.rtmr0, body.rtmr1, body.rtmr2, body.rtmr3].map(toHex) as [string, string, string, string]
    const found = explainMeasurements({ rtmr0, rtmr1, rtmr2, rtmr3 }, replayEventLog(area))
    expect(found).toMatchObject({ equal: true, contradicted: [] })
    expect(found.registers.map(({ events }) => events)).toEqual([16, 7, 20, 0])
  })

  it('explains what was started: Secure Boot (off on this machine), the boot loader, the kernel and its command line', () => {
    const { events } = replayEventLog(area)
    expect(events).toHaveLength(43)
    const texts = events.map(({ text }) => text).join('\n')
    expect(texts).toContain('variable SecureBoot = 0 (8be4df61-93ca-11d2-aa0d-00e098032b8c)')
    expect(texts).toMatch(/image of \d+ bytes from \\EFI\\BOOT\\grub-la/)
    expect(texts).toContain('kernel_cmdline: /syslinux/vmlinuz.A init=')
    expect(events.filter(({ data }) => data === 'matches').map(({ index }) => index)).toEqual([
      2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 16, 20, 21, 41, 42,
    ])
  })
})

// Changes where a reader's bounds are: bytes, lengths, cuts, insertions and repeats. The seed is in the name, so a failure can be repeated.
const mutated = (bytes: Bytes, draw: () => number): Bytes => {
  const below = (n: number): number => Math.floor(draw() * n)
  const at = below(bytes.length)
  const changed = new Uint8Array(bytes)
  switch (below(5)) {
    case 0:
      changed[at] = below(256)
      return changed
    case 1:
      for (let i = at; i < Math.min(at + 4, bytes.length); i++) changed[i] = [0, 0xff, 0x7f, 1][below(4)] as number
      return changed
    case 2:
      return changed.slice(0, at)
    case 3:
      return concat(changed.subarray(0, at), new Uint8Array(below(64)).fill(below(256)), changed.subarray(at))
    default:
      return concat(changed.subarray(0, at), changed.subarray(below(bytes.length)))
  }
}

describe('4,000 mutations of an event log, seed 6', () => {
  it('give a replay or an EventLogError with path and offset, and nothing else', () => {
    const draw = random(6)
    const written = log(
      { register: 1, type: 0x8000_0001, data: new Uint8Array(40) },
      { register: 2, type: 0x8000_0003, data: new Uint8Array(60).fill(1) },
      { register: 3, type: 0xd, data: new Uint8Array(30).fill(0x41) },
    )
    const real = there ? file('extras/ccel_data.dat').slice(0, 18_200) : written
    let [read, refused] = [0, 0]
    for (let i = 0; i < 4000; i++) {
      let bytes = i % 40 === 0 ? real : written
      for (let changes = 1 + Math.floor(draw() * 3); changes > 0 && bytes.length > 0; changes--) bytes = mutated(bytes, draw)
      try {
        const { rtmr, events } = replayEventLog(bytes)
        expect(rtmr.every((register) => register.length === 48)).toBe(true)
        expect(events.every(({ text }) => text.length <= 200)).toBe(true)
        read++
      } catch (error) {
        const { name, path, offset } = error as Error & { readonly path?: unknown; readonly offset?: unknown }
        expect([name, typeof path, typeof offset]).toEqual(['Verify.EventLogError', 'string', 'number'])
        expect(offset).toBeLessThanOrEqual(bytes.length)
        refused++
      }
    }
    expect(Math.min(read, refused)).toBeGreaterThan(400)
  })
})
