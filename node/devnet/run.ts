import { join } from 'node:path'
import type { TdxGate } from '../../client/coalition/tickets/tdx-gate.ts'
import { CoalitionError } from '../../client/error.ts'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import type { Log } from '../../client/log.ts'
import { fromHex } from '../../client/primitives/bytes.ts'
import { createRpc } from '../chain/rpc.ts'
import { type Anvil, startAnvil } from './anvil.ts'
import { type Served, startCommittee } from './committee.ts'
import { BUILDER, handshakeFile, handshakeOf, publish } from './handshake.ts'
import { servePage } from './page.ts'
import { portsFor } from './ports.ts'
import { awaitTickets, readGate, requestTickets } from './quotes.ts'
import { payBuilder } from './traffic.ts'

export interface DevnetOptions {
  /** Where everything lives; a folder of an earlier run is gone on with. */
  readonly folder: string
  /** Folder of the built page. */
  readonly page: string
  /** Port of the page, 0 for any. */
  readonly port: number
  /** Seconds between blocks. */
  readonly blockTime: number
  readonly traffic: boolean
  /** Members of a new devnet; null for four, or for as many as the folder's has. */
  readonly members: number | null
  /** What the page can dial the members over. */
  readonly transports: readonly Served[]
  /** Milliseconds from a member's death to its next start. */
  readonly restartMs: number
  /** Folder of the operator's quoting service, for a committee whose members show quotes; null for one of keys alone. */
  readonly quotes: string | null
  readonly log: Log
  /** `chain`, `member`, `ready`, `payment` with their facts. */
  readonly onEvent: (event: string, facts: object) => void
  /** Ends everything. */
  readonly signal: AbortSignal
}

/**
 * Runs the whole network until `signal` aborts or a part of it ends by itself; every child is gone when it settles.
 * @throws AnvilError, HandshakeError, QuotesError, ChildError, PageError, or what a member could not start for with one line that says what to do
 */
export const runDevnet = async (options: DevnetOptions): Promise<void> => {
  const { folder, port, page, quotes, onEvent, signal, log, restartMs, transports } = options
  const gate = quotes === null ? null : await readGate(quotes)
  await using anvil = await startAnvil({ state: join(folder, 'chain.json'), blockTime: options.blockTime })
  onEvent('chain', { rpc: anvil.url, pid: anvil.pid })
  const config = await configFor(options, gate, anvil)
  if (quotes !== null) {
    const requests = await requestTickets(quotes, config)
    await awaitTickets(quotes, requests, { signal, onWait: (seats) => onEvent('tickets', { folder: quotes, waitingFor: seats }) })
    if (signal.aborted) return
  }
  const ports = await portsFor(folder, config.acl.roster.members.length)
  await using committee = await startCommittee({ folder, config, rpc: anvil.url, ports, transports, restartMs, quotes, log, onEvent })
  const members = committee.ready
  const bootstrap = members.flatMap(({ addresses }) => addresses)
  await publish(folder, config, bootstrap)
  await using served = await servePage({ folder: page, port, handshake: { tally: formatConfig(config), bootstrap } })
  onEvent('ready', { rpc: anvil.url, members, config: handshakeFile(folder), page: served.url })
  const stop = new AbortController()
  const traffic = options.traffic
    ? payBuilder({ url: anvil.url, feeRecipient: BUILDER, signal: stop.signal, log }, (sent) => onEvent('payment', sent))
    : null
  try {
    await Promise.race([aborted(signal), ended('the chain', anvil.exit), committee.failed])
  } finally {
    stop.abort()
    await traffic
  }
}

/** The published config: made at the first start, from the chain that runs. */
const configFor = async ({ folder, members }: DevnetOptions, gate: TdxGate | null, anvil: Anvil): Promise<TallyConfig> => {
  const rpc = createRpc({ urls: [anvil.url] })
  const signal = AbortSignal.timeout(10_000)
  const [chainId, genesis] = await Promise.all([
    rpc.call('eth_chainId', [], { signal }),
    rpc.call('eth_getBlockByNumber', ['0x0', false], { signal }),
  ])
  const { hash } = genesis as { readonly hash: string }
  return handshakeOf({
    folder,
    chainId: BigInt(chainId as string),
    origin: fromHex(hash, 'hash of block 0', 32),
    feeRecipient: BUILDER,
    members,
    gate,
  })
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const ended = async (what: string, exit: Promise<unknown>): Promise<never> => {
  throw new ChildError(what, await exit)
}

/** A process of the devnet that ended before it was told to. */
export class ChildError extends CoalitionError {
  constructor(what: string, how: unknown) {
    super('Devnet.ChildError', `${what} ended by itself (${String(how)}); its last lines above say why`, { what })
  }
}
