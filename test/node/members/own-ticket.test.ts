import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { HeldTicket } from '../../../client/groups/source.ts'
import { identify } from '../../../client/lattice/tally/config.ts'
import { silent } from '../../../client/log.ts'
import type { Expected } from '../../../client/network/attest/tickets.ts'
import { keptRollback } from '../../../client/network/keep/rollback.ts'
import { type Bytes, equal } from '../../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { createEcdsa } from '../../../client/verify/collateral/index.ts'
import { collateralFile, readGate, requestTickets, ticketFile } from '../../../node/devnet/quotes.ts'
import { OwnTicket } from '../../../node/members/own-ticket.ts'
import { hash } from '../../../wasm/core.ts'
import { answerRequests, openQuoting, type Quoting } from '../../devnet/tdx.ts'
import { committeeOf } from '../committee.ts'
import { scratch } from '../folder.ts'

const closing: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of closing.splice(0)) await one[Symbol.asyncDispose]()
})

/** The own ticket of the one member of a committee, on a clock that may be ahead, with pauses that are short. */
const scene = async () => {
  const [folder, quotes] = [await scratch(), await scratch()]
  const pki = await openQuoting(quotes)
  const config = await committeeOf(1, folder, await readGate(quotes))
  await requestTickets(quotes, config)
  const { network, group, roster, gate } = identify(UNIVERSE, config)
  if (gate === undefined) throw new Error('the config has a gate')
  const memory = keptRollback({ after: () => () => {}, log: silent }, null)
  const expected: Expected = { network, group, roster, gate, ecdsa: createEcdsa(crypto.subtle as never), memory }
  const said: string[] = []
  const shown: { readonly held: HeldTicket; readonly collateral: Bytes }[] = []
  const clock = { ahead: 0 }
  const host = {
    now: () => Date.now() + clock.ahead,
    random: (n: number) => new Uint8Array(n),
    after: (ms: number, run: () => void) => {
      const timer = setTimeout(run, Math.min(ms, 20))
      return () => clearTimeout(timer)
    },
    log: (level: string, message: string, facts: object = {}) => void said.push(`${level} ${message} ${JSON.stringify(facts)}`),
  }
  const open = async (): Promise<OwnTicket> => {
    const own = await OwnTicket.open({
      ...{ folder, seat: 0, expected, host },
      files: { ticket: ticketFile(quotes, 0), collateral: collateralFile(quotes) },
      show: async (held, collateral) => shown.push({ held, collateral }),
    })
    closing.push(own)
    return own
  }
  return { quotes, said, shown, clock, open, quote: (quoting?: Quoting) => answerRequests(quotes, pki, quoting) }
}

const news = (said: readonly string[]): readonly string[] => said.filter((line) => line.includes('the ticket of this member'))

describe('TDX.md, Tickets of a committee: the own ticket of a member', () => {
  it('is shown with the collateral that it was verified with', async () => {
    const { quotes, shown, open, quote } = await scene()
    await quote()
    const own = await open()
    await expect.poll(() => shown).toHaveLength(1)
    const [{ held, collateral } = { held: null, collateral: null }] = shown
    expect(held?.data).toEqual(new Uint8Array(await readFile(ticketFile(quotes, 0))))
    expect(held?.collateral).toEqual([hash(collateral as Bytes)])
    await expect.poll(() => own.problem).toBeNull()
  })

  it.each<readonly [NonNullable<Quoting['wrong']> extends ReadonlyMap<number, infer W> ? W : never, RegExp]>([
    ['mrtd', /ticket\.mrtd failed: expected a0/],
    ['reportData', /ticket\.reportData failed/],
    ['key', /ticket\.voteKey failed/],
    ['expiry', /ticket\.expiry failed/],
  ])('is refused aloud, and shown for readers to say why, where its %s is wrong', async (what, problem) => {
    const { said, shown, open, quote } = await scene()
    await quote({ wrong: new Map([[0, what]]) })
    const own = await open()
    await expect.poll(() => own.problem).toMatch(problem)
    // Looked at again and again, and said once.
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(news(said)).toEqual([expect.stringMatching(problem)])
    expect(shown.length).toBeGreaterThan(0)
  })

  it('is read again when the file changes', async () => {
    const { said, shown, open, quote } = await scene()
    await quote({ wrong: new Map([[0, 'mrtd']]) })
    const own = await open()
    await expect.poll(() => own.problem).toMatch(/mrtd/)
    await quote()
    await expect.poll(() => own.problem).toBeNull()
    const before = shown.at(-1)?.held.data as Bytes
    await quote({ lifetime: 3_600 })
    await expect.poll(() => equal(shown.at(-1)?.held.data as Bytes, before)).toBe(false)
    expect(own.problem).toBeNull()
    await quote({ wrong: new Map([[0, 'key']]) })
    await expect.poll(() => own.problem).toMatch(/voteKey/)
    expect(news(said)).toHaveLength(4)
  })

  it('is told to be over when it is', async () => {
    const { clock, shown, open, quote } = await scene()
    await quote({ lifetime: 3_600 })
    const own = await open()
    await expect.poll(() => shown).toHaveLength(1)
    clock.ahead = 3_700_000
    await expect.poll(() => own.problem).toMatch(/ticket\.expiry failed/)
  })

  it('is waited for, and its collateral too', async () => {
    const { quotes, shown, open, quote } = await scene()
    await rename(collateralFile(quotes), join(quotes, 'later'))
    const own = await open()
    await expect.poll(() => own.problem).toMatch(/cannot read .*member-1\.ticket/)
    await quote()
    await expect.poll(() => own.problem).toMatch(/no collateral/)
    expect(shown).toEqual([])
    await rename(join(quotes, 'later'), collateralFile(quotes))
    await expect.poll(() => shown).toHaveLength(1)
    await expect.poll(() => own.problem).toBeNull()
  })
})
