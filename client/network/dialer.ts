import { CoalitionError, isError } from '../error.ts'
import { type Bytes, equal, toHex } from '../primitives/bytes.ts'
import { type Address, asAddress, mayDial, readAddress, TRANSPORTS, type TransportName } from './address.ts'
import type { Candidate } from './candidates.ts'
import type { Host, Link } from './host.ts'
import { LinkError } from './link.ts'
import { race, type Scope, scope, sleep } from './scope.ts'
import { order, Past } from './ways.ts'

/** Milliseconds for all ways to one peer together. */
const DIAL_MS = 10_000
/** Milliseconds that one way is tried alone before the next one begins beside it (RFC 8305 section 5, "Connection Attempt Delay"). */
const STAGGER_MS = 250

/** A link, and the way by which it was had. */
export interface Dialed {
  readonly link: Link
  readonly address: Address
}

/** One way that was tried, or left out, and what was wrong with it. */
export interface DialAttempt {
  readonly transport: TransportName | null
  readonly address: string
  readonly problem: string
}

export interface DialerOptions {
  readonly host: Pick<Host, 'dial' | 'ready' | 'after' | 'now' | 'transports'>
  /** Dialled wherever they lead: whoever wrote the page or the command chose them. All others are dialled as `mayDial` says. */
  readonly bootstrap: readonly string[]
  /** Only these, of what the host can dial. */
  readonly transports?: readonly TransportName[] | undefined
}

/**
 * Dials peers: each over its best transport first, over the next one as well when that takes long or fails, and keeps the first link whose peer
 * proves the key that its addresses name.
 *
 * @throws AddressError for a bootstrap address; TransportsError for transports that are none, or not to be had here
 */
export class Dialer {
  readonly #host: DialerOptions['host']
  readonly #transports: readonly TransportName[]
  readonly #chosen: ReadonlySet<string>
  readonly #mayDial: (told: Address) => boolean
  readonly #past: Past

  constructor({ host, bootstrap, transports }: DialerOptions) {
    this.#host = host
    this.#past = new Past(host)
    this.#transports = chosenOf(host.transports, transports)
    this.#chosen = new Set(bootstrap)
    const addresses = [...this.#chosen].map(readAddress)
    this.#mayDial = mayDial(addresses)
    const needed = addresses.map(({ transport }) => transport)
    if (needed.length > 0 && !needed.some((name) => this.#transports.includes(name)))
      throw new TransportsError([...new Set(needed)], this.#transports)
  }

  /**
   * A new link to a peer. Every way that lost is closed, also one that comes to its end later.
   *
   * @throws DialError with every way that was tried; the signal's reason
   */
  async dial({ peer, addresses }: Candidate, signal: AbortSignal): Promise<Dialed> {
    const key = toHex(peer)
    const looked = [...new Set(addresses)].map((text) => this.#look(text, peer))
    const ways = order(
      looked.flatMap(({ way }) => way ?? []),
      (transport) => this.#past.rank(key, transport, this.#transports.indexOf(transport)),
    )
    if (ways.length === 0)
      throw new DialError(
        key,
        looked.flatMap(({ attempt }) => attempt ?? []),
      )
    const own = scope(signal)
    const cancel = this.#host.after(DIAL_MS, () => own.abort(new LateError(DIAL_MS)))
    try {
      await race(this.#host.ready?.() ?? Promise.resolve(), own.signal)
      return await this.#race(key, ways, own)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw error
    } finally {
      cancel()
      own.abort(LOST)
    }
  }

  #look(text: string, peer: Bytes): { readonly way?: Address; readonly attempt?: DialAttempt } {
    const way = asAddress(text)
    const no = (problem: string) => ({ attempt: { transport: way?.transport ?? null, address: text, problem } })
    if (way === null) return no('is no address of a peer')
    if (!equal(way.peer, peer)) return no('is the address of another peer')
    if (!this.#transports.includes(way.transport)) return no(`only ${this.#transports.join(', ')} can be dialled from here`)
    if (!this.#chosen.has(text) && !this.#mayDial(way)) return no(`leads to a ${way.reach} host, and was told by others`)
    return { way }
  }

  /** The first of the ways to lead there. */
  #race(key: string, ways: readonly Address[], own: Scope): Promise<Dialed> {
    const attempts: DialAttempt[] = []
    return new Promise((resolve, reject) => {
      let [started, running] = [0, 0]
      const win = (dialed: Dialed): void => {
        // Two may come in one moment: the second meets the end of the first.
        if (own.signal.aborted) drop(dialed.link)
        else {
          this.#past.remember(key, dialed.address.transport, true)
          own.abort(LOST)
          resolve(dialed)
        }
      }
      const fail = (way: Address, error: unknown): void => {
        running -= 1
        attempts.push({ transport: way.transport, address: way.text, problem: problemOf(error) })
        // Neither one that lost to another nor one that was called off has failed.
        if (!own.signal.aborted || own.signal.reason instanceof LateError) this.#past.remember(key, way.transport, false)
        start()
        if (running === 0) reject(new DialError(key, attempts))
      }
      const start = (): void => {
        const way = ways[started]
        if (way === undefined || own.signal.aborted) return
        const turn = ++started
        running += 1
        this.#try(way, own.signal).then(win, (error: unknown) => fail(way, error))
        // Not when a failure has started the next one already.
        const goOn = (): void => (started === turn ? start() : undefined)
        sleep(this.#host, STAGGER_MS, own.signal).then(goOn, () => {})
      }
      start()
    })
  }

  async #try(way: Address, signal: AbortSignal): Promise<Dialed> {
    const opening = this.#host.dial(way.text, { signal })
    // A link that comes after all is over is closed here, or nobody would.
    opening.then(
      (link) => (signal.aborted ? drop(link) : undefined),
      () => {},
    )
    const link = await race(opening, signal)
    if (equal(way.peer, link.peer)) return { link, address: way }
    drop(link)
    throw new LinkError(way.text, 'the peer has another key than the address names')
  }
}

/** The transports of a host that are used, in its order. */
const chosenOf = (host: readonly TransportName[], given: readonly TransportName[] | undefined): readonly TransportName[] => {
  if (given === undefined) return host
  const chosen = host.filter((transport) => given.includes(transport))
  if (chosen.length === 0 || !given.every((name) => TRANSPORTS.includes(name))) throw new TransportsError(given, host)
  return chosen
}

const drop = (link: Link): void => void link.close().catch(() => {})

const problemOf = (error: unknown): string => {
  if (isError(error, 'Network.LinkError') && typeof error.facts.problem === 'string') return error.facts.problem
  return error instanceof Error ? error.message : String(error)
}

const LOST = new Error('another way was faster')

class LateError extends Error {
  constructor(ms: number) {
    super(`no connection within ${ms} ms`)
  }
}

/** A peer that none of its addresses leads to. */
export class DialError extends CoalitionError {
  /** Link key in hex. */
  declare readonly peer: string
  /** In the order in which they failed; those that were left out where none could be tried. */
  declare readonly attempts: readonly DialAttempt[]

  constructor(peer: string, attempts: readonly DialAttempt[]) {
    const words = attempts.map(({ transport, problem }) => `${transport ?? 'an address'}: ${problem}`)
    super('Network.DialError', `no connection: ${words.length > 0 ? words.join('; ') : 'no address is known'}`, {
      peer,
      attempts: attempts.map(({ transport, address, problem }) => ({ transport, address, problem })),
    })
  }
}

/** Transports that are none, or none that can be dialled from here: asked for, or those of every bootstrap address. */
export class TransportsError extends CoalitionError {
  declare readonly transports: readonly string[]
  /** What can be. */
  declare readonly dialled: readonly string[]

  constructor(transports: readonly string[], dialled: readonly string[]) {
    const message = `${transports.join(', ') || 'nothing'} to dial over: there are ${TRANSPORTS.join(', ')}, and here ${dialled.join(', ')} can be used`
    super('Network.TransportsError', message, { transports, dialled })
  }
}
