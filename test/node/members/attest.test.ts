import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { identify } from '../../../client/lattice/tally/config.ts'
import type { TallyConfig } from '../../../client/lattice/tally/index.ts'
import type { Log } from '../../../client/log.ts'
import { exchange } from '../../../client/network/light/client.ts'
import { fetchBlob } from '../../../client/network/reader/questions.ts'
import { TDX_CLASS } from '../../../client/network/tickets/ticket.ts'
import { toHex } from '../../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { createChainReader } from '../../../node/chain/reader.ts'
import { memberFolder } from '../../../node/devnet/handshake.ts'
import { collateralFile, readGate, requestTickets, ticketFile } from '../../../node/devnet/quotes.ts'
import { createNodeHost } from '../../../node/host.ts'
import { type Member, startTally } from '../../../node/members/tally.ts'
import { healthOf } from '../../../node/metrics/status.ts'
import { hash } from '../../../wasm/core.ts'
import { answerRequests, openQuoting, type Quoting } from '../../devnet/tdx.ts'
import { startPccs } from '../collateral/_pccs-server.ts'
import type { CollateralJson } from '../collateral/_pccs-writer.ts'
import { committeeOf, NO_CHAIN } from '../committee.ts'
import { scratch } from '../folder.ts'

let running: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of running.reverse()) await one[Symbol.asyncDispose]()
  running = []
})

interface Scene {
  readonly folder: string
  readonly quotes: string
  readonly config: TallyConfig
  readonly said: string[]
  /** Quotes anew for all, with this wrong. */
  readonly quote: (quoting?: Quoting) => Promise<void>
  readonly start: (
    seat: number,
    options?: { readonly peers?: readonly string[]; readonly collateral?: string; readonly bare?: boolean },
  ) => Promise<Member>
}

/** A committee behind the gate of a quoting service, and ways to start its members. */
const scene = async (members: number): Promise<Scene> => {
  const [folder, quotes] = [await scratch(), await scratch()]
  const pki = await openQuoting(quotes)
  const config = await committeeOf(members, folder, await readGate(quotes))
  await requestTickets(quotes, config)
  const said: string[] = []
  const log: Log = (level, message, facts) => void said.push(`${level} ${message} ${JSON.stringify(facts)}`)
  return {
    ...{ folder, quotes, config, said },
    quote: (quoting) => answerRequests(quotes, pki, quoting),
    start: async (seat, { peers = [], collateral = collateralFile(quotes), bare = false } = {}) => {
      const member = await startTally({
        ...{ folder: memberFolder(folder, seat), config, log, onChain: () => {}, peers },
        chain: createChainReader({ urls: [NO_CHAIN] }),
        listen: ['/ip4/127.0.0.1/tcp/0/ws'],
        attest: bare ? null : { ticket: ticketFile(quotes, seat), collateral },
      })
      running.push(member)
      return member
    },
  }
}

const attested = (member: Member): readonly boolean[] => (member.status().tickets ?? []).map(({ isAttested }) => isAttested)
const problems = (member: Member): readonly (string | null)[] => (member.status().tickets ?? []).map(({ problem }) => problem)
const PATIENT = { timeout: 20_000 }

describe('TDX.md, Tickets of a committee: a member', () => {
  it('shows its ticket and those of others, with the collateral, to whoever asks', async () => {
    const { quotes, config, quote, start } = await scene(2)
    await quote()
    const first = await start(0)
    await expect.poll(() => attested(first), PATIENT).toEqual([true, false])
    const second = await start(1, { peers: first.addresses })
    await expect.poll(() => attested(second), PATIENT).toEqual([true, true])

    const host = await createNodeHost({ seed: new Uint8Array(32).fill(5), listen: [], log: () => {} })
    running.push({ [Symbol.asyncDispose]: () => host.close() })
    const { signal } = new AbortController()
    const link = await host.dial(second.addresses[0] ?? '', { signal })
    const { group, genesis } = identify(UNIVERSE, config)
    const { tickets } = await exchange(link, 'tickets', { group, roster: genesis.roster }, { host, signal })
    const files = await Promise.all([0, 1].map((seat) => readFile(ticketFile(quotes, seat))))
    expect(tickets.map(({ member, class: kind, data }) => [member, toHex(kind), toHex(data)]).sort()).toEqual(
      files.map((data, seat) => [seat, toHex(TDX_CLASS), data.toString('hex')]),
    )
    const [wanted] = tickets[0]?.collateral ?? []
    expect(hash(await fetchBlob({ host, link, signal }, wanted as Uint8Array<ArrayBuffer>))).toEqual(wanted)
    const other = await exchange(link, 'tickets', { group, roster: new Uint8Array(32) }, { host, signal })
    expect(other.tickets).toEqual([])
  }, 60_000)

  it('refuses its own wrong ticket aloud, and votes all the same', async () => {
    const { said, quote, start } = await scene(1)
    await quote({ wrong: new Map([[0, 'mrtd']]) })
    const member = await start(0)
    await expect.poll(() => problems(member), PATIENT).toEqual([expect.stringMatching(/^ticket\.mrtd failed: expected a0/)])
    await expect.poll(() => member.newest(), PATIENT).toBeGreaterThan(0n)
    expect(healthOf(member.status(), Date.now()).reasons.join('\n')).toMatch(/ticket does not count.*ticket\.mrtd failed/)
    expect(said.filter((line) => line.startsWith('error the ticket of this member does not count'))).toHaveLength(1)
  }, 60_000)

  it('starts without a ticket and says so once', async () => {
    const { said, start } = await scene(1)
    const member = await start(0, { bare: true })
    await expect.poll(() => member.newest(), PATIENT).toBeGreaterThan(0n)
    expect(problems(member)).toEqual(['no ticket was shown'])
    expect(said.filter((line) => line.includes('Give --ticket and --collateral'))).toHaveLength(1)
  }, 60_000)

  it('fetches the collateral of its platform from a PCCS, and keeps it over a start', async () => {
    const { quotes, quote, start } = await scene(1)
    await quote()
    const json = JSON.parse(await readFile(collateralFile(quotes), 'utf8')) as CollateralJson
    const server = await startPccs(json)
    running.push(server)
    const member = await start(0, { collateral: server.url })
    await expect.poll(() => attested(member), PATIENT).toEqual([true])
    expect(server.asked).toContain('/tdx/certification/v4/tcb?fmspc=00606a000000')
    await member[Symbol.asyncDispose]()
    server.before = (_, response) => Boolean(response.writeHead(404).end())
    const again = await start(0, { collateral: server.url })
    await expect.poll(() => attested(again), PATIENT).toEqual([true])
  }, 90_000)

  it('takes no ticket for a config that asks for none', async () => {
    const folder = await scratch()
    const config = await committeeOf(1, folder)
    await writeFile(join(folder, 'ticket'), '')
    const options = { folder: memberFolder(folder, 0), config, log: () => {}, onChain: () => {}, listen: ['/ip4/127.0.0.1/tcp/0/ws'] }
    const chain = createChainReader({ urls: [NO_CHAIN] })
    const attest = { ticket: join(folder, 'ticket'), collateral: folder }
    await expect(startTally({ ...options, chain, attest })).rejects.toMatchObject({ name: 'Member.UngatedError' })
  })
})
