import { setTimeout as delay } from 'node:timers/promises'
import { CoalitionError } from '../../client/error.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import type { Log } from '../../client/log.ts'
import { peerIdOf } from '../../client/network/address.ts'
import { type Child, type MemberEvent, startMember } from './child.ts'
import { handshakeFile, memberFolder } from './handshake.ts'
import type { Ports } from './ports.ts'
import { collateralFile, ticketFile } from './quotes.ts'

/** Transports that browsers can dial, as a devnet's members listen on loopback. */
const LISTEN = {
  ws: ({ ws }: Ports) => `/ip4/127.0.0.1/tcp/${ws}/ws`,
  'webrtc-direct': ({ rtc }: Ports) => `/ip4/127.0.0.1/udp/${rtc}/webrtc-direct`,
  webtransport: ({ wt }: Ports) => `/ip4/127.0.0.1/udp/${wt}/quic-v1/webtransport`,
} as const
export type Served = keyof typeof LISTEN
export const SERVED = Object.keys(LISTEN) as readonly Served[]

/** A running member as the devnet's events show it. */
export interface Running {
  readonly seat: number
  readonly pid: number
  /** Where readers connect, with the hashes of certificates: known once the member listens. */
  readonly addresses: readonly string[]
  readonly http: string
}

export interface CommitteeOptions {
  readonly folder: string
  readonly config: TallyConfig
  readonly rpc: string
  readonly ports: readonly Ports[]
  /** What readers can dial the members over. */
  readonly transports: readonly Served[]
  /** Milliseconds from a member's death to its next start. */
  readonly restartMs: number
  /** Folder with the members' tickets; null where they show none. */
  readonly quotes: string | null
  readonly log: Log
  readonly onEvent: (event: string, facts: object) => void
}

export interface Committee extends AsyncDisposable {
  /** Once every member runs. */
  readonly ready: readonly Running[]
  /** Rejects when a member cannot be started at all. */
  readonly failed: Promise<never>
}

/** A member that dies this many times without having been ready in between is not started again. */
const MOST_DEATHS = 3

/** Starts one process for each member, and starts it again when it dies. */
export const startCommittee = async (options: CommitteeOptions): Promise<Committee> => {
  const { members } = options.config.acl.roster
  const stop = new AbortController()
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  // Looked at by whoever runs the devnet; until then it must not count as forgotten.
  failed.catch(() => {})
  const seats = members.map((_, seat) => new Seat(options, seat, stop.signal, fail))
  const end = async (): Promise<void> => {
    stop.abort()
    await Promise.all(seats.map((seat) => seat.end()))
  }
  try {
    const ready = await Promise.race([Promise.all(seats.map((seat) => seat.ready)), failed])
    return { ready, failed, [Symbol.asyncDispose]: end }
  } catch (error) {
    await end()
    throw error
  }
}

/** One member's process, and the next one in its place. */
class Seat {
  readonly ready: Promise<Running>
  readonly #o: CommitteeOptions
  readonly #seat: number
  readonly #signal: AbortSignal
  readonly #life: Promise<void>
  #child: Child | null = null
  #deaths = 0
  #isReady: (running: Running) => void = () => {}

  constructor(options: CommitteeOptions, seat: number, signal: AbortSignal, fail: (error: Error) => void) {
    this.#o = options
    this.#seat = seat
    this.#signal = signal
    this.ready = new Promise((resolve) => {
      this.#isReady = resolve
    })
    this.#life = this.#run().catch(fail)
  }

  async end(): Promise<void> {
    await this.#child?.end()
    await this.#life
  }

  async #run(): Promise<void> {
    while (!this.#signal.aborted) {
      const child = startMember(this.#args(), (line) => this.#o.log('info', `member ${this.#seat}`, { line }))
      this.#child = child
      child.onEvent((event) => this.#heard(child, event))
      const code = await child.exit
      if (this.#signal.aborted) return
      this.#deaths += 1
      this.#o.onEvent('member', { seat: this.#seat, state: 'down', code })
      if (this.#deaths >= MOST_DEATHS) throw new MemberError(this.#seat, this.#deaths)
      await delay(this.#o.restartMs, undefined, { signal: this.#signal }).catch(() => {})
    }
  }

  #args(): readonly string[] {
    const { folder, rpc, ports, transports, config, quotes } = this.#o
    const own = ports[this.#seat] as Ports
    const peers = ports.flatMap((other, seat) => {
      const key = config.acl.roster.members[seat]?.peer
      return seat === this.#seat || key === undefined ? [] : ['--peer', `/ip4/127.0.0.1/tcp/${other.tcp}/p2p/${peerIdOf(key)}`]
    })
    const addresses = [`/ip4/127.0.0.1/tcp/${own.tcp}`, ...transports.map((name) => LISTEN[name](own))]
    const listen = addresses.flatMap((address) => ['--listen', address])
    const shown = quotes === null ? [] : ['--ticket', ticketFile(quotes, this.#seat), '--collateral', collateralFile(quotes)]
    return [
      memberFolder(folder, this.#seat),
      '--config',
      handshakeFile(folder),
      '--rpc',
      rpc,
      ...listen,
      ...peers,
      '--http',
      `127.0.0.1:${own.http}`,
      ...shown,
    ]
  }

  #heard(child: Child, { event, ...facts }: MemberEvent): void {
    const { log, onEvent, ports } = this.#o
    if (event === 'chain') log('info', `member ${this.#seat} sees the chain`, { state: String(facts.state), detail: String(facts.detail) })
    if (event !== 'ready') return
    this.#deaths = 0
    const addresses = facts.addresses as readonly string[]
    const running = { seat: this.#seat, pid: child.pid, addresses, http: `http://127.0.0.1:${ports[this.#seat]?.http}` }
    onEvent('member', { ...running, state: 'up', group: facts.group, newest: facts.newest })
    this.#isReady(running)
  }
}

/** A member of the devnet that cannot be started. */
export class MemberError extends CoalitionError {
  constructor(seat: number, deaths: number) {
    super('Devnet.MemberError', `member ${seat} ended ${deaths} times without getting ready; its last lines above say why`, {
      seat,
      deaths,
    })
  }
}
