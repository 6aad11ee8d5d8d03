import { html, nothing, type TemplateResult } from 'lit'
import { Tally, type Verified } from '../../client/page/index.ts'
import { ether } from './format.ts'
import type { Opened } from './opened.ts'
import { nameOf, refundItem, reversals } from './refund-row.ts'
import { sumOf } from './sum.ts'
import { lights, whole } from './verdict.ts'

/** A complete answer of the tally: to an address, or to a block. */
export type Answer = Verified<readonly Tally.Refund[]>

const count = (n: number): string => `${n} ${n === 1 ? 'refund' : 'refunds'}`

/** What an address got, exactly: reversed refunds are counted apart, and in no sum. */
export const totals = (address: string, value: readonly Tally.Refund[]): TemplateResult => {
  const standing = Tally.standing(value)
  const reversed = value.filter((refund) => refund.kind === 'attribution').filter((refund) => !standing.includes(refund))
  const total = sumOf(address, standing)
  return html`
    <p class="total"><strong>${ether(total)}</strong> in ${count(standing.length)} <small>${total} wei</small></p>
    ${
      reversed.length === 0
        ? nothing
        : html`<p class="back">
          Taken back, and not counted: ${ether(sumOf(address, reversed))} in ${count(reversed.length)}
          <small>${sumOf(address, reversed)} wei</small>
        </p>`
    }
  `
}

/** The list behind an answer. Its verdict covers every row; the place of a single one is not part of the answer. */
export const answerRows = (opened: Opened, { value, ref, verdict }: Answer, address?: string): TemplateResult => {
  const taken = reversals(value)
  const reversalOf = (refund: Tally.Refund): Tally.Reversal | null =>
    refund.kind === 'attribution' ? (taken.get(nameOf(refund)) ?? null) : null
  return html`<ol class="refunds">
    ${value.toReversed().map((refund) => refundItem({ opened, verified: { value: refund, ref, verdict }, reversal: reversalOf(refund), ...(address !== undefined && { address }) }))}
  </ol>`
}

export const completeness = ({ verdict }: Answer): TemplateResult => html`
  ${lights(verdict)}
  <details>
    <summary>Why this is complete</summary>
    ${whole(verdict)}
  </details>
`
