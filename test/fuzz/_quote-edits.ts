import { type Bytes, concat } from '../../client/primitives/bytes.ts'
import { mutate } from './_mutate.ts'
import { editPair, editPem } from './_quote-armour.ts'
import { editCollateral } from './_quote-json.ts'
import { joinQuote, jointsOfQuote, type QuoteParts, splitQuote } from './_quote-parts.ts'
import type { Attested } from './_quote-value.ts'
import { below, chance, type Draw, pick } from './_seeded.ts'

// Changes to a quote and its collateral: bytes anywhere, and parts in forms that still fit, so that not all end at the first size.

type Edit = (draw: Draw, quote: Bytes, others: readonly Attested[]) => Bytes

const bytes: Edit = (draw, quote, others) =>
  mutate(draw, quote, { joints: jointsOfQuote(quote), others: others.slice(0, 4).map(({ quote: other }) => other) })

/** A quote with a part replaced and every size right again; what is no quote any more stays as it is. */
const replacing =
  (change: (draw: Draw, parts: QuoteParts, others: readonly Attested[]) => Partial<QuoteParts>): Edit =>
  (draw, quote, others) => {
    const parts = splitQuote(quote)
    return parts === null ? quote : joinQuote({ ...parts, ...change(draw, parts, others) })
  }

const behind = replacing((draw, { trailing }) => {
  const more = new Uint8Array(1 + below(draw, 80)).map(() => (chance(draw, 0.5) ? 0 : below(draw, 256)))
  return { trailing: pick(draw, [concat(trailing, more), more, trailing.slice(below(draw, trailing.length + 1))]) }
})

const signature = replacing((draw, { value, qeSignature }) =>
  chance(draw, 0.5) ? { value: editPair(draw, value) } : { qeSignature: editPair(draw, qeSignature) },
)

const armour = replacing((draw, { pck, pckType }, others) => {
  if (pckType !== 5) return { pck: mutate(draw, pck) }
  const others5 = others.map(({ quote }) => splitQuote(quote)).filter((parts) => parts?.pckType === 5)
  const text = (part: Bytes): string => Buffer.from(part).toString('latin1')
  const edited = editPem(
    draw,
    text(pck),
    others5.map((parts) => text(parts?.pck ?? pck)),
  )
  return { pck: new Uint8Array(Buffer.from(edited, 'latin1')) }
})

const PARTS = ['signed', 'value', 'key', 'qeReport', 'qeSignature', 'auth', 'pck', 'trailing'] as const

const part = replacing((draw, parts) => {
  const name = pick(draw, PARTS)
  return { [name]: mutate(draw, parts[name]) }
})

/** Parts that belong together, and such as do not. */
const SWAPS: readonly (readonly (keyof QuoteParts)[])[] = [
  ...PARTS.map((name) => [name]),
  ['signed', 'value'],
  ['signed', 'value', 'key'],
  ['key', 'qeReport', 'qeSignature', 'auth'],
  ['qeReport', 'qeSignature', 'auth'],
  ['qeSignature', 'pck'],
  ['pckType', 'pck'],
]

const swap = replacing((draw, parts, others) => {
  const other = splitQuote(pick(draw, others).quote) ?? parts
  return Object.fromEntries(pick(draw, SWAPS).map((name) => [name, other[name]]))
})

const source = replacing((draw, { pck }) => ({ pckType: pick(draw, [1, 4, 5]), pck: chance(draw, 0.5) ? pck : new Uint8Array(0) }))

const EDITS: readonly Edit[] = [bytes, bytes, behind, signature, armour, armour, part, part, swap, swap, source]

/** The original after one to three changes to its quote, its collateral, or both; now and then it comes out as it was. */
export const changed = (draw: Draw, { quote, collateral }: Attested, others: readonly Attested[]): Attested => {
  let mutant: Attested = { quote, collateral }
  do {
    mutant = chance(draw, 0.5)
      ? { ...mutant, quote: pick(draw, EDITS)(draw, mutant.quote, others) }
      : {
          ...mutant,
          collateral: editCollateral(
            draw,
            mutant.collateral,
            others.map((other) => other.collateral),
          ),
        }
  } while (chance(draw, 0.25))
  return mutant
}
