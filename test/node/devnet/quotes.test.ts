import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatGate } from '../../../client/coalition/tickets/tdx-gate.ts'
import { identify } from '../../../client/lattice/tally/config.ts'
import { toHex } from '../../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { awaitTickets, GATE_FILE, readGate, requestTickets, ticketFile } from '../../../node/devnet/quotes.ts'
import { UsageError } from '../../../node/io.ts'
import { gateOf } from '../../devnet/_quoting.ts'
import { answerRequests, openQuoting } from '../../devnet/tdx.ts'
import { committeeOf } from '../committee.ts'
import { scratch } from '../folder.ts'

const { signal } = new AbortController()

/** A committee of two behind the gate of a quoting service, and what it asks for. */
const gated = async () => {
  const [folder, quotes] = [await scratch(), await scratch()]
  const pki = await openQuoting(quotes)
  const config = await committeeOf(2, folder, await readGate(quotes))
  return { quotes, pki, config, requests: await requestTickets(quotes, config) }
}

describe('TDX.md, Tickets of a committee: a devnet and the quoting service of its operator', () => {
  it('takes the gate that the service wrote, and the same one the next time', async () => {
    const quotes = await scratch()
    const pki = await openQuoting(quotes)
    expect(await readGate(quotes)).toEqual(gateOf(pki))
    await openQuoting(quotes)
    expect(formatGate(await readGate(quotes))).toEqual(formatGate(gateOf(pki)))
  })

  it('says who writes the gate where there is none, and refuses one that is none', async () => {
    const quotes = await scratch()
    await expect(readGate(quotes)).rejects.toMatchObject({
      name: 'Devnet.QuotesError',
      message: expect.stringMatching(/gate\.json is missing: the operator's quoting service writes it/),
    })
    await writeFile(join(quotes, GATE_FILE), '{"root":')
    await expect(readGate(quotes)).rejects.toThrow(UsageError)
    await writeFile(join(quotes, GATE_FILE), '{"root":"00","validator":{"baseline":{}}}')
    await expect(readGate(quotes)).rejects.toMatchObject({ name: 'Config.ParseError', path: '$.root' })
  })

  it('asks for a quote of each seat, with all that its report data bind', async () => {
    const { quotes, config, requests } = await gated()
    const { group, roster } = identify(UNIVERSE, config)
    expect(JSON.parse(await readFile(join(quotes, 'requests.json'), 'utf8'))).toEqual(requests)
    expect(requests).toEqual(
      roster.members.map(({ peer, vote }, seat) => ({
        ...{ seat, peer: toHex(peer), voteKey: toHex(vote), network: toHex(UNIVERSE), group: toHex(group), epoch: 0 },
        ticket: `member-${seat + 1}.ticket`,
      })),
    )
  })

  it('waits until all tickets are there, and says once for whom', async () => {
    const { quotes, pki, requests } = await gated()
    const waits: (readonly number[])[] = []
    const waiting = awaitTickets(quotes, requests, { signal, onWait: (seats) => waits.push(seats) })
    await expect.poll(() => waits).toEqual([[0, 1]])
    await answerRequests(quotes, pki)
    await waiting
    await awaitTickets(quotes, requests, { signal, onWait: (seats) => waits.push(seats) })
    expect(waits).toEqual([[0, 1]])
  })

  it('takes no ticket of another committee, and names what did not come', async () => {
    const { quotes, pki, requests } = await gated()
    await answerRequests(quotes, pki)
    await writeFile(ticketFile(quotes, 0), await readFile(ticketFile(quotes, 1)))
    await expect(awaitTickets(quotes, requests, { signal, onWait: () => {}, timeoutMs: 0 })).rejects.toMatchObject({
      name: 'Devnet.QuotesError',
      message: expect.stringMatching(/got no member-1\.ticket within 0 s/),
    })
  })
})
