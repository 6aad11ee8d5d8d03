import type { Network, Tally } from '../../client/page/index.ts'

/** The operator's published file. It is checked where it is used: in the Worker. */
export interface Handshake {
  readonly bootstrap: readonly string[]
  readonly network?: string
  readonly tally: Tally.PublishedConfig
}

/** What every part of the page reads from. */
export interface Opened {
  readonly network: Network
  readonly refunds: Tally.Refunds
  /** As the operator published it. */
  readonly lattice: { readonly name: string; readonly chainId: bigint }
  /** Hex; what a permalink is bound to. */
  readonly group: string
}

/** Fetches what the operator published. @throws Error with the status, or of the JSON */
export const fetchHandshake = async (): Promise<Handshake> => {
  const response = await fetch('./handshake.json')
  if (!response.ok) throw new Error(`handshake.json: ${response.status}`)
  return (await response.json()) as Handshake
}
