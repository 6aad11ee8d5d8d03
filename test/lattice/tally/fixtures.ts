import { ed25519 } from '@noble/curves/ed25519.js'
import type { Context } from '../../../client/groups/machine.ts'
import { rosterId, ZEROS } from '../../../client/groups/roster.ts'
import type { RawBlock } from '../../../client/lattice/tally/chain.ts'
import { identify, SIGNATURE } from '../../../client/lattice/tally/config.ts'
import type { GroupPort } from '../../../client/lattice/tally/driver.ts'
import type { TallyConfig } from '../../../client/lattice/tally/index.ts'
import { createMachine, type TallyState } from '../../../client/lattice/tally/machine.ts'
import { encodePay, type Pay } from '../../../client/lattice/tally/payment.ts'
import { type AttributionItem, type ReversalItem, refundCodec } from '../../../client/lattice/tally/refund.ts'
import { type Bytes, concat, fromHex, toHex, u32le, utf8 } from '../../../client/primitives/bytes.ts'
import { decode } from '../../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../../client/primitives/ed25519.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { keccak } from '../../../client/proofs/mpt.ts'
import { encodeBytes, encodeInteger, encodeList } from '../../../client/proofs/rlp.ts'
import { buildTrie } from '../../../client/proofs/trie.ts'
import { hash } from '../../../wasm/core.ts'
import { rosterOf, secretOf } from '../../groups/counter.ts'

export const CHAIN = 31_337n
export const FEE_RECIPIENT: Bytes = hash(utf8('fee recipient')).slice(0, 20)
export const bytesOf = (label: string, size = 32): Bytes => hash(utf8(label)).slice(0, size)
export const provider = (i: number): Bytes => bytesOf(`provider ${i}`, 20)

export const configOf = (content: Partial<TallyConfig['content']> = {}, members = 1): TallyConfig => ({
  lattice: { name: 'test.local', chainId: CHAIN },
  content: {
    signature: SIGNATURE,
    feeRecipient: FEE_RECIPIENT,
    origin: { number: 0n, hash: ZEROS },
    inclusion: { kind: 'finalized', value: null },
    timers: { view_ms: 400, short_ms: 100, skew_ms: 500, heartbeat_ms: 1_000 },
    predecessor: null,
    ...content,
  },
  acl: { roster: rosterOf(members), admission: { kind: 'roster', value: null }, readers: { kind: 'anyone', value: null } },
})

/** A transaction of a synthetic block: a payment unless told otherwise. */
export interface Spec extends Partial<Pay> {
  readonly value?: bigint
  readonly to?: Bytes | null
  readonly data?: Bytes
  readonly status?: 0 | 1
  /** Bytes of access list, to make a long transaction that still pays. */
  readonly padding?: number
}

const SOME = encodeInteger(7)

const rawTransaction = ({ value = 1_000n, to = FEE_RECIPIENT, padding = 0, ...spec }: Spec, nonce: number): Bytes => {
  const pay = { ref: spec.ref ?? bytesOf('ref'), providers: spec.providers ?? [provider(0)], bps: spec.bps ?? [5_000] }
  const data = encodeBytes(spec.data ?? encodePay(pay))
  const keys = Array.from({ length: Math.ceil(padding / 33) }, () => encodeBytes(new Uint8Array(32).fill(1)))
  const list = encodeList(keys.length === 0 ? [] : [encodeList([encodeBytes(provider(0)), encodeList(keys)])])
  const head = [encodeInteger(CHAIN), encodeInteger(nonce), SOME, SOME, SOME]
  const body = encodeList([...head, encodeBytes(to ?? new Uint8Array(0)), encodeInteger(value), data, list, encodeInteger(0), SOME, SOME])
  return concat(Uint8Array.of(2), body)
}

const rawReceipt = ({ status = 1 }: Spec, index: number): Bytes =>
  concat(
    Uint8Array.of(2),
    encodeList([encodeInteger(status), encodeInteger(21_000 * (index + 1)), encodeBytes(new Uint8Array(256)), encodeList([])]),
  )

export interface Made extends RawBlock {
  readonly number: bigint
  readonly hash: Bytes
}

/** A block whose roots are of its transactions and receipts. `salt` makes another block of the same content. */
export const blockOf = (number: bigint, parent: Bytes, specs: readonly Spec[] = [], salt = 0): Made => {
  const transactions = specs.map(rawTransaction)
  const receipts = specs.map(rawReceipt)
  const word = encodeBytes(new Uint8Array(32))
  const [first, second] = [buildTrie(transactions).root, buildTrie(receipts).root]
  const header = encodeList([
    ...[encodeBytes(parent), word, encodeBytes(new Uint8Array(20)), word, encodeBytes(first), encodeBytes(second)],
    ...[encodeBytes(new Uint8Array(256)), encodeInteger(0), encodeInteger(number), SOME, SOME],
    ...[encodeInteger(1_700_000_000n + number), encodeBytes(u32le(salt)), word, encodeBytes(new Uint8Array(8))],
  ])
  return { number, hash: keccak(header), header, transactions, receipts }
}

/** Blocks on one another from `number` on. */
export const chainOf = (blocks: readonly (readonly Spec[])[], parent: Bytes = ZEROS, number = 1n, salt = 0): Made[] => {
  const made: Made[] = []
  for (const specs of blocks) made.push(blockOf(number + BigInt(made.length), made.at(-1)?.hash ?? parent, specs, salt))
  return made
}

export const signer =
  (member: number) =>
  (message: Bytes): Bytes =>
    new Uint8Array(ed25519.sign(message, secretOf(member, 'vote 0')))

/** A group that applies what it is given at once, through `admit` and `apply`, and keeps what was appended. */
export interface Double extends GroupPort {
  readonly items: Bytes[]
  readonly blobs: Map<string, Bytes>
  readonly commands: Bytes[]
  /** An empty block. */
  readonly beat: () => void
  /** Another member's view of the same group. */
  readonly as: (member: number) => Double
  readonly context: Context
}

export const groupDouble = (config: TallyConfig, now: () => number = () => 1_700_000_000_000): Double => {
  const machine = createMachine(config)
  const { network, group, roster } = identify(UNIVERSE, config)
  const id = rosterId(network, group, ZEROS, roster)
  const listeners = new Set<() => void>()
  const kept = { items: [] as Bytes[], blobs: new Map<string, Bytes>(), commands: [] as Bytes[] }
  let state: TallyState = machine.genesis
  let index = 0n
  const context = { network, group, roster, rosterId: id, index: 1n, position: 0, timeMs: 0n }
  const submit = async (bytes: Bytes): Promise<void> => {
    const command = decode(machine.command, bytes)
    await machine.admit(command, { ...context, verify: verifyWithNoble })
    kept.commands.push(bytes)
    index += 1n
    const effects = machine.apply(state, command, { ...context, index, timeMs: BigInt(now()) })
    state = effects.state
    kept.items.push(...effects.append.map(({ item }) => item))
    for (const blob of effects.blobs) kept.blobs.set(toHex(hash(blob)), blob)
    for (const listener of [...listeners]) listener()
  }
  const beat = (): void => {
    index += 1n
    for (const listener of [...listeners]) listener()
  }
  const onCommit = (listener: () => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const as = (member: number): Double => ({ ...kept, rosterId: id, member, state: () => state, submit, beat, onCommit, as, context })
  return as(0)
}

/** The item as an attribution. */
export const attributionIn = (item: Bytes): AttributionItem => {
  const { kind, value } = decode(refundCodec, item)
  if (kind !== 'attribution') throw new Error(`a ${kind}`)
  return value
}

/** The item as a reversal. */
export const reversalIn = (item: Bytes): ReversalItem => {
  const { kind, value } = decode(refundCodec, item)
  if (kind !== 'reversal') throw new Error(`an ${kind}`)
  return value
}

/** A durable memory of answers, as a member's vote record is one. */
export const memoryOf = () => {
  const said = new Map<string, string>()
  return {
    said,
    remember: async (question: Bytes, value: Bytes): Promise<boolean> => {
      const key = toHex(question)
      if (!said.has(key)) said.set(key, toHex(value))
      return said.get(key) === toHex(value)
    },
    recall: async (question: Bytes): Promise<Bytes | null> => {
      const answer = said.get(toHex(question))
      return answer === undefined ? null : fromHex(answer)
    },
  }
}
