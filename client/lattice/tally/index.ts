import type { TdxGate } from '../../coalition/tickets/tdx-gate.ts'
import type { AskOptions, Handle, Ref, Verified } from '../../network/handle.ts'
import type { Network, OpenOptions, SurfaceName } from '../../network/network.ts'
import { type Bytes, toHex } from '../../primitives/bytes.ts'

// The page imports this file: no codec, no curve, no hash. Whatever needs one happens on the host's side of the channel, in surface.ts.

/** A lattice's tally as an operator publishes it: plain data, structured-clone-safe. Every field folds into the group's id. */
export interface TallyConfig {
  readonly lattice: { readonly name: string; readonly chainId: bigint }
  readonly content: {
    /** `tally/public-payment@1`. */
    readonly signature: string
    /** 20 bytes: who is paid. */
    readonly feeRecipient: Bytes
    /** The block before the first that is tallied. */
    readonly origin: { readonly number: bigint; readonly hash: Bytes }
    readonly inclusion:
      | { readonly kind: 'finalized'; readonly value: null }
      | { readonly kind: 'depth'; readonly value: { readonly blocks: number } }
    /** Milliseconds. */
    readonly timers: { readonly view_ms: number; readonly short_ms: number; readonly skew_ms: number; readonly heartbeat_ms: number }
    /** The group that this one succeeds. */
    readonly predecessor: Bytes | null
  }
  readonly acl: {
    /** Epoch 0, for ever: a change of members moves no id. */
    readonly roster: {
      readonly epoch: number
      readonly members: readonly { readonly peer: Bytes; readonly vote: Bytes; readonly settle: Bytes; readonly operator: string }[]
    }
    /** Who may sign: whoever has the roster's keys, or only those whose keys live in a TD that the gate admits. */
    readonly admission: { readonly kind: 'roster'; readonly value: null } | { readonly kind: 'tdx'; readonly value: TdxGate }
    readonly readers: { readonly kind: 'anyone'; readonly value: null }
  }
}

/**
 * The same as JSON, as an operator publishes it: bytes as hex, u64 as decimal text. A page passes on what it fetched; it is read, and
 * refused by the name of its field, on the host's side.
 */
export interface PublishedConfig {
  readonly lattice: { readonly name: string; readonly chainId: string | number }
  readonly content: object
  readonly acl: object
}

/** One share of one block's payments. `ref` is what the payer named: the reason it gave for the share. */
export interface Recipient {
  /** 20 bytes; {@link formatAddress} gives the text. */
  readonly addr: Bytes
  /** Wei, never zero. */
  readonly amount: bigint
  readonly kind: 'named'
  readonly ref: Bytes
}

/** What the payments of one block give to whom. Σ amounts + residual = pool, exactly (ORGANISMS.md, amendments). */
export interface Attribution {
  readonly kind: 'attribution'
  /** Block number. */
  readonly slot: bigint
  /** 0, and one more after each reversal of the slot: (slot, revision) is unique. */
  readonly revision: number
  readonly chainId: bigint
  readonly blockHash: Bytes
  readonly rule: 'publicPayment'
  /** Wei: everything that the counted payments paid. */
  readonly pool: bigint
  /** Ascending by (ref, addr). */
  readonly recipients: readonly Recipient[]
  /** Wei that nobody was named for. */
  readonly residual: bigint
  readonly evidence: {
    readonly kind: 'public'
    readonly block: bigint
    readonly hash: Bytes
    /** Places of the payments in the block, ascending. */
    readonly txs: readonly number[]
    /** Hash of the blob that proves them. */
    readonly proofs: Bytes
  }
  /** Milliseconds since 1970, by the group's clock. */
  readonly committedAt: number
}

/** Takes an attribution back: the chain went back further than the config's depth, and the committee agreed on other blocks. */
export interface Reversal {
  readonly kind: 'reversal'
  /** Which attribution counts no more. */
  readonly of: { readonly slot: bigint; readonly revision: number }
  readonly chainId: bigint
  /** The attribution's block, which is no longer part of the chain. */
  readonly blockHash: Bytes
  /** The lowest block that was replaced, and the hash that stands there now. */
  readonly reason: { readonly kind: 'reorganised'; readonly number: bigint; readonly hash: Bytes }
  /** Whom the attribution gave to, ascending. */
  readonly addresses: readonly Bytes[]
  /** Milliseconds since 1970, by the group's clock. */
  readonly committedAt: number
}

/** An item of tally's surface `refunds`. */
export type Refund = Attribution | Reversal

/** A payment as the chain has it, proven under the block's hash. */
export interface ProvenPayment {
  readonly index: number
  readonly ref: Bytes
  /** Wei. */
  readonly value: bigint
  readonly providers: readonly Bytes[]
  /** Hundredths of a percent of `value`, one for each provider. */
  readonly bps: readonly number[]
}

/** The raw evidence of one attribution, checked where it arrived: an attribution recomputed from it has the same bytes. */
export interface PaymentEvidence {
  readonly block: { readonly number: bigint; readonly hash: Bytes; readonly parentHash: Bytes; readonly timestamp: bigint }
  readonly feeRecipient: Bytes
  readonly payments: readonly ProvenPayment[]
  /** The block header's RLP: its keccak-256 is `block.hash`. */
  readonly header: Bytes
  /** The whole blob: its BLAKE3 is the attribution's `evidence.proofs`. */
  readonly blob: Bytes
}

/** Tally's refunds, live, and the questions that are answered completely. */
export interface Refunds extends Handle<Refund> {
  /**
   * Every attribution that names an address and every reversal of one, oldest first; {@link standing} leaves out what was reversed.
   * @param address 20 bytes, or hex with 0x; in mixed case its EIP-55 checksum must hold
   * @throws AddressError, EvidenceError
   */
  readonly of: (address: Bytes | string, options?: AskOptions) => Promise<Verified<readonly Refund[]>>
  /** Every attribution and reversal of one block: none is proven too. */
  readonly at: (slot: bigint, options?: AskOptions) => Promise<Verified<readonly Refund[]>>
  /** The proofs behind one item, checked by the reader, not by the member's word. @throws EvidenceError */
  readonly evidence: (ref: Ref, options?: AskOptions) => Promise<Verified<PaymentEvidence>>
}

export const refunds: SurfaceName<Refund, TallyConfig | PublishedConfig> = { name: 'tally.refunds' }

/** Opens tally's refunds (TAL-03). @throws ConfigError, ConnectTimeoutError, WithstandError, EvidenceError */
export const read = async (network: Network, config: TallyConfig | PublishedConfig, options?: OpenOptions): Promise<Refunds> => {
  const handle = await network.open(refunds, config, options)
  // By delegation: a handle may be an object of a class, whose private fields a spread copy would lack.
  return {
    get state() {
      return handle.state
    },
    onState: (listener) => handle.onState(listener),
    latest: (ask) => handle.latest(ask),
    since: (position, stream) => handle.since(position, stream),
    ask: (question, argument, ask) => handle.ask(question, argument, ask),
    export: (subject, ask) => handle.export(subject, ask),
    of: (address, ask) => handle.ask('of', address, ask),
    at: (slot, ask) => handle.ask('at', slot, ask),
    evidence: (ref, ask) => handle.ask('evidence', ref, ask),
    [Symbol.asyncIterator]: () => handle[Symbol.asyncIterator](),
    [Symbol.asyncDispose]: () => handle[Symbol.asyncDispose](),
  }
}

/** The attributions that count: those that no reversal of the same list takes back. For sums, over a complete answer. */
export const standing = (items: readonly Refund[]): readonly Attribution[] => {
  const reversed = new Set(items.map((item) => (item.kind === 'reversal' ? `${item.of.slot}/${item.of.revision}` : '')))
  return items.filter((item) => item.kind === 'attribution').filter(({ slot, revision }) => !reversed.has(`${slot}/${revision}`))
}

/** `0x` and 40 lowercase digits. A checksum in mixed case needs keccak-256, which the page does not carry. */
export const formatAddress = (address: Bytes): string => `0x${toHex(address)}`
