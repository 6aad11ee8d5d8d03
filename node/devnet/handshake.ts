import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CoalitionError } from '../../client/error.ts'
import { formatConfig, parseConfig, SIGNATURE } from '../../client/lattice/tally/config.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import { type Bytes, equal, fromHex, toHex } from '../../client/primitives/bytes.ts'
import { hashText } from '../../wasm/core.ts'
import { initFolder } from '../members/folder.ts'

/** What the devnet publishes for a chain: the lattice's name, when a block counts, and how often an idle member commits. */
export interface Plan {
  readonly folder: string
  readonly chainId: bigint
  /** Hash of block 0: two chains of one id are two tallies. */
  readonly origin: Bytes
  readonly feeRecipient: Bytes
}

const FILE = 'handshake.json'
const TIMERS = { view_ms: 400, short_ms: 100, skew_ms: 500, heartbeat_ms: 1_000 } as const

/**
 * The devnet's config: the one in its folder, or a new one for this chain with a new member.
 * @throws HandshakeError when the folder's config is of another chain
 */
export const handshakeOf = async ({ folder, chainId, origin, feeRecipient }: Plan): Promise<TallyConfig> => {
  const file = join(folder, FILE)
  const stored = await readFile(file, 'utf8').catch(() => null)
  if (stored !== null) {
    const config = parseConfig((JSON.parse(stored) as { tally: unknown }).tally)
    if (!equal(config.content.origin.hash, origin)) throw new HandshakeError(folder, toHex(config.content.origin.hash), toHex(origin))
    return config
  }
  const keys = await initFolder(memberFolder(folder, 0))
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
      roster: { epoch: 0, members: [{ ...keys, settle: hashText('devnet settle 0').slice(0, 20), operator: 'devnet operator 1' }] },
      admission: { kind: 'roster', value: null },
      readers: { kind: 'anyone', value: null },
    },
  }
  await writeFile(file, `${JSON.stringify({ tally: formatConfig(config) }, null, 2)}\n`)
  return config
}

export const handshakeFile = (folder: string): string => join(folder, FILE)
export const memberFolder = (folder: string, member: number): string => join(folder, `member-${member + 1}`)

/** The address that the devnet's payers pay: nobody's, so that its balance is what was paid. */
export const BUILDER: Bytes = fromHex('00000000000000000000000000000000b11d0001')

export class HandshakeError extends CoalitionError {
  constructor(folder: string, expected: string, found: string) {
    super(
      'Devnet.HandshakeError',
      `${folder} is of the chain that begins at ${expected}, this one begins at ${found}: remove the folder to start anew`,
      { folder, expected, found },
    )
  }
}
