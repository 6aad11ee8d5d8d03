import { parseConfig } from '../../client/lattice/tally/config.ts'
import { readHandshake } from '../../node/handshake.ts'
import { connect, Tally } from '../../node/index.ts'

/** Reads a devnet's whole tally in this process, to hold against what pages show. */
export interface Reader extends AsyncDisposable {
  /** The block of each refund, by position. */
  readonly slots: ReadonlyMap<bigint, bigint>
  readonly newest: () => bigint | null
  /** What is wrong with what was read. */
  readonly problems: readonly string[]
}

/** @param config path of the devnet's published handshake */
export const openReader = async (config: string): Promise<Reader> => {
  const { tally, bootstrap } = await readHandshake(config)
  const network = await connect({ bootstrap })
  const refunds = await Tally.read(network, parseConfig(tally), { timeout: 60_000 })
  const slots = new Map<bigint, bigint>()
  const problems: string[] = []
  const ended = (async () => {
    for await (const { value, ref } of refunds.since(0n)) {
      const expected = BigInt(slots.size)
      if (ref.position !== String(expected)) throw new Error(`position ${ref.position} came instead of ${expected}`)
      slots.set(expected, value.kind === 'attribution' ? value.slot : value.of.slot)
    }
  })().catch((error: unknown) => void problems.push(`the reader in Node: ${String(error)}`))
  return {
    slots,
    problems,
    newest: () => (slots.size === 0 ? null : BigInt(slots.size - 1)),
    [Symbol.asyncDispose]: async () => {
      await refunds[Symbol.asyncDispose]()
      await network[Symbol.asyncDispose]()
      await ended
    },
  }
}
