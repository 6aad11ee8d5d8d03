import type { TdxGate } from '../../client/coalition/tickets/tdx-gate.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import { handshakeOf } from '../../node/devnet/handshake.ts'

/** Folders of a new committee in `folder`, and its config. Its chain is nobody's. */
export const committeeOf = (members: number, folder: string, gate: TdxGate | null = null): Promise<TallyConfig> =>
  handshakeOf({
    folder,
    chainId: 31_337n,
    origin: new Uint8Array(32).fill(7),
    feeRecipient: new Uint8Array(20).fill(9),
    members,
    gate,
  })

/** Nobody listens there: port 9 is the discard service's. */
export const NO_CHAIN = 'http://127.0.0.1:9'
