import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseGate, type TdxGate } from '../../client/coalition/tickets/tdx-gate.ts'
import { decodeTdxTicket, TICKET_BYTES } from '../../client/coalition/tickets/tdx-ticket.ts'
import { CoalitionError } from '../../client/error.ts'
import { identify } from '../../client/lattice/tally/config.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import { copy, toHex } from '../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { readJson, writeWhole } from '../files.ts'

// The folder through which a devnet and its operator's quoting service meet. The devnet makes no quotes and judges none: it reads files.

export const GATE_FILE = 'gate.json'
export const REQUESTS_FILE = 'requests.json'
export const COLLATERAL_FILE = 'collateral.json'

/** What a member needs a quote for. Ids and keys in hex. */
export interface TicketRequest {
  readonly seat: number
  readonly peer: string
  readonly network: string
  readonly group: string
  readonly epoch: number
  readonly voteKey: string
  /** Where in the folder its ticket is to be written, as the canonical bytes of a TdxTicket. */
  readonly ticket: string
}

/** A gate of 16 variants is 8 kB. */
const MAX_GATE = 65_536

/** The gate that the operator's quoting service wrote. @throws QuotesError when there is none, UsageError, ParseError, CriteriaError */
export const readGate = async (folder: string): Promise<TdxGate> => {
  const path = join(folder, GATE_FILE)
  try {
    return parseGate({ value: await readJson(path, MAX_GATE), path: '$' })
  } catch (error) {
    const { cause } = error as { readonly cause?: { readonly code?: unknown } }
    if (cause?.code !== 'ENOENT') throw error
    throw new QuotesError(
      path,
      "is missing: the operator's quoting service writes it, { root, validator } of the gate; start it first",
      error,
    )
  }
}

export const ticketFile = (folder: string, seat: number): string => join(folder, nameOf(seat))
export const collateralFile = (folder: string): string => join(folder, COLLATERAL_FILE)

const nameOf = (seat: number): string => `member-${seat + 1}.ticket`

/** Says in the folder which tickets the committee needs. */
export const requestTickets = async (folder: string, config: TallyConfig): Promise<readonly TicketRequest[]> => {
  const { group, roster } = identify(UNIVERSE, config)
  const requests = roster.members.map(({ peer, vote }, seat) => ({
    seat,
    peer: toHex(peer),
    network: toHex(UNIVERSE),
    group: toHex(group),
    epoch: roster.epoch,
    voteKey: toHex(vote),
    ticket: nameOf(seat),
  }))
  await writeWhole(join(folder, REQUESTS_FILE), `${JSON.stringify(requests, null, 2)}\n`)
  return requests
}

export interface Awaiting {
  readonly signal: AbortSignal
  /** Said once, when something has to be waited for: seats whose ticket is not there. */
  readonly onWait: (seats: readonly number[]) => void
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 60_000
const POLL_MS = 200

/**
 * Waits until every request has a ticket of its member, and the collateral is there. Whether the tickets count is for members and readers.
 *
 * @throws QuotesError after `timeoutMs`, default 60 s
 */
export const awaitTickets = async (
  folder: string,
  requests: readonly TicketRequest[],
  { signal, onWait, timeoutMs = TIMEOUT_MS }: Awaiting,
): Promise<void> => {
  let isTold = false
  for (const end = performance.now() + timeoutMs; ; ) {
    const there = await Promise.all(requests.map((request) => isAnswered(folder, request)))
    const seats = requests.flatMap(({ seat }, i) => (there[i] ? [] : [seat]))
    const hasCollateral = await exists(collateralFile(folder))
    if ((seats.length === 0 && hasCollateral) || signal.aborted) return
    if (!isTold) onWait(seats)
    isTold = true
    if (performance.now() > end) {
      const missing = [...seats.map(nameOf), ...(hasCollateral ? [] : [COLLATERAL_FILE])].join(', ')
      throw new QuotesError(
        folder,
        `got no ${missing} within ${timeoutMs / 1_000} s: see that the quoting service runs and reads ${REQUESTS_FILE}`,
      )
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => {})
  }
}

/** A ticket of an earlier committee may lie there still. */
const isAnswered = async (folder: string, { seat, peer }: TicketRequest): Promise<boolean> => {
  const data = await readFile(ticketFile(folder, seat)).catch(() => null)
  if (data === null || data.length > TICKET_BYTES) return false
  try {
    return toHex(decodeTdxTicket(copy(data)).peer) === peer
  } catch {
    return false
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** The folder of the operator's quoting service lacks something. */
export class QuotesError extends CoalitionError {
  constructor(path: string, problem: string, cause?: unknown) {
    super('Devnet.QuotesError', `${path} ${problem}`, { path, problem }, cause === undefined ? {} : { cause })
  }
}
