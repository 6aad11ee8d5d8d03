import { setTimeout as delay } from 'node:timers/promises'
import { encodePay } from '../../client/lattice/tally/payment.ts'
import type { Log } from '../../client/log.ts'
import { type Bytes, toHex, u32le } from '../../client/primitives/bytes.ts'
import { hash, hashText } from '../../wasm/core.ts'
import { createRpc, type Rpc } from '../chain/rpc.ts'

export interface TrafficOptions {
  readonly url: string
  readonly feeRecipient: Bytes
  readonly signal: AbortSignal
  readonly log: Log
  /** Milliseconds between two payments on average, default 1,500. */
  readonly everyMs?: number
  /** Any text: the same one gives the same payments in the same order. */
  readonly seed?: string
}

/** A payment that was sent. */
export interface Sent {
  readonly hash: string
  readonly value: bigint
  readonly providers: readonly Bytes[]
}

/** Addresses that are paid on the devnet: few, so that each soon has a history. */
export const PROVIDERS: readonly Bytes[] = /* @__PURE__ */ Array.from({ length: 12 }, (_, i) =>
  hashText(`devnet provider ${i}`).slice(0, 20),
)

/**
 * Pays a builder in anvil's own money, each payment naming one to four providers, until `signal` aborts. A chain that does not answer is
 * tried again: anvil may be restarted underneath.
 */
export const payBuilder = async (options: TrafficOptions, onSent: (sent: Sent) => void = () => {}): Promise<void> => {
  const { url, signal, log, everyMs = 1_500, seed = 'devnet' } = options
  const rpc = createRpc({ urls: [url], timeoutMs: 5_000, attempts: 1 })
  const draw = drawer(seed)
  while (!signal.aborted) {
    try {
      onSent(await pay(rpc, options, draw))
    } catch (error) {
      if (!signal.aborted) log('warn', 'a payment was not sent', { problem: error instanceof Error ? error.message : String(error) })
    }
    await delay(everyMs / 2 + draw(everyMs), undefined, { signal }).catch(() => {})
  }
}

const pay = async (rpc: Rpc, { feeRecipient, signal }: TrafficOptions, draw: Draw): Promise<Sent> => {
  const accounts = (await rpc.call('eth_accounts', [], { signal })) as readonly string[]
  const count = 1 + draw(4)
  const first = draw(PROVIDERS.length)
  const providers = Array.from({ length: count }, (_, i) => PROVIDERS[(first + i) % PROVIDERS.length] as Bytes)
  // At most 90 % together: the rest is the residual, so that every kind of sum is seen.
  const bps = providers.map(() => 100 + draw(Math.floor(9_000 / count) - 100))
  const value = BigInt(1 + draw(1_000_000)) * 10n ** 10n + BigInt(draw(1_000_000))
  const call = {
    from: accounts[draw(accounts.length)],
    to: `0x${toHex(feeRecipient)}`,
    value: `0x${value.toString(16)}`,
    data: `0x${toHex(encodePay({ ref: hashText(`order ${draw(1_000_000)}`), providers, bps }))}`,
  }
  return { hash: (await rpc.call('eth_sendTransaction', [call], { signal })) as string, value, providers }
}

/** A number of 0 … below − 1. */
type Draw = (below: number) => number

// A counter under BLAKE3: no Math.random, so that a run can be repeated and a screenshot stays the same.
const drawer = (seed: string): Draw => {
  const start = hashText(seed)
  let drawn = 0
  return (below) => new DataView(hash(start, u32le(drawn++)).buffer).getUint32(0, true) % below
}
