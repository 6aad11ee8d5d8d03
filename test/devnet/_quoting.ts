import { createPrivateKey, createPublicKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TdxGate, tdxGate } from '../../client/coalition/tickets/tdx-gate.ts'
import { encodeTdxTicket, reportData } from '../../client/coalition/tickets/tdx-ticket.ts'
import { tdx } from '../../client/coalition/tickets/tdx-validator.ts'
import { type Bytes, concat, fromHex, toHex } from '../../client/primitives/bytes.ts'
import { asId } from '../../client/primitives/id.ts'
import type { TicketRequest } from '../../node/devnet/quotes.ts'
import type { Keys } from '../pki.ts'
import { type MockPki, newPki, PLATFORM, trustedRoot } from '../verify/_collateral-writer.ts'
import { of, writeQuote } from '../verify/_quote-mock.ts'

// What a machine with TDs does for a committee, with a CA of its own in place of Intel's.

/** What is wrong with a ticket. Each is one thing: the rest of the ticket is right. */
export const WRONGS = ['mrtd', 'reportData', 'key', 'expiry'] as const
export type Wrong = (typeof WRONGS)[number]

/** MR_TD that the gate asks for, 48 bytes. */
export const MRTD: Bytes = of(48, 0xa0)

export const gateOf = (pki: MockPki): TdxGate => tdxGate(trustedRoot(pki).spkiHash, tdx().requireMrtd(MRTD).config)

export interface TicketOptions {
  /** Unix seconds of the quote. */
  readonly at: number
  /** Seconds until the ticket expires; null for never. */
  readonly lifetime: number | null
  readonly wrong: Wrong | null
}

/** The data of a ticket for a member's request: its quote is a TD 1.0 in version 4. */
export const ticketFor = (pki: MockPki, request: TicketRequest, { at, lifetime, wrong }: TicketOptions): Bytes => {
  const quotedAt = BigInt(wrong === 'expiry' ? at - 600 : at)
  const binding = {
    peer: fromHex(request.peer),
    network: asId<'UniqueId'>(fromHex(request.network)),
    startedAt: quotedAt - 5n,
    quotedAt,
    expiresAt: wrong === 'expiry' ? quotedAt + 60n : lifetime === null ? null : quotedAt + BigInt(lifetime),
  }
  const voteKey = wrong === 'key' ? of(32, 0x5e) : fromHex(request.voteKey)
  const right = reportData(binding, { group: asId<'GroupId'>(fromHex(request.group)), epoch: request.epoch, voteKey })
  // The second half stays: what is then wrong is the peer's binding alone.
  const data = wrong === 'reportData' ? concat(of(32, 0x11), right.slice(32)) : right
  const quote = writeQuote(pki, { report: { reportData: data, mrTd: wrong === 'mrtd' ? of(48, 0xaf) : MRTD } })
  return encodeTdxTicket({ ...binding, quote })
}

const NAMES = ['root', 'authority', 'signer', 'pck'] as const

interface SavedPki {
  readonly at: number
  readonly keys: Readonly<Record<(typeof NAMES)[number], string>>
  readonly certificates: Readonly<Record<(typeof NAMES)[number], string>>
}

const SAVED = 'pki.json'

/** The CA of a folder: the one that was made there before, so that a gate and a group that stand stay what they are, or a new one. */
export const pkiOf = async (folder: string, at: number): Promise<{ readonly pki: MockPki; readonly saved: readonly [string, string] }> => {
  const path = join(folder, SAVED)
  if (!existsSync(path)) {
    const pki = newPki(at)
    return { pki, saved: [path, JSON.stringify(savedOf(pki))] }
  }
  const text = await readFile(path, 'utf8')
  return { pki: fromSaved(JSON.parse(text) as SavedPki, at), saved: [path, text] }
}

const savedOf = (pki: MockPki): SavedPki => ({
  at: pki.at,
  keys: record((name) => pki.keys[name].privateKey.export({ type: 'pkcs8', format: 'pem' }) as string),
  certificates: record((name) => toHex(pki[name])),
})

const fromSaved = ({ keys, certificates }: SavedPki, at: number): MockPki => ({
  keys: record((name) => keysOf(keys[name])),
  ...record((name) => fromHex(certificates[name])),
  platform: PLATFORM,
  at,
})

const keysOf = (pem: string): Keys => {
  const privateKey = createPrivateKey(pem)
  const publicKey = createPublicKey(privateKey)
  return { privateKey, publicKey, spki: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })) }
}

const record = <T>(make: (name: (typeof NAMES)[number]) => T): Record<(typeof NAMES)[number], T> => ({
  root: make('root'),
  authority: make('authority'),
  signer: make('signer'),
  pck: make('pck'),
})
