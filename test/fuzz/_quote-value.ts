import { type Bytes, equal, toHex } from '../../client/primitives/bytes.ts'
import { bigOf, joinDer, joinQuote, ORDER, splitDer, splitQuote } from './_quote-parts.ts'

// What a quote with its collateral says, and how it says it: the value, which no accepted mutant may change, and the marks of every class of
// bytes that may differ (docs/quotes.md, "What may differ and still be the same"). Node decodes here, not the readers under test.

/** A quote, and collateral as UTF-8 JSON. */
export interface Attested {
  readonly quote: Bytes
  readonly collateral: Bytes
}

/** The closed list of classes; the last two are about parts as wholes and not about their bytes. */
export const CLASSES = [
  'bytes behind the quote',
  'high and low s',
  'hex case',
  'JSON white space',
  'JSON escapes',
  'order of members',
  'null for a missing member',
  'PEM white space',
  'zeros behind PEM',
  'order of certificates',
  'PCK data that is not used',
  "another original's part",
] as const

export type Class = (typeof CLASSES)[number]

/** By part, what it says in one form. A part that is in no form known here is its bytes. */
export type Value = ReadonlyMap<string, string>

/** How it is said: accepted bytes that differ must differ in one of these. */
type Marks = Map<Class, string[]>

export interface Decoded {
  readonly value: Value
  readonly marks: ReadonlyMap<Class, string>
}

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const NO_PAIR = 'no pair'

/** @throws for collateral that is no JSON object: nothing that was accepted is. */
export const decodeAttested = ({ quote, collateral }: Attested): Decoded => {
  const value = new Map<string, string>()
  const marks: Marks = new Map()
  decodeQuote(quote, value, marks)
  decodeCollateral(DECODER.decode(collateral), value, marks)
  return { value, marks: new Map([...marks].map(([name, texts]) => [name, texts.sort().join(';')])) }
}

/** What it is a mark of stands in it: parts that come in another order are no other marks. */
const mark = (marks: Marks, name: Class, ...text: readonly string[]): void =>
  void marks.set(name, [...(marks.get(name) ?? []), text.join(' ')])

const decodeQuote = (quote: Bytes, value: Map<string, string>, marks: Marks): void => {
  const parts = splitQuote(quote)
  // Put together again it must be the same: no byte lies between the parts.
  if (parts === null || !equal(joinQuote(parts), quote)) return void value.set('quote', toHex(quote))
  const { signed, key, qeReport, auth } = parts
  mark(marks, 'bytes behind the quote', toHex(parts.trailing))
  value.set('quote', [toHex(signed), pairText(parts.value, marks), toHex(key)].join())
  value.set('quote.qe', [toHex(key), toHex(qeReport), pairText(parts.qeSignature, marks), toHex(auth)].join())
  if (parts.pckType === 5) value.set('quote.pck', pemText('quote.pck', Buffer.from(parts.pck).toString('latin1'), marks))
  else mark(marks, 'PCK data that is not used', `${parts.pckType} ${toHex(parts.pck)}`)
}

/** r ‖ s, by the lower s. */
const pairText = (pair: Bytes, marks: Marks): string =>
  pair.length === 64 ? lowText(bigOf(pair.subarray(0, 32)), bigOf(pair.subarray(32)), marks) : NO_PAIR + toHex(pair)

const lowText = (r: bigint, s: bigint, marks: Marks): string => {
  const other = ORDER - s
  mark(marks, 'high and low s', String(r), s > other ? 'high' : 'low')
  return `${r}/${s > other ? other : s}`
}

const derText = (der: Bytes, marks: Marks): string => {
  const parts = splitDer(der)
  if (parts === null || !equal(joinDer(parts), der)) return toHex(der)
  return [toHex(parts.tbs), toHex(parts.algorithm), lowText(parts.r, parts.s, marks)].join()
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/= \t\r\n]*)-----END CERTIFICATE-----/g

const SPACE = /[ \t\r\n]+/g

const pemText = (name: string, pem: string, marks: Marks): string => {
  const text = pem.replace(/\0+$/, '')
  mark(marks, 'zeros behind PEM', name, String(pem.length - text.length))
  mark(marks, 'PEM white space', name, text.replace(/[^ \t\r\n]+/g, 'x'))
  // What is not a certificate and not white space stays: nothing that was accepted has it.
  const rest = text.replace(CERTIFICATE, '').replace(SPACE, '')
  const certificates = [...text.matchAll(CERTIFICATE)].map(([, body = '']) => bodyText(body.replace(SPACE, ''), marks))
  mark(marks, 'order of certificates', name, ...certificates)
  return [...(rest === '' ? [] : [rest]), ...certificates].sort().join(' ')
}

const bodyText = (base64: string, marks: Marks): string => {
  const der = Buffer.from(base64, 'base64')
  return der.toString('base64') === base64 ? derText(new Uint8Array(der), marks) : base64
}

const HEX = /^(?:[0-9A-Fa-f]{2})*$/

const hexBytes = (name: string, digits: string, marks: Marks): Bytes | null => {
  mark(marks, 'hex case', name, `${/[a-f]/.test(digits)} ${/[A-F]/.test(digits)}`)
  return HEX.test(digits) ? new Uint8Array(Buffer.from(digits, 'hex')) : null
}

const STRING = /"(?:[^"\\]|\\.)*"/g
const OPTIONAL = 'pck_certificate_chain'

const decodeCollateral = (text: string, value: Map<string, string>, marks: Marks): void => {
  const members: Record<string, unknown> = JSON.parse(text)
  mark(marks, 'JSON white space', text.replace(STRING, 'x').replace(/\S+/g, 'x'))
  for (const [raw] of text.matchAll(STRING)) if (JSON.stringify(JSON.parse(raw)) !== raw) mark(marks, 'JSON escapes', raw)
  mark(
    marks,
    'order of members',
    Object.keys(members)
      .filter((name) => name !== OPTIONAL)
      .join(),
  )
  mark(marks, 'null for a missing member', String(members[OPTIONAL] === null))
  for (const [name, member] of Object.entries(members)) {
    if (name === OPTIONAL && member === null) continue
    // Of a quote that brings no chain the collateral's is used.
    value.set(name === OPTIONAL && !value.has('quote.pck') ? 'quote.pck' : name, memberText(name, member, marks))
  }
  // The signature says the same as the document that it signs.
  for (const name of ['tcb_info', 'qe_identity']) {
    value.set(name, `${value.get(name)} ${value.get(`${name}_signature`)}`)
    value.delete(`${name}_signature`)
  }
}

const memberText = (name: string, member: unknown, marks: Marks): string => {
  if (typeof member !== 'string') return JSON.stringify(member)
  if (name.endsWith('_chain')) return pemText(name, member, marks)
  if (!name.endsWith('_crl') && !name.endsWith('_signature')) return member
  const bytes = hexBytes(name, member, marks)
  if (bytes === null) return member
  return name.endsWith('_crl') ? derText(bytes, marks) : pairText(bytes, marks)
}

/** By part, what several originals say; chains also by certificate, since a chain may be put together of them. */
export type Known = ReadonlyMap<string, ReadonlySet<string>>

const CERTIFICATES = 'certificates'
const isChain = (name: string): boolean => name.endsWith('_chain') || name === 'quote.pck'

export const knownOf = (all: readonly Decoded[]): Known => {
  const known = new Map<string, Set<string>>([[CERTIFICATES, new Set()]])
  for (const [name, text] of all.flatMap(({ value }) => [...value])) {
    known.set(name, (known.get(name) ?? new Set()).add(text))
    if (isChain(name)) for (const certificate of text.split(' ')) known.get(CERTIFICATES)?.add(certificate)
  }
  return known
}

const isKnown = (known: Known, name: string, text: string): boolean =>
  known.get(name)?.has(text) === true ||
  (isChain(name) && text.split(' ').every((certificate) => known.get(CERTIFICATES)?.has(certificate)))

/**
 * In which classes an accepted mutant differs from its original, or a problem in words: that it says another thing, or differs in a way that
 * no class names.
 *
 * @param known of all originals
 */
export const explain = (original: Decoded, mutant: Decoded, known: Known): readonly Class[] | string => {
  const found = new Set<Class>()
  for (const name of new Set([...original.value.keys(), ...mutant.value.keys()])) {
    const [before, after] = [original.value.get(name), mutant.value.get(name)]
    if (before === after) continue
    if (name === OPTIONAL && (after === undefined || isKnown(known, name, after))) found.add('PCK data that is not used')
    else if (after !== undefined && isKnown(known, name, after)) found.add("another original's part")
    else return `is accepted with another ${name}: ${difference(before ?? 'none', after ?? 'none')}`
  }
  // Marks of a part that is another whole say nothing of bytes.
  if (found.size === 0) for (const [name, text] of mutant.marks) if (original.marks.get(name) !== text) found.add(name)
  return found.size > 0 ? [...found] : 'is accepted with other bytes of the same value, in no class of docs/quotes.md'
}

/** Where two texts part, and how they go on. */
const difference = (before: string, after: string): string => {
  const at = [...before].findIndex((character, i) => character !== after[i])
  const from = Math.max(0, (at < 0 ? before.length : at) - 8)
  return `at ${from} ${after.slice(from, from + 200)}, not ${before.slice(from, from + 200)} (${after.length} characters, not ${before.length})`
}
