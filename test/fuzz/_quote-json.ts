import { type Bytes, fromHex, toHex, utf8 } from '../../client/primitives/bytes.ts'
import { mutate } from './_mutate.ts'
import { editDer, editPair, editPem } from './_quote-armour.ts'
import { below, chance, type Draw, pick } from './_seeded.ts'

// Changes to collateral: its bytes, its JSON, and its members as the things they are.

type Members = Readonly<Record<string, unknown>>
type Text = Readonly<Record<string, string>>

const DOCUMENTS = ['tcb_info', 'qe_identity'] as const
const SIGNATURES = ['tcb_info_signature', 'qe_identity_signature'] as const
const CRLS = ['root_ca_crl', 'pck_crl'] as const
const CHAINS = ['pck_crl_issuer_chain', 'tcb_info_issuer_chain', 'qe_identity_issuer_chain', 'pck_certificate_chain'] as const
const HEX = [...SIGNATURES, ...CRLS]

/** Null for what is no JSON object of texts any more, or has none. */
const membersOf = (collateral: Bytes): Text | null => {
  try {
    const value: unknown = JSON.parse(Buffer.from(collateral).toString('utf8'))
    const texts: readonly unknown[] = typeof value === 'object' && value !== null ? Object.values(value) : []
    return texts.length > 0 && texts.every((one) => typeof one === 'string') ? (value as Text) : null
  } catch {
    return null
  }
}

type MemberEdit = (draw: Draw, members: Text, others: readonly Text[]) => Members

/** One of the named members that is there, as something else. */
const member =
  (names: readonly string[], change: (draw: Draw, text: string, others: readonly string[], name: string) => string): MemberEdit =>
  (draw, members, others) => {
    const left = names.filter((each) => each in members)
    // Another change may have taken all of them away.
    if (left.length === 0) return members
    const name = pick(draw, left)
    const text = (each: Text): string[] => (each[name] === undefined ? [] : [each[name]])
    return { ...members, [name]: change(draw, members[name] ?? '', others.flatMap(text), name) }
  }

const hex = member(HEX, (draw, digits) =>
  pick(draw, [
    digits.toUpperCase(),
    digits.toLowerCase(),
    digits.replace(/[a-f]/g, (digit) => (chance(draw, 0.5) ? digit.toUpperCase() : digit)),
    `0x${digits}`,
    ` ${digits}`,
    digits.replace(/.{64}/, '$&\n'),
    digits.slice(1),
    `${digits}0`,
    digits.replace(/[0-9]/, 'g'),
    '',
  ]),
)

const fromHexOr = (digits: string): Bytes => (/^(?:[0-9a-f]{2})*$/i.test(digits) ? fromHex(digits.toLowerCase()) : new Uint8Array(0))

const signature = member(SIGNATURES, (draw, digits) => toHex(editPair(draw, fromHexOr(digits))))
const crl = member(CRLS, (draw, digits) => toHex(editDer(draw, fromHexOr(digits))))
const armour = member(CHAINS, editPem)

/** A signed document: another text of the same value, or another value. */
const signedText = member(DOCUMENTS, (draw, text) => {
  const edits = [
    () => ` ${text}`,
    () => `${text}\n`,
    () => JSON.stringify(JSON.parse(text), null, 2),
    () => text.replace(/"([0-9A-F]+)"/, (_, digits: string) => `"${digits.toLowerCase()}"`),
    () => text.replace(/\d+/g, (digits) => (chance(draw, 0.01) ? String(Number(digits) + 1) : digits)),
    () => text.replace(/OutOfDate|SWHardeningNeeded/, 'UpToDate'),
    () => text.replace('{', `{"id":"TDX",`),
    () => text.replace(/\[/, '['.repeat(40)),
    () => Buffer.from(mutate(draw, utf8(text))).toString('utf8'),
  ]
  try {
    return pick(draw, edits)()
  } catch {
    // No JSON any more, after another change.
    return text
  }
})

/** Members that belong together, and such as do not. */
const SWAPS: readonly (readonly string[])[] = [
  ...[...DOCUMENTS, ...HEX, ...CHAINS].map((name) => [name]),
  ...DOCUMENTS.flatMap((name) => [
    [name, `${name}_signature`],
    [name, `${name}_signature`, `${name}_issuer_chain`],
  ]),
  ['pck_crl', 'pck_crl_issuer_chain'],
  [...DOCUMENTS.flatMap((name) => [name, `${name}_signature`, `${name}_issuer_chain`])],
]

const swap: MemberEdit = (draw, members, others) => {
  const other = others.length > 0 ? pick(draw, others) : members
  const names = pick(draw, SWAPS).filter((name) => name in other)
  return { ...members, ...Object.fromEntries(names.map((name) => [name, other[name]])) }
}

const crossed: MemberEdit = (draw, members) => {
  const names = Object.keys(members)
  const [one, two] = [pick(draw, names), pick(draw, names)]
  return { ...members, [one]: members[two], [two]: members[one] }
}

const OPTIONAL = 'pck_certificate_chain'
const ODD: readonly unknown[] = [null, 0, true, [], {}, [''], '', { length: 3 }]

const odd: MemberEdit = (draw, members) => {
  const name = chance(draw, 0.3) ? OPTIONAL : pick(draw, Object.keys(members))
  const { [name]: _, ...rest } = members
  return pick(draw, [rest, rest, { ...members, [name]: pick(draw, ODD) }, { ...rest, [OPTIONAL]: null }, { ...members, [`${name}s`]: '' }])
}

const order: MemberEdit = (draw, members) => {
  const names = Object.keys(members)
  const at = below(draw, names.length)
  return Object.fromEntries([...names.slice(at), ...names.slice(0, at)].map((name) => [name, members[name]]))
}

const MEMBER_EDITS: readonly MemberEdit[] = [
  hex,
  hex,
  signature,
  signature,
  crl,
  armour,
  armour,
  armour,
  signedText,
  swap,
  swap,
  crossed,
  odd,
  order,
]

/** One change to the text of a JSON object. */
const editText = (draw: Draw, text: string): string => {
  const at = below(draw, text.length + 1)
  const put = (what: string): string => text.slice(0, at) + what + text.slice(at)
  const between = (what: string): string => text.replace(/[{},:](?=\s*["}]|$)/g, (mark) => (chance(draw, 0.2) ? mark + what : mark))
  const escaped = `\\u${(text.charCodeAt(at) || 0x41).toString(16).padStart(4, '0')}`
  return pick(draw, [
    () => between(pick(draw, [' ', '\n', '\t', '\r\n', ' \n '])),
    () => between(pick(draw, ['\u00a0', '\u000b', '/**/', '\ufeff', '\0'])),
    () => `${pick(draw, [' ', '\n', '\ufeff', '\0', '['])}${text}`,
    () => text + pick(draw, [' ', '\n', '\0', '}', ',', '{}']),
    () => put(pick(draw, [' ', '\n', '\\n', '\\u0041', '"', ',', '\\'])),
    () => text.slice(0, at) + escaped + text.slice(at + 1),
    () => text.replaceAll('/', '\\/'),
    () => text.replace('{', `{${/"[^"]+":"(?:[^"\\]|\\.)*",/.exec(text)?.[0] ?? ''}`),
    () => text.replace(/\}\s*$/, ',}'),
    () => `${'['.repeat(1 + below(draw, 5_000))}${text}`,
  ])()
}

/** Collateral after one change. */
export const editCollateral = (draw: Draw, collateral: Bytes, others: readonly Bytes[]): Bytes => {
  const way = draw()
  if (way < 0.15) return mutate(draw, collateral, { others: others.slice(0, 4) })
  const members = membersOf(collateral)
  if (way < 0.35 || members === null) return new Uint8Array(Buffer.from(editText(draw, Buffer.from(collateral).toString('utf8')), 'utf8'))
  const edited = pick(draw, MEMBER_EDITS)(draw, members, [membersOf(pick(draw, others)) ?? members])
  return new Uint8Array(Buffer.from(JSON.stringify(edited), 'utf8'))
}
