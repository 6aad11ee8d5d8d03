import { join } from 'node:path'
import { TICKET_BYTES } from '../../client/coalition/tickets/tdx-ticket.ts'
import type { HeldTicket } from '../../client/groups/source.ts'
import { type Expected, judge, rootOf } from '../../client/network/attest/tickets.ts'
import type { Host } from '../../client/network/host.ts'
import { type Scope, scope, sleep } from '../../client/network/scope.ts'
import { TDX_CLASS } from '../../client/network/tickets/ticket.ts'
import { type Bytes, equal, toHex } from '../../client/primitives/bytes.ts'
import { readBounded } from '../collateral/folder.ts'
import { CollateralKeep } from '../collateral/keep.ts'
import { loaderOf } from '../collateral/source.ts'

/** What a member shows of itself: a ticket that its TD's quoting service writes, and collateral for the ticket's quote. */
export interface TicketFiles {
  /** File with the canonical bytes of a TdxTicket. Read again and again: a member quotes anew every 6 hours (TDX.md). */
  readonly ticket: string
  /** File, folder of a PCCS's answers, or http(s) address of a PCCS. */
  readonly collateral: string
}

export interface OwnTicketOptions {
  readonly files: TicketFiles
  /** The member's folder: collateral is kept in it. */
  readonly folder: string
  readonly seat: number
  readonly expected: Expected
  readonly host: Pick<Host, 'now' | 'random' | 'after' | 'log'>
  /** Called with the ticket, whether it counts or not, and its collateral. */
  readonly show: (held: HeldTicket, collateral: Bytes) => Promise<unknown>
}

const LOOK_MS = 10_000

/** A member's own ticket, verified as a reader does, so that its operator hears what is wrong with it before readers do. */
export class OwnTicket {
  readonly #o: OwnTicketOptions
  readonly #own: Scope = scope()
  #keep: CollateralKeep | null = null
  #data: Bytes | null = null
  #problem: string | null = null
  #told = ''
  /** Ticket and collateral as they were shown last, and the unix second until which they count. */
  #shown = { name: '', until: 0 }
  #turn: Promise<void> = Promise.resolve()
  #life: Promise<void> = Promise.resolve()

  private constructor(options: OwnTicketOptions) {
    this.#o = options
  }

  /** Begins to look after it. A ticket or collateral that cannot be read is told, and looked for again. @throws PccsError */
  static async open(options: OwnTicketOptions): Promise<OwnTicket> {
    const { files, folder, expected, host } = options
    const ticket = new OwnTicket(options)
    await ticket.#read().catch(() => {})
    ticket.#keep = await CollateralKeep.open({
      folder: join(folder, 'collateral'),
      root: rootOf(expected.gate),
      ecdsa: expected.ecdsa,
      memory: expected.memory,
      host,
      ...loaderOf(files.collateral, { host, ticket: () => ticket.#data }),
      onChange: () => void ticket.#look(),
    })
    ticket.#life = ticket.#run().catch(() => {})
    return ticket
  }

  /** Why it does not count, or null. */
  get problem(): string | null {
    return this.#problem
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#own.abort(new Error('the member was closed'))
    await this.#keep?.[Symbol.asyncDispose]()
    await this.#life
    await this.#turn
  }

  async #run(): Promise<void> {
    const { signal } = this.#own
    // Before that it has nothing to be verified with, which is nobody's fault.
    await this.#keep?.looked
    while (!signal.aborted) {
      await this.#look()
      await sleep(this.#o.host, LOOK_MS, signal)
    }
  }

  /** One after the other: new collateral may come while the file is read. */
  #look(): Promise<void> {
    this.#turn = this.#turn
      .then(() => this.#judge())
      .catch((error: unknown) => this.#refused(error instanceof Error ? error.message : String(error)))
    return this.#turn
  }

  async #read(): Promise<Bytes> {
    const data = await readBounded(this.#o.files.ticket, TICKET_BYTES)
    const isNew = this.#data === null || !equal(this.#data, data)
    this.#data = data
    // It may have been made on another machine.
    if (isNew) this.#keep?.look()
    return data
  }

  async #judge(): Promise<void> {
    const { seat, expected, host, files, show } = this.#o
    const data = await this.#read()
    const kept = this.#keep?.current ?? null
    const name = `${toHex(data)} ${kept === null ? '' : toHex(kept.hash)}`
    const at = Math.floor(host.now() / 1_000)
    if (name === this.#shown.name && at <= this.#shown.until) return
    const held = { member: seat, class: TDX_CLASS, data, collateral: kept === null ? [] : [kept.hash] }
    const { problem, verdict } = await judge(held, kept === null ? [] : [kept.verified], expected, at)
    // Shown all the same: a reader that is to say why it does not count has to see it.
    if (kept !== null) await show(held, kept.bytes)
    if (problem !== null) return this.#refused(problem)
    this.#shown = { name, until: verdict?.expires ?? 0 }
    this.#problem = null
    this.#told = ''
    host.log('info', 'the ticket of this member counts', { ticket: files.ticket, expires: this.#shown.until })
  }

  /** Said once, and every time that it is something else. */
  #refused(problem: string): void {
    this.#problem = problem
    // What time it is stands in some problems.
    const told = problem.replace(/\d+/g, '')
    if (told === this.#told || this.#own.signal.aborted) return
    this.#told = told
    const { ticket } = this.#o.files
    this.#o.host.log('error', 'the ticket of this member does not count, and readers do not count its votes', { ticket, problem })
  }
}
