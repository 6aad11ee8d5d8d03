import { webcrypto } from 'node:crypto'
import { join } from 'node:path'
import type { Source } from '../../client/groups/source.ts'
import { TicketShelf } from '../../client/network/attest/shelf.ts'
import type { Expected } from '../../client/network/attest/tickets.ts'
import type { TicketReport } from '../../client/network/handle.ts'
import type { Host } from '../../client/network/host.ts'
import { keptRollback } from '../../client/network/keep/rollback.ts'
import { exchange } from '../../client/network/light/client.ts'
import { fetchBlob } from '../../client/network/reader/questions.ts'
import { type Scope, scope, sleep } from '../../client/network/scope.ts'
import { type Bytes, equal } from '../../client/primitives/bytes.ts'
import { createEcdsa } from '../../client/verify/collateral/index.ts'
import { openFolder } from '../storage/folder.ts'
import { OwnTicket, type TicketFiles } from './own-ticket.ts'

export interface AttestOptions {
  readonly expected: Omit<Expected, 'ecdsa' | 'memory'>
  readonly rosterId: Bytes
  readonly seat: number
  /** Null for a member that has no ticket: it votes and serves the others' tickets. */
  readonly own: TicketFiles | null
  /** The member's folder. */
  readonly folder: string
  /** Multiaddrs of the other members. */
  readonly addresses: readonly string[]
  readonly host: Host
}

/** What is known of a seat's ticket: for the member's operator. */
export type AttestedSeat = Pick<TicketReport, 'isAttested' | 'expires' | 'problem'> & { readonly member: number }

/** Between two rounds: while tickets are missing, for a while; after that. */
const GOSSIP_MS = { eager: 2_000, calm: 30_000 } as const
/** Rounds in a hurry after a start, or after one that changed something: a seat that is down for days is not asked for all the time. */
const EAGER_ROUNDS = 30
/** For all that one member is asked in a round. */
const PEER_MS = 20_000

/**
 * The tickets of a committee whose keys live in TDs, as a member holds them: its own, and those that other members show. All are verified as
 * a reader does, and served. Voting never looks at them.
 */
export class Attest {
  readonly #o: AttestOptions
  readonly #expected: Expected
  readonly #shelf: TicketShelf
  readonly #own: Scope = scope()
  #ticket: OwnTicket | null = null
  #life: Promise<void> = Promise.resolve()

  private constructor(options: AttestOptions) {
    this.#o = options
    const memory = keptRollback(options.host, openFolder(join(options.folder, 'rollback')))
    this.#expected = { ...options.expected, ecdsa: createEcdsa(webcrypto.subtle as never), memory }
    this.#shelf = new TicketShelf(this.#expected, () => this.#now())
  }

  static async open(options: AttestOptions): Promise<Attest> {
    const attest = new Attest(options)
    await attest.#start()
    return attest
  }

  /** The member's archive, and beside it the tickets and their collateral. */
  serve(source: Source): Source {
    return {
      ...source,
      tickets: (rosterId) => (equal(rosterId, this.#o.rosterId) ? this.#shelf.held() : []),
      blob: async (wanted) => this.#shelf.blob(wanted) ?? (await source.blob(wanted)),
    }
  }

  status(): readonly AttestedSeat[] {
    return this.#o.expected.roster.members.map((_, member) => {
      const { isAttested, expires, problem } = this.#shelf.report(member)
      // The shelf keeps what counted before; the file may say more.
      const own = member === this.#o.seat && !isAttested ? this.#ticket?.problem : null
      return { member, isAttested, expires, problem: own ?? problem }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#own.abort(new Error('the member was closed'))
    await this.#ticket?.[Symbol.asyncDispose]()
    await this.#life
  }

  async #start(): Promise<void> {
    const { own, folder, seat, host } = this.#o
    if (own === null) {
      host.log(
        'warn',
        'the config asks for TDX tickets, and this member has none: readers do not count its votes. Give --ticket and --collateral',
      )
    } else {
      this.#ticket = await OwnTicket.open({
        ...{ files: own, folder, seat, expected: this.#expected, host },
        show: (held, collateral) => this.#shelf.learn([held], async () => collateral),
      })
    }
    this.#life = this.#gossip().catch(() => {})
  }

  async #gossip(): Promise<void> {
    const { host, addresses } = this.#o
    const { signal } = this.#own
    const missing = (): number => this.status().filter(({ isAttested }) => !isAttested).length
    for (let eager = EAGER_ROUNDS; !signal.aborted; eager -= 1) {
      const before = missing()
      await Promise.all(addresses.map((address) => this.#pull(address)))
      if (missing() !== before) eager = EAGER_ROUNDS
      await sleep(host, missing() === 0 || eager <= 0 ? GOSSIP_MS.calm : GOSSIP_MS.eager, signal)
    }
  }

  /** Asks a member for the tickets that it holds. */
  async #pull(address: string): Promise<void> {
    const { host, expected, rosterId } = this.#o
    const own = scope(this.#own.signal)
    const cancel = host.after(PEER_MS, () => own.abort(new Error('no answer in time')))
    try {
      const { signal } = own
      // The connection is the one that votes travel on: it stays open.
      const link = await host.dial(address, { signal })
      const { tickets } = await exchange(link, 'tickets', { group: expected.group, roster: rosterId }, { host, signal })
      await this.#shelf.learn(tickets, (wanted, most) => fetchBlob({ host, link, signal }, wanted, most))
    } catch (error) {
      if (!this.#own.signal.aborted) host.log('debug', 'a member was not asked for tickets', { address, problem: String(error) })
    } finally {
      cancel()
      own.end()
    }
  }

  #now(): number {
    return Math.floor(this.#o.host.now() / 1_000)
  }
}
