import { type Bytes, concat } from '../../client/primitives/bytes.ts'
import { mutate } from './_mutate.ts'
import { bigOf, bytesOf, joinDer, ORDER, otherS, splitDer } from './_quote-parts.ts'
import { below, chance, type Draw, pick } from './_seeded.ts'

// Changes to signatures, signed DER and PEM.

const TOP = 2n ** 256n
const negative = (value: bigint): bigint => (ORDER - (value % ORDER)) % ORDER

/** r ‖ s: the other s, which holds as well, and pairs that do not. */
export const editPair = (draw: Draw, pair: Bytes): Bytes => {
  if (pair.length !== 64 || chance(draw, 0.1)) return mutate(draw, pair)
  const [r, s] = [pair.slice(0, 32), pair.slice(32)]
  const minus = (half: Bytes): Bytes => bytesOf(negative(bigOf(half)))
  const edge = pick(draw, [0n, 1n, ORDER, ORDER - 1n, TOP - 1n])
  return pick(draw, [
    ...[otherS(pair), otherS(pair), otherS(pair)],
    ...[concat(minus(r), s), concat(minus(r), minus(s)), concat(s, r), concat(r, bytesOf(edge)), concat(bytesOf(edge), s)],
    concat(r, bytesOf((bigOf(s) + ORDER) % TOP)),
  ])
}

/** A certificate or CRL: its signature, a bit anywhere, another form of the same. */
export const editDer = (draw: Draw, der: Bytes): Bytes => {
  const parts = splitDer(der)
  // Another change may have made numbers of half the document out of them.
  if (parts === null || parts.r >= TOP || parts.s >= TOP || chance(draw, 0.4)) return mutate(draw, der)
  const { r, s } = parts
  return pick(draw, [
    ...[joinDer({ ...parts, s: negative(s) }), joinDer({ ...parts, s: negative(s) })],
    joinDer({ ...parts, r: negative(r) }),
    joinDer({ ...parts, s: s + ORDER }),
    joinDer({ ...parts, tbs: mutate(draw, parts.tbs) }),
    joinDer({ ...parts, algorithm: mutate(draw, parts.algorithm) }),
    concat(der, Uint8Array.of(0)),
    longForm(der),
  ])
}

/** The outer length in one byte more than it needs. */
const longForm = (der: Bytes): Bytes => {
  const size = (der[1] as number) & 0x80 ? (der[1] as number) & 0x7f : 0
  const digits = size === 0 ? der.slice(1, 2) : der.slice(2, 2 + size)
  return concat(der.slice(0, 1), Uint8Array.of(0x80 | (digits.length + 1), 0), digits, der.slice(2 + size))
}

type Edit = (draw: Draw, pem: string, others: readonly string[]) => string

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

const blocksOf = (pem: string): readonly string[] => pem.match(BLOCK) ?? []

const inserted = (draw: Draw, text: string, what: string): string => {
  const at = below(draw, text.length + 1)
  return text.slice(0, at) + what + text.slice(at)
}

const space: Edit = (draw, pem) => inserted(draw, pem, pick(draw, [' ', '\n', '\r\n', '\t', '\n\n', '  \n', '\u000b', '\u000c', '\u00a0']))
const lines: Edit = (draw, pem) =>
  pick(draw, [
    pem.replace(/\r?\n/g, '\r\n'),
    pem.replace(/(?<=[A-Za-z0-9+/=])\r?\n(?=[A-Za-z0-9+/=])/g, ''),
    pem.trimEnd(),
    pem.replace(/(?<=-----)\r?\n(?=-----)/g, ''),
    pem.replaceAll('\n', ''),
    pem.replace(/.{20}/g, '$&\n'),
  ])
const zeros: Edit = (draw, pem) => (chance(draw, 0.8) ? pem + '\0'.repeat(1 + below(draw, 3)) : inserted(draw, pem, '\0'))
const words: Edit = (draw, pem) =>
  pick(draw, [
    `subject=Intel\n${pem}`,
    pem.replace('BEGIN CERT', 'begin cert'),
    pem.replaceAll('CERTIFICATE', 'X509 CERTIFICATE'),
    pem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'),
    pem.replaceAll('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n\n'),
    pem.replace('-----END CERTIFICATE-----', ''),
    pem.toLowerCase(),
    '',
  ])

const order: Edit = (draw, pem) => {
  const blocks = [...blocksOf(pem)]
  const from = below(draw, blocks.length + 1)
  const rotated = [...blocks.slice(from), ...blocks.slice(0, from)]
  return pick(draw, [blocks.reverse(), rotated, [...blocks, ...blocks.slice(from)], blocks.slice(1), blocks.slice(0, -1)]).join('\n')
}

const swap: Edit = (draw, pem, others) => {
  if (others.length === 0) return pem
  const other = pick(draw, others)
  if (chance(draw, 0.4)) return other
  const [mine, theirs] = [blocksOf(pem), blocksOf(other)]
  if (mine.length === 0 || theirs.length === 0) return other
  const at = below(draw, mine.length)
  const block = pick(draw, theirs)
  return (chance(draw, 0.7) ? mine.with(at, block) : [...mine, block]).join('\n')
}

const inside: Edit = (draw, pem) => {
  const blocks = blocksOf(pem)
  if (blocks.length === 0) return pem
  const block = pick(draw, blocks)
  const der = new Uint8Array(Buffer.from(block.replace(/-----[^-]*-----/g, ''), 'base64'))
  const base64 = Buffer.from(editDer(draw, der)).toString('base64').replace(/.{64}/g, '$&\n')
  return pem.replace(block, () => `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----`)
}

/** The last digit of base64 has bits that say nothing, and padding may be left out or stand twice. */
const padding: Edit = (draw, pem) =>
  pick(draw, [
    pem.replace(/([A-Za-z0-9+/])(=+)/, (_, digit: string, pads: string) => String.fromCharCode(digit.charCodeAt(0) + 1) + pads),
    pem.replace(/=+/, ''),
    pem.replace(/=+/, '$&='),
    pem.replaceAll('+', '-').replaceAll('/', '_'),
  ])

const EDITS: readonly Edit[] = [space, space, lines, zeros, words, order, order, swap, inside, inside, inside, padding]

/** PEM after one change to its armour, its certificates or what stands around them. */
export const editPem = (draw: Draw, pem: string, others: readonly string[]): string => pick(draw, EDITS)(draw, pem, others)
