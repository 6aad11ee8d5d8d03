import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { formatGate, type TdxGate } from '../../client/coalition/tickets/tdx-gate.ts'
import { CoalitionError } from '../../client/error.ts'
import type { Member } from '../../client/groups/roster.ts'
import { formatConfig, parseConfig, SIGNATURE } from '../../client/lattice/tally/config.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import { type Bytes, equal, fromHex, toHex } from '../../client/primitives/bytes.ts'
import { hashText } from '../../wasm/core.ts'
import { writeWhole } from '../files.ts'
import { readHandshake } from '../handshake.ts'
import { initFolder } from '../members/folder.ts'

/** What the devnet publishes for a chain: the lattice's name, when a block counts, and how often an idle member commits. */
export interface Plan {
  readonly folder: string
  readonly chainId: bigint
  /** Hash of block 0: two chains of one id are two tallies. */
  readonly origin: Bytes
  readonly feeRecipient: Bytes
  /** Seats of a new committee; null keeps that of the folder, or makes one of four. */
  readonly members: number | null
  /** What the members' quotes have to be; null, or left out, for a committee of keys alone. */
  readonly gate?: TdxGate | null
}

/** The smallest committee that withstands a liar. */
const MEMBERS = 4

const FILE = 'handshake.json'
const TIMERS = { view_ms: 400, short_ms: 100, skew_ms: 500, heartbeat_ms: 1_000 } as const

/**
 * The devnet's config: the one in its folder, or a new one for this chain with new members.
 * @throws HandshakeError when the folder's config is of another chain, number of members or gate; UsageError, ParseError, ConfigError
 *   when it cannot be read: members were made for it, so it is not made anew
 */
export const handshakeOf = async (plan: Plan): Promise<TallyConfig> => {
  const { folder, chainId, origin, feeRecipient, members, gate = null } = plan
  const file = join(folder, FILE)
  if (existsSync(file)) {
    const config = parseConfig((await readHandshake(file)).tally)
    expectSame(config, plan)
    return config
  }
  const seats: Member[] = []
  for (let seat = 0; seat < (members ?? MEMBERS); seat++)
    seats.push({
      ...(await initFolder(memberFolder(folder, seat))),
      settle: hashText(`devnet settle ${seat}`).slice(0, 20),
      operator: `devnet operator ${seat + 1}`,
    })
  const config: TallyConfig = {
    lattice: { name: 'devnet.local', chainId },
    content: {
      signature: SIGNATURE,
      feeRecipient,
      origin: { number: 0n, hash: origin },
      inclusion: { kind: 'finalized', value: null },
      timers: TIMERS,
      predecessor: null,
    },
    acl: {
      roster: { epoch: 0, members: seats },
      admission: gate === null ? { kind: 'roster', value: null } : { kind: 'tdx', value: gate },
      readers: { kind: 'anyone', value: null },
    },
  }
  await publish(folder, config, [])
  return config
}

const expectSame = ({ content, acl }: TallyConfig, { folder, origin, members, gate = null }: Plan): void => {
  const { hash } = content.origin
  const n = acl.roster.members.length
  if (!equal(hash, origin)) throw new HandshakeError(folder, `the chain that begins at ${toHex(hash)}`, `begins at ${toHex(origin)}`)
  if (members !== null && members !== n) throw new HandshakeError(folder, `a committee of ${n}`, `would have ${members}`)
  const [there, here] = [gateText(acl.admission.value), gateText(gate)]
  if (there !== here) throw new HandshakeError(folder, `a committee ${there}`, `would be one ${here}`)
}

const gateText = (gate: TdxGate | null): string =>
  gate === null ? 'without quotes' : `with quotes of the gate ${JSON.stringify(formatGate(gate))}`

/** Writes what the operators publish: the config and where members listen for readers. */
export const publish = async (folder: string, config: TallyConfig, bootstrap: readonly string[]): Promise<void> =>
  writeWhole(handshakeFile(folder), `${JSON.stringify({ tally: formatConfig(config), bootstrap }, null, 2)}\n`)

export const handshakeFile = (folder: string): string => join(folder, FILE)
export const memberFolder = (folder: string, member: number): string => join(folder, `member-${member + 1}`)

/** The address that the devnet's payers pay: nobody's, so that its balance is what was paid. */
export const BUILDER: Bytes = fromHex('00000000000000000000000000000000b11d0001')

/** A devnet folder of another chain, of another number of members, or of another gate. */
export class HandshakeError extends CoalitionError {
  constructor(folder: string, there: string, here: string) {
    super('Devnet.HandshakeError', `${folder} is of ${there}, this one ${here}: remove the folder to start anew, or name another one`, {
      folder,
      there,
      here,
    })
  }
}
