// The limits of sections 2, 3, 4 and 6: encodings of one item or one byte too many (or too few), everything else in them being right.

import { encode, type Type, writeUleb } from './bcs.ts'
import { Certificate, Header, Observation, type Seal } from './blocks.ts'
import { Roster } from './committee.ts'
import { at, hex, u64le, ZERO32 } from './hash.ts'
import { hexOf, type Row } from './kit.ts'
import { genesisOf } from './make-blocks.ts'

const nothing = (bytes: number): string => '00'.repeat(bytes)
const count = (n: number): string => hex(writeUleb(n))
const bytesOfLength = (n: number): string => count(n) + '61'.repeat(n)
const listOf = (n: number, item: string): string => count(n) + item.repeat(n)
/** The smallest Member, Surface, Index, PaymentProof and the like, as far as a decoder sees. */
const member = nothing(84 + 1)
const index = nothing(1 + 8 + 32)
const surface = (name: string, by: string): string => `${name}00${nothing(8 + 32)}${by}`

export function makeLimits(): Row {
  const rows: Row[] = []
  const add = (type: string, why: string, ...parts: string[]) => rows.push({ type, rule: 'length', why, hex: parts.join('') })

  add('Roster', 'no members', nothing(4), '00')
  add('Roster', '65 members', nothing(4), listOf(65, member))
  add('Roster', 'an operator of 65 bytes', nothing(4), '01', nothing(84), bytesOfLength(65))

  const header = hexOf(Header, genesisOf('no surface'))
  // Everything before the surfaces, and time_ms after them.
  const [front, back] = [header.slice(0, -18), header.slice(-16)]
  const plain = surface('00', '00')
  add('Header', 'five surfaces', front, listOf(5, plain), back)
  add('Header', 'three indexes', front, '01', surface('00', listOf(3, index)), back)
  add('Header', 'a surface name of 33 bytes', front, '01', surface(bytesOfLength(33), '00'), back)
  add('Header', 'an index name of 33 bytes', front, '01', surface('00', `01${bytesOfLength(33)}${nothing(40)}`), back)

  add('Certificate', 'a bitmap of nine bytes', header, nothing(8), bytesOfLength(9), '01', nothing(64))
  add('Certificate', 'no signatures', header, nothing(8), '0100', '00')
  add('Certificate', '65 signatures', header, nothing(8), bytesOfLength(8), listOf(65, nothing(64)))

  const question = `01${bytesOfLength(3)}`
  const rest = nothing(4 + 8)
  add('Observation', 'a subject of 257 bytes', nothing(32), `01${bytesOfLength(257)}`, rest, '00')
  add('Observation', 'a value of 1,025 bytes', nothing(32), question, rest, bytesOfLength(1_025))

  add('TreeProof', 'a path of 65 hashes', nothing(16), listOf(65, nothing(32)))
  add('RangeProof', '65 hashes to the left', nothing(24), listOf(65, nothing(32)), '00')
  add('RangeProof', '127 hashes to the right', nothing(24), '00', listOf(127, nothing(32)))
  add('MapProof', '257 siblings', '0001', bytesOfLength(32), listOf(257, nothing(32)), '00')

  const fact = nothing(4 + 32 + 16)
  add('PaymentFact', 'no providers', fact, '00', '010000')
  add('PaymentFact', 'no shares', fact, `01${nothing(20)}`, '00')
  add('PaymentFact', '33 providers', fact, listOf(33, nothing(20)), '010000')
  add('PaymentFact', '33 shares', fact, `01${nothing(20)}`, listOf(33, '0000'))
  const proof = nothing(4 + 1 + 1)
  add('PaymentProofs', 'a header of 4,097 bytes', bytesOfLength(4_097), '00')
  add('PaymentProofs', '257 payments', '00', listOf(257, proof))
  add('PaymentProofs', '65 nodes of a transaction', '00', '01', nothing(4), listOf(65, '00'), '00')
  add('PaymentProofs', '65 nodes of a receipt', '00', '01', nothing(4), '00', listOf(65, '00'))
  const before = `00${nothing(8 + 4 + 8 + 32)}02${nothing(16 + 1 + 16)}`
  add('Refund', 'evidence of 257 transactions', before, '01', nothing(40), listOf(257, nothing(4)), nothing(32 + 8))
  add('Refund', 'a reversal of 257 addresses', `01${nothing(8 + 4 + 8 + 32)}00${nothing(8 + 32)}`, listOf(257, nothing(20)), nothing(8))
  add('Content', 'a signature of 65 bytes', bytesOfLength(65), nothing(20 + 40), '00', nothing(16), '00')
  return { refused: rows, accepted: accepted() }
}

/** The same shapes at their limit: what is refused above is refused for its length alone. */
function accepted(): Row[] {
  const rows: Row[] = []
  const add = <T>(type: string, codec: Type<T>, value: T) => rows.push({ type, hex: hex(encode(codec, value)) })
  const one = { peer: ZERO32, vote: ZERO32, settle: new Uint8Array(20), operator: 'x'.repeat(64) }
  add('Roster', Roster, { epoch: 0, members: new Array<typeof one>(64).fill(one) })
  const header = genesisOf('bench')
  const vec = at(header.surfaces, 0)
  const long = { ...vec, name: 'y'.repeat(32), by: vec.by.map((each) => ({ ...each, name: 'z'.repeat(32) })) }
  add('Header', Header, { ...header, surfaces: [long, long, long, long] })
  const seal: Seal = { view: 0n, signers: new Uint8Array(8), signatures: new Array<Uint8Array>(64).fill(new Uint8Array(64)) }
  add('Certificate', Certificate, { header: genesisOf('no surface'), seal })
  const question = { kind: 1, subject: new Uint8Array(256) }
  add('Observation', Observation, { roster_id: ZERO32, question, round: 0, until: 0n, value: u64le(0n) })
  return rows
}
