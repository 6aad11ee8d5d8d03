// Section 2: the strength table, rosters, and the edge cases of Ed25519.

import { type Json, Refused } from './bcs.ts'
import { checkRoster, faults, quorum, Roster, type Scope, strength } from './committee.ts'
import {
  BASE,
  challengeOf,
  cofactored,
  type Key,
  L,
  P,
  type Point,
  refusedBytes,
  refusedSignature,
  SMALL_ORDER,
  sign,
  signWith,
  TORSION,
  times,
} from './ed25519.ts'
import { at, type Bytes, bytesOf, fromLittle, H, hex, join, little, unhex, utf8, ZERO32 } from './hash.ts'
import { hexOf, keyFor, type Row, signers, upTo } from './kit.ts'

// --- Ed25519

/** y + p, in the bits under the sign: another encoding of the same point, where it fits. */
const plusP = (y: bigint, sign = 0n): Bytes => little(y + P + sign * 2n ** 255n, 32)

/** The first message of a series for which the challenge has this remainder modulo 8. */
function messageWith(R: Bytes, A: Bytes, remainder: bigint): Bytes {
  for (let i = 0; ; i++) {
    const message = utf8(`message ${i}`)
    if (challengeOf(R, A, message) % 8n === remainder) return message
  }
}

/** The first y, counting from 2, that is on no point of the curve. */
function offCurve(): Bytes {
  for (let y = 2n; ; y++) {
    const key = little(y, 32)
    if (refusedBytes(key) === null && refusedSignature(key, ZERO32, join(BASE.toBytes(), ZERO32)) === 'not-a-point') return key
  }
}

function edgeCase(name: string, A: Bytes, message: Bytes, signature: Bytes): Row {
  const why = refusedSignature(A, message, signature)
  return {
    name,
    public: hex(A),
    message: hex(message),
    signature: hex(signature),
    valid: why === null,
    why,
    cofactored: cofactored(A, message, signature),
  }
}

function edgeCases(): Row[] {
  const key: Key = keyFor('ed25519')
  const message = utf8('a message')
  const good = sign(key, message)
  const [R, s] = [good.slice(0, 32), fromLittle(good.slice(32))]
  const r = fromLittle(H('nonce')) % L
  const rB = times(r, BASE)
  const rows: Row[] = []
  const add = (name: string, A: Bytes, m: Bytes, signature: Bytes) => rows.push(edgeCase(name, A, m, signature))
  const flip = (bytes: Bytes, i: number, mask = 1): Bytes => bytes.map((byte, j) => (i === j ? byte ^ mask : byte))

  add('plain', key.public, message, good)
  add('plain, empty message', key.public, utf8(''), sign(key, utf8('')))
  add('plain, 1,000 bytes', key.public, bytesOf('long', 1_000), sign(key, bytesOf('long', 1_000)))
  add('RFC 8032, 7.1, test 1', unhex(RFC_1.public), utf8(''), unhex(RFC_1.signature))
  add('another message', key.public, utf8('b message'), good)
  add('another key', keyFor('ed25519 other').public, message, good)
  add('a bit of R', key.public, message, flip(good, 3))
  add('the sign of R', key.public, message, flip(good, 31, 128))
  add('a bit of s', key.public, message, flip(good, 40))
  add('the sign of A', flip(key.public, 31, 128), message, good)

  add('s + L', key.public, message, join(R, little(s + L, 32)))
  add('s + 8L: the top bits of s', key.public, message, join(R, little(s + 8n * L, 32)))
  add('s = L, R and A neutral', neutral, message, join(neutral, little(L, 32)))
  add('s = 0, R and A neutral', neutral, message, join(neutral, ZERO32))
  add('s = L − 1, one below the bound', key.public, message, join(R, little(L - 1n, 32)))

  for (const [i, small] of SMALL_ORDER.entries()) {
    const mess = messageWith(rB.toBytes(), small, 0n)
    add(`A of small order, encoding ${i} of 8, equation holds`, small, mess, signWith(r, rB.toBytes(), small, 0n, mess))
  }
  for (const [i, small] of SMALL_ORDER.entries()) {
    // R is small and s = ka: the cofactored equation holds for all of them, the cofactorless one for the neutral point only.
    add(`R of small order, encoding ${i} of 8`, key.public, message, signWith(0n, small, key.public, key.scalar, message))
  }
  const odd: [name: string, encoding: Bytes][] = [
    ['y = 1, x = 0, sign bit set', little(1n + 2n ** 255n, 32)],
    ['y = −1, x = 0, sign bit set', little(P - 1n + 2n ** 255n, 32)],
    ['y = p', plusP(0n)],
    ['y = p, sign bit set', plusP(0n, 1n)],
    ['y = p + 1', plusP(1n)],
    ['y = p + 1, sign bit set', plusP(1n, 1n)],
  ]
  for (const [name, encoding] of odd) {
    const mess = messageWith(rB.toBytes(), encoding, 0n)
    add(`A not canonical: ${name}`, encoding, mess, signWith(r, rB.toBytes(), encoding, 0n, mess))
    add(`R not canonical: ${name}`, key.public, message, signWith(0n, encoding, key.public, key.scalar, message))
  }
  add('A not canonical: y = 2^255 − 1', little(2n ** 255n - 1n, 32), message, good)
  add('A on no point of the curve', offCurve(), message, good)
  add('R on no point of the curve', key.public, message, join(offCurve(), little(s, 32)))

  // A = aB + T: on the list of no byte check, so the equation decides. T falls out of it only where 8 divides k.
  const mixed = times(key.scalar, BASE).add(TORSION).toBytes()
  for (const remainder of [0n, 1n, 4n]) {
    const mess = messageWith(rB.toBytes(), mixed, remainder)
    add(`A of mixed order, k mod 8 = ${remainder}`, mixed, mess, signWith(r, rB.toBytes(), mixed, key.scalar, mess))
  }
  const mixedR = rB.add(TORSION).toBytes()
  add('R of mixed order', key.public, message, signWith(r, mixedR, key.public, key.scalar, message))
  const cancels = messageWith(mixedR, mixed, 7n)
  add('A and R of mixed order, the torsion cancels', mixed, cancels, signWith(r, mixedR, mixed, key.scalar, cancels))
  return rows
}

const neutral = little(1n, 32)
const RFC_1 = {
  public: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  signature:
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
}

export const makeEd25519 = (): Row => ({ L: L.toString(), smallOrder: SMALL_ORDER.map(hex), cases: edgeCases() })

// --- rosters

const scope: Scope = { network: H('network of rosters'), group: H('group of rosters') }

const strengths = (): Row[] =>
  upTo(64).map((i) => {
    const n = i + 1
    return { n, b: faults(n), quorum: quorum(n), c: upTo(n + 1).map((w) => strength(n, w)) }
  })

function rosterRows(): Row[] {
  const rows: [name: string, n: number, epoch: number, after: Bytes][] = [
    ['one', 1, 0, ZERO32],
    ['two', 2, 0, ZERO32],
    ['four', 4, 0, ZERO32],
    ['seven', 7, 0, ZERO32],
    ['four', 4, 1, H('the block before')],
    ['four', 5, 2 ** 32 - 1, H('the block before')],
    ['all', 64, 0, ZERO32],
  ]
  return rows.map(([name, n, epoch, after]) => {
    const { roster, id } = signers(scope, name, n, epoch, after)
    checkRoster(roster)
    return { name, after: hex(after), ...(n > 7 ? {} : { value: Roster.show(roster) }), hex: hexOf(Roster, roster), id: hex(id) }
  })
}

function rosterRefused(): Row[] {
  const rows: Row[] = []
  const good = signers(scope, 'four', 4).roster
  const change = (i: number, part: Partial<Roster['members'][number]>): Roster => ({
    ...good,
    members: good.members.map((member, j) => (i === j ? { ...member, ...part } : member)),
  })
  const add = (why: string, roster: Roster) =>
    rows.push({ type: 'Roster', rule: ruleOf(() => checkRoster(roster)), why, hex: hexOf(Roster, roster) })
  const first = at(good.members, 0)
  add('members 0 and 2 have one peer key', change(2, { peer: first.peer }))
  add('members 0 and 3 have one vote key', change(3, { vote: first.vote }))
  add('members 0 and 1 have one settle address', change(1, { settle: first.settle }))
  add("member 1's vote key is its own peer key", change(1, { vote: at(good.members, 1).peer }))
  add("member 3's vote key is member 0's peer key", change(3, { vote: first.peer }))
  const mixed = (point: Point): Bytes => point.add(TORSION).toBytes()
  const keys: [what: string, key: Bytes][] = [
    ...SMALL_ORDER.map((small, i): [string, Bytes] => [`of small order, encoding ${i} of 8`, small]),
    ['with y = 1, x = 0 and the sign bit set', little(1n + 2n ** 255n, 32)],
    ['with y = −1, x = 0 and the sign bit set', little(P - 1n + 2n ** 255n, 32)],
    ['with y = p + 1, the neutral point not canonical', plusP(1n)],
    ['with y = p + 3, not canonical', plusP(3n)],
    ['with y = 2^255 − 1, not canonical', little(2n ** 255n - 1n, 32)],
    ['on no point of the curve', offCurve()],
    ['of mixed order', mixed(times(keyFor('four member 0 vote 0').scalar, BASE))],
    ['of order 2L', times(5n, BASE).add(times(4n, TORSION)).toBytes()],
  ]
  for (const [what, key] of keys) {
    add(`a vote key ${what}`, change(2, { vote: key }))
    add(`a peer key ${what}`, change(0, { peer: key }))
  }
  return rows
}

/** The rule under which something is refused; a case that is not refused is a mistake of the maker. */
export function ruleOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof Refused) return error.rule
    throw error
  }
  throw new Error('not refused')
}

export const makeRosters = (): Row => ({
  network: hex(scope.network),
  group: hex(scope.group),
  strengths: strengths() satisfies Json,
  accepted: rosterRows(),
  refused: rosterRefused(),
})
