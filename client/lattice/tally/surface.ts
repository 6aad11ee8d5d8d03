import { CoalitionError } from '../../error.ts'
import type { Binding } from '../../network/binding.ts'
import { type Bytes, copy, fromHex, toHex, utf8 } from '../../primitives/bytes.ts'
import { keccak } from '../../proofs/mpt.ts'
import { formatConfig, identify, readConfig } from './config.ts'
import { checkEvidence, ProofError, UNPROVEN } from './evidence.ts'
import { type Refund, refunds } from './index.ts'
import { type RefundItem, SPECS, slotKey } from './refund.ts'

/** Tally's refunds as a reading host knows them. */
export const binding: Binding<Refund> = {
  name: refunds.name,
  identify,
  published: (config) => formatConfig(readConfig(config)),
  surface: 0,
  specs: SPECS,
  datum: (item: RefundItem) => datumOf(item),
  questions: {
    // Who is asked about is a person's business: a bucket hides it among about 64 others (PROTOCOL.md section 3, "Disclosure").
    of: { by: 0, bucket: true, key: addressKey, answer: (items) => items },
    at: { by: 1, bucket: false, key: blockKey, answer: (items) => items },
  },
  evidence: (item: RefundItem, config: unknown) => {
    if (item.kind === 'reversal') throw new ProofError(null, UNPROVEN)
    return {
      hash: item.value.evidence.value.proofs,
      check: (blob: Bytes) => checkEvidence(item, blob, readConfig(config).content.feeRecipient),
    }
  },
}

// Flatter than the item: a page has no use for variants of one kind, and `kind` still tells a later one apart.
const datumOf = ({ kind, value }: RefundItem): Refund => {
  const committedAt = Number(value.committedAt)
  if (kind === 'reversal') return { ...value, kind, reason: { kind: value.reason.kind, ...value.reason.value }, committedAt }
  const recipients = value.recipients.map(({ addr, amount, kind: named }) => ({ addr, amount, kind: named.kind, ref: named.value.ref }))
  const evidence = { kind: value.evidence.kind, ...value.evidence.value }
  return { ...value, kind, rule: value.rule.kind, recipients, evidence, committedAt }
}

// Declared as functions: the binding above stands before them.
function addressKey(argument: unknown): Bytes {
  return parseAddress(argument)
}

function blockKey(argument: unknown): Bytes {
  if (typeof argument !== 'bigint' || argument < 0n || argument >= 1n << 64n)
    throw new SlotError(typeof argument === 'bigint' ? `${argument} is no u64` : `a bigint is wanted, ${typeof argument} given`)
  return slotKey(argument)
}

/**
 * The 20 bytes of an address as a page gives it.
 * @throws AddressError saying what is wrong: a wrong address proves an empty answer, and nobody would see why
 */
export const parseAddress = (address: unknown): Bytes => {
  if (address instanceof Uint8Array) {
    if (address.length !== 20) throw new AddressError(`20 bytes are wanted, ${address.length} given`)
    return copy(address)
  }
  if (typeof address !== 'string') throw new AddressError(`20 bytes or hex are wanted, ${address === null ? 'null' : typeof address} given`)
  if (address.includes('.')) throw new AddressError('ENS names are not resolved here: give the address that the name stands for')
  if (!address.startsWith('0x')) throw new AddressError('an address in hex begins with 0x')
  const digits = address.slice(2)
  const wrong = digits.search(/[^0-9a-f]/i)
  if (wrong >= 0) throw new AddressError(`character ${wrong + 2} is not a hex digit`)
  if (digits.length !== 40) throw new AddressError(`40 hex digits are wanted after 0x, ${digits.length} given`)
  // All of one case is an address without a checksum, as nodes and logs write it; mixed case claims to have one.
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase()
  if (isMixed && digits !== checksummed(digits.toLowerCase()))
    throw new AddressError('its checksum (EIP-55) does not hold: a character or its case is wrong')
  return fromHex(digits, 'address', 20)
}

// EIP-55: a letter is a capital where the hash of the lowercase digits has 8 or more in that place.
const checksummed = (digits: string): string => {
  const pattern = toHex(keccak(utf8(digits)))
  return [...digits].map((digit, i) => (Number.parseInt(pattern[i] as string, 16) >= 8 ? digit.toUpperCase() : digit)).join('')
}

/** An argument of `of` that is no address. The text is not repeated: it may be anything that was in a clipboard. */
export class AddressError extends CoalitionError {
  declare readonly problem: string

  constructor(problem: string) {
    super('Tally.AddressError', `not an address: ${problem}`, { problem })
  }
}

/** An argument of `at` that is no block number. */
export class SlotError extends CoalitionError {
  declare readonly problem: string

  constructor(problem: string) {
    super('Tally.SlotError', `not a block number: ${problem}`, { problem })
  }
}
