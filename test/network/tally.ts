import { tallyBlock } from '../../client/lattice/tally/block.ts'
import { identify } from '../../client/lattice/tally/config.ts'
import { attributionOf, verifyProofs } from '../../client/lattice/tally/evidence.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import { type RefundItem, refundCodec, SPECS } from '../../client/lattice/tally/refund.ts'
import { silent } from '../../client/log.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { type Bytes, toHex, utf8 } from '../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'
import { hash } from '../../wasm/core.ts'
import { blockOf, CHAIN, configOf, FEE_RECIPIENT, provider } from '../lattice/tally/fixtures.ts'
import { Chain, type CommitOptions, seats } from './chain.ts'

// A tally's history by the chain double: what a committee of any size would have signed, without its machine. Served by real hosts.

/** A tally of `n` members, whose keys the tests hold. */
export const tallyOf = (n: number): TallyConfig => {
  const { acl, ...config } = configOf()
  return { ...config, acl: { ...acl, roster: { epoch: 0, members: seats(n).map(({ member }) => member) } } }
}

interface PayOptions extends CommitOptions {
  /** Of the block's attribution, default 0. */
  readonly revision?: number
}

export interface TallyChain {
  readonly chain: Chain<RefundItem>
  /** Commits a block with one payment: to provider `number`, and to the one after it. */
  readonly pay: (number: bigint, options?: PayOptions) => void
}

export const tallyChain = (config: TallyConfig, timeMs: number): TallyChain => {
  const blobs = new Map<string, Bytes>()
  const blob = ({ kind, value }: RefundItem): Bytes =>
    (kind === 'attribution' ? blobs.get(toHex(value.evidence.value.proofs)) : undefined) ?? new Uint8Array(0)
  const { group } = identify(UNIVERSE, config)
  const chain = new Chain<RefundItem>(seats(config.acl.roster.members.length), timeMs, { group, specs: SPECS, item: refundCodec, blob })
  const pay = (number: bigint, { revision = 0, ...options }: PayOptions = {}): void => {
    const made = blockOf(number, hash(utf8(`parent of ${number}`)), [
      { value: 1_000_000n + number, providers: [provider(Number(number)), provider(Number(number) + 1)], bps: [4_000, 3_000] },
    ])
    const proven = verifyProofs(tallyBlock(made, number, FEE_RECIPIENT).proofs, FEE_RECIPIENT)
    blobs.set(toHex(proven.hash), proven.blob)
    const circumstances = { revision, chainId: CHAIN, committedAt: BigInt(options.timeMs ?? chain.timeMs) }
    chain.commit([{ kind: 'attribution', value: attributionOf(proven, circumstances) }], options)
  }
  return { chain, pay }
}

/** A host under the link key of a member, serving whatever `chain` gives then. */
export const serveTally = async (member: number, chain: () => Chain<RefundItem>): Promise<NodeHost> => {
  const host = await createNodeHost({ seed: hash(utf8(`peer ${member}`)), listen: ['/ip4/127.0.0.1/tcp/0/ws'], log: silent })
  await host.handle(
    LIGHT_PROTOCOL,
    serveLight(() => [chain().source()], host),
  )
  return host
}
