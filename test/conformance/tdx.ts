// docs/wire.md, section 6: what an ACL with the admission `tdx` holds. Quotes and tickets are no part of the vectors.

import { fixed, list, type Of, option, Refused, struct, type Type, u64 } from './bcs.ts'
import { type Bytes, H, same, u64le } from './hash.ts'

const FILLERS = { mrtd: 9, rtmr0: 1, rtmr1: 2, rtmr2: 3, rtmr3: 4 }
type Register = keyof typeof FILLERS
const REGISTERS: Register[] = ['mrtd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3']

const register = option(fixed(48))
const Criteria = struct({ mrtd: register, rtmr0: register, rtmr1: register, rtmr2: register, rtmr3: register })
export type Criteria = Of<typeof Criteria>

const Values = struct({
  signature: fixed(32),
  baseline: Criteria,
  variants: list(Criteria, 16),
  max_age: option(u64),
  not_before: option(u64),
  max_lifetime: option(u64),
})
export type TdxAdmission = Of<typeof Values>

/** `class` of a ticket that carries a TDX quote. */
export const TDX_CLASS: Bytes = H('mosaik.tee.tdx.ticket.v1')

const filler = (name: Register): Bytes => new Uint8Array(48).fill(FILLERS[name])

function fold(start: Bytes, steps: Bytes[]): Bytes {
  let folded = start
  for (const step of steps) folded = H(folded, step)
  return folded
}

const criteria = (given: Criteria): Bytes =>
  fold(
    H('mosaik.tee.tdx.measurements-criteria.v1'),
    REGISTERS.map((name) => given[name] ?? filler(name)),
  )

export function signatureOf({ baseline, variants, max_age, not_before, max_lifetime }: Omit<TdxAdmission, 'signature'>): Bytes {
  const limits = [max_age, not_before, max_lifetime].map((limit) => u64le(limit ?? 0n))
  return fold(TDX_CLASS, [criteria(baseline), ...variants.map(criteria), ...limits])
}

function check(value: TdxAdmission): TdxAdmission {
  const { baseline, variants, max_age, not_before, max_lifetime, signature } = value
  for (const one of [baseline, ...variants])
    for (const name of REGISTERS) {
      const asked = one[name]
      if (asked !== null && same(asked, filler(name))) throw new Refused('filler', name)
    }
  if ([max_age, not_before, max_lifetime].includes(0n)) throw new Refused('limit', 'a limit of 0')
  for (const variant of variants) {
    const asked = REGISTERS.filter((name) => variant[name] !== null)
    if (asked.length === 0) throw new Refused('variant-empty', 'asks for nothing')
    for (const name of asked) {
      const [ours, base] = [variant[name], baseline[name]]
      if (ours !== null && base !== null && !same(ours, base)) throw new Refused('variant-differs', name)
    }
  }
  if (!same(signatureOf(value), signature)) throw new Refused('validator-signature', 'of other values')
  return value
}

export const TdxAdmission: Type<TdxAdmission> = {
  write: (value, path) => Values.write(check(value), path),
  read: (from, path) => check(Values.read(from, path)),
  show: (value) => Values.show(value),
}

export const TdxGate = struct({ root: fixed(32), validator: TdxAdmission })
export type TdxGate = Of<typeof TdxGate>
