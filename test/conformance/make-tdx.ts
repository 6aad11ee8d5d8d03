// Section 6: gates of the admission `tdx`, one that stands and those that a decoder refuses.

import { type Bytes, bytesOf, H, hex, u64le } from './hash.ts'
import { type Criteria, signatureOf, type TdxAdmission, type TdxGate } from './tdx.ts'

const ROOT = H('the key of a root')
type Values = Omit<TdxAdmission, 'signature'>

const NOTHING: Criteria = { mrtd: null, rtmr0: null, rtmr1: null, rtmr2: null, rtmr3: null }
const measured = (label: string): Bytes => bytesOf(label, 48)
const ASKED: Values = {
  baseline: { ...NOTHING, mrtd: measured('mrtd'), rtmr3: measured('rtmr3') },
  variants: [
    { ...NOTHING, rtmr1: measured('an old kernel') },
    { ...NOTHING, mrtd: measured('mrtd'), rtmr1: measured('a new kernel') },
  ],
  max_age: 21_600n,
  not_before: 1_800_000_000n,
  max_lifetime: 2n ** 64n - 1n,
}

/** Two variants beside a baseline, and every limit. */
export const gate = (): TdxGate => ({ root: ROOT, validator: { ...ASKED, signature: signatureOf(ASKED) } })

const FEW: Values = {
  ...ASKED,
  baseline: { ...NOTHING, mrtd: measured('mrtd') },
  variants: [],
  not_before: null,
  max_lifetime: null,
}

/** Gates whose signature is that of their values, but for the last: another rule refuses them. */
export function refusedGates(): [rule: string, why: string, hex: string][] {
  const raw = (values: Values, signature = signatureOf(values)): string => {
    const register = (value: Bytes | null) => (value === null ? '00' : `01${hex(value)}`)
    const criteria = ({ mrtd, rtmr0, rtmr1, rtmr2, rtmr3 }: Criteria) => [mrtd, rtmr0, rtmr1, rtmr2, rtmr3].map(register).join('')
    const limit = (value: bigint | null) => (value === null ? '00' : `01${hex(u64le(value))}`)
    const { baseline, variants, max_age, not_before, max_lifetime } = values
    const count = variants.length.toString(16).padStart(2, '0')
    const head = `${hex(ROOT)}${hex(signature)}${criteria(baseline)}${count}${variants.map(criteria).join('')}`
    return `${head}${[max_age, not_before, max_lifetime].map(limit).join('')}`
  }
  const filled: Criteria = { ...NOTHING, mrtd: new Uint8Array(48).fill(9) }
  const other: Criteria = { ...NOTHING, mrtd: measured('another') }
  return [
    ['filler', 'an mrtd of the bytes that stand for any', raw({ ...FEW, variants: [], baseline: filled })],
    ['limit', 'a max_age of 0', raw({ ...FEW, max_age: 0n })],
    ['variant-empty', 'a variant that asks for nothing', raw({ ...FEW, variants: [NOTHING] })],
    ['variant-differs', 'a variant that differs from the baseline', raw({ ...FEW, variants: [other] })],
    ['length', 'seventeen variants', raw(FEW).replace(/^(.{128}01.{96}00000000)00.*$/, '$111')],
    ['validator-signature', 'the signature of other values', raw(FEW, signatureOf({ ...FEW, max_age: 1n }))],
    ['tag', 'a register with tag 2', raw(FEW).replace(/^(.{128})01/, '$102')],
  ]
}
