import { median, quantile } from './report.ts'

/** Something that takes 1 KB entries and says when each is durable on a quorum. */
export interface Target {
  readonly put: (value: Uint8Array) => Promise<unknown>
}

export interface Measured {
  /** Entries acknowledged a second. */
  readonly rate: number
  readonly p50: number
  readonly p99: number
  /** When each was acknowledged, in milliseconds of the process's clock. */
  readonly acks: readonly number[]
}

/** A closed loop: `inflight` entries are under way at any time, the next goes out when one is acknowledged. A failed one is sent again. */
export const load = async ({ put }: Target, inflight: number, ms: number, value: () => Uint8Array): Promise<Measured> => {
  const latencies: number[] = []
  const acks: number[] = []
  const start = performance.now()
  const end = start + ms
  const one = async (): Promise<void> => {
    while (performance.now() < end) {
      const sent = performance.now()
      const isGood = await put(value()).then(
        () => true,
        () => false,
      )
      if (!isGood) continue
      const now = performance.now()
      latencies.push(now - sent)
      acks.push(now)
    }
  }
  await Promise.all(Array.from({ length: inflight }, one))
  const seconds = (performance.now() - start) / 1_000
  return { rate: latencies.length / seconds, p50: median(latencies), p99: quantile(latencies, 0.99), acks }
}

/** The longest time without an acknowledgement after `from`, and the rate after it as a part of that before. */
export const afterKill = (acks: readonly number[], from: number): { readonly gap: number; readonly part: number } => {
  const [before, after] = [acks.filter((at) => at < from), acks.filter((at) => at >= from)]
  let gap = 0
  let last = before.at(-1) ?? from
  let resumed = from
  for (const at of after) {
    if (at - last > gap) {
      gap = at - last
      resumed = at
    }
    last = at
  }
  const rateOf = (list: readonly number[], start: number, end: number): number => (1_000 * list.length) / Math.max(1, end - start)
  const rest = after.filter((at) => at >= resumed)
  return { gap, part: rateOf(rest, resumed, last) / rateOf(before, before[0] ?? from, from) }
}

/** 1 KB that no compression makes smaller, another one each time. */
export const entries = (): (() => Uint8Array) => {
  let count = 0
  return () => {
    const value = crypto.getRandomValues(new Uint8Array(1_000))
    new DataView(value.buffer).setUint32(0, count++)
    return value
  }
}
