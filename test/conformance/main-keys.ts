// Section 2 against client/: keys, signatures, rosters.

import { webcrypto } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { checkRoster, rosterCodec, rosterId, strength, thresholds } from '../../client/groups/roster.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import { decode } from '../../client/primitives/codec.ts'
import { assertKey, createVerify, type SubtleVerify, verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { asId, type GroupId, type UniqueId } from '../../client/primitives/id.ts'
import { hash } from '../../wasm/core.ts'
import { utf8 } from './hash.ts'
import { accepts, demand, demandHex, expectRefusal, given, hexAt, join, type Part, refuses, roundTrip } from './main-kit.ts'

const UNSIGNED = new Uint8Array(64)

/** Of a committee that can meet it: the strength; else it is refused. */
const expectStrength = async (n: number, w: number, needed: number): Promise<void> => {
  if (needed > n) await expectRefusal(() => strength(n, w))
  else demand(strength(n, w) === needed, `strength(${n}, ${w}) is ${strength(n, w)}, not ${needed}`)
}

/** The `network` and `group` of a section. */
export const scopeAt = (path: string): { readonly network: UniqueId; readonly group: GroupId } => ({
  network: asId(hexAt(`${path}.network`)),
  group: asId(hexAt(`${path}.group`)),
})

/** The host's check (WebCrypto under Node) and the fallback have to say the same. */
const checks = async () => [verifyWithNoble, await createVerify(webcrypto.subtle as unknown as SubtleVerify)]

export const KEYS: readonly Part[] = [
  accepts('keys', 'is the key of its label, and may stand in a roster', (entry) => {
    demandHex(hash(join(utf8('coalition conformance key|'), utf8(entry.text('label')))), entry.hex('seed'), 'seed')
    demandHex(new Uint8Array(ed25519.getPublicKey(entry.hex('seed'))), entry.hex('public'), 'public')
    demand(assertKey(entry.hex('public')) === null, 'the key is refused')
  }),
  accepts('ed25519.L', 'is the order of the base point', (entry) => {
    demand(entry.big('value') === ed25519.Point.Fn.ORDER, 'another order')
  }),
  accepts('ed25519.smallOrder', 'is no key, and signs nothing', async (entry) => {
    const key = entry.hex('value')
    demand(assertKey(key) !== null, 'admitted')
    for (const verify of await checks()) demand(!(await verify(UNSIGNED, new Uint8Array(0), key)), 'verified')
  }),
  accepts('ed25519.cases', 'GAP-19 has the verdict of the one rule, by WebCrypto and by noble', async (entry) => {
    const [key, message, signature]: Bytes[] = [entry.hex('public'), entry.hex('message'), entry.hex('signature')]
    const { valid, cofactored } = { valid: entry.json('valid'), cofactored: entry.json('cofactored') }
    // What a lenient verifier says is there to be deviated from.
    demand(typeof cofactored === 'boolean' && typeof valid === 'boolean', 'two verdicts')
    for (const verify of await checks()) {
      const verdict = await verify(signature as Bytes, message as Bytes, key as Bytes)
      demand(verdict === valid, `the verdict is ${verdict}`)
    }
  }),
  given('rosters.network'),
  given('rosters.group'),
  accepts('rosters.strengths', 'TAL-02 has b, quorum and a strength for every w, or refuses', async (entry) => {
    const n = entry.number('n')
    const { b, quorum } = thresholds(n)
    demand(b === entry.number('b') && quorum === entry.number('quorum'), `b ${b}, quorum ${quorum}`)
    const needed = entry.list('c').map(Number)
    demand(needed.length === n + 1, 'w from 0 to n')
    for (const [w, c] of needed.entries()) await expectStrength(n, w, c)
    await expectStrength(n, b, needed[b] as number)
  }),
  accepts('rosters.accepted', 'is admitted under its id', (entry) => {
    const { network, group } = scopeAt('rosters')
    const roster = checkRoster(roundTrip(rosterCodec, entry))
    demandHex(rosterId(network, group, entry.hex('after'), roster), entry.hex('id'), 'id')
  }),
  refuses('rosters.refused', 'is not admitted', (entry) => {
    demand(entry.text('type') === 'Roster', 'a roster')
    checkRoster(decode(rosterCodec, entry.hex('hex')))
  }),
]
