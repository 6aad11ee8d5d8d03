import { Tally } from '../../client/page/index.ts'

/** Wei for one address, of those attributions that are given. */
export const sumOf = (address: string, refunds: readonly Tally.Attribution[]): bigint => {
  const wanted = address.toLowerCase()
  const own = refunds.flatMap(({ recipients }) => recipients.filter(({ addr }) => Tally.formatAddress(addr) === wanted))
  return own.reduce((sum, { amount }) => sum + amount, 0n)
}

/** Seconds. */
type Times = number[]
/** Ether to the gwei: for drawing only, every exact amount stands in its row. */
type Sums = number[]

const GWEI = 1_000_000_000n

/** What an address was attributed, added up over time. */
export const sumsOf = (address: string, refunds: readonly Tally.Attribution[]): readonly [Times, Sums] => {
  let sum = 0n
  const times: Times = []
  const sums: Sums = []
  for (const refund of refunds) {
    sum += sumOf(address, [refund])
    times.push(refund.committedAt / 1_000)
    sums.push(Number(sum / GWEI) / 1e9)
  }
  return [times, sums]
}
