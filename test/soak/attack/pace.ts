import type { Counts, Kind, Target } from './kind.ts'

/** Milliseconds between two looks at the clock, and the most frames of one: after a pause the attack goes on, and does not make up for it. */
const LOOK = 5
const BURST = 100
/** Frames of one kind under way at once: a kind that a member keeps waiting does not keep the others. */
const WAITING = 8

/** Every kind in turn, each of them against every member in turn, `rate` times a second. */
export const pace = (kinds: readonly Kind[], targets: readonly Target[], rate: number): { readonly stop: () => Counts } => {
  const running = kinds.map((kind) => ({ kind, sent: 0, refused: 0, waiting: 0, turn: 0 }))
  let next = 0
  let due = 0
  let last = performance.now()
  const act = (): void => {
    const one = [...running.slice(next), ...running.slice(0, next)].find(({ waiting }) => waiting < WAITING)
    if (one === undefined) return
    next = (running.indexOf(one) + 1) % running.length
    one.waiting += 1
    const target = targets[one.turn++ % targets.length] as Target
    void one.kind
      .act(target)
      .then(
        () => void one.sent++,
        () => void one.refused++,
      )
      .finally(() => void one.waiting--)
  }
  const look = (): void => {
    const now = performance.now()
    due = Math.min(BURST, due + ((now - last) * rate) / 1_000)
    last = now
    for (; due >= 1; due--) act()
  }
  const timer = setInterval(look, LOOK)
  return {
    stop: () => {
      clearInterval(timer)
      return Object.fromEntries(
        running.map(({ kind, sent, refused }) => [kind.name, { sent, refused, closed: kind.held?.closed ?? 0 }] as const),
      )
    },
  }
}
