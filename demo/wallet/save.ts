import { Tally, type Verified } from '../../client/page/index.ts'
import { ether, hex } from './format.ts'

/** Gives the browser a file to keep. Nothing leaves this device. */
export const saveText = (name: string, type: string, text: string): void => {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // After the click was handled: before it, the browser may not have begun to read.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** The same from a link's click, as JSON. */
export const save = (event: Event, name: string, value: unknown): void => {
  event.preventDefault()
  saveText(name, 'application/json', JSON.stringify(value))
}

const COLUMNS = [
  'block',
  'revision',
  'status',
  'address',
  'wei',
  'ether',
  'reason',
  'blockHash',
  'lattice',
  'chainId',
  'committedAt',
  'integrity',
  'authority',
  'freshness',
  'commitIndex',
  'commit',
] as const

/** A cell by RFC 4180. What a spreadsheet would run as a formula is kept a text. */
const cell = (value: string): string => {
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Rows of an answer, a line for each share, each with the verdict that it stands under. */
export const toCsv = (
  lattice: { readonly name: string; readonly chainId: bigint },
  { value, ref, verdict }: Verified<readonly Tally.Refund[]>,
  address: string | null = null,
): string => {
  const standing = new Set(Tally.standing(value))
  const common = [verdict.integrity.state, verdict.authority.state, verdict.freshness.state, ref.index, ref.commit]
  const lines = value.flatMap((refund) => {
    if (refund.kind === 'reversal') return []
    const status = standing.has(refund) ? 'attributed' : 'taken back'
    const own = refund.recipients.filter(({ addr }) => address === null || Tally.formatAddress(addr) === address.toLowerCase())
    return own.map(({ addr, amount, ref: reason }) => [
      refund.slot.toString(),
      refund.revision.toString(),
      status,
      Tally.formatAddress(addr),
      amount.toString(),
      ether(amount).replace(' ETH', ''),
      hex(reason),
      hex(refund.blockHash),
      lattice.name,
      lattice.chainId.toString(),
      new Date(refund.committedAt).toISOString(),
      ...common,
    ])
  })
  return `${[COLUMNS, ...lines].map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`
}
