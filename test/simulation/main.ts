import { forkOf, simulate } from './network.ts'

const numberOf = (args: readonly string[], name: string, fallback: number): number => {
  const at = args.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(args[at + 1])
}

/** `npm run simulate -- --n 4 --seeds 1000 --loss 0.02`: prints each fork and stall with its seed, exit 1 if there was one. */
export const main = async (args: readonly string[]): Promise<number> => {
  const n = numberOf(args, 'n', 4)
  const seeds = numberOf(args, 'seeds', 1_000)
  const loss = numberOf(args, 'loss', 0.02)
  let forks = 0
  let stalls = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const run = simulate(n, seed, 6, loss)
    if (forkOf(run) !== null) {
      forks += 1
      console.log(`fork at height ${forkOf(run)}: n ${n}, seed ${seed}`)
    } else if (run.logs.some((log) => log.length < 6)) {
      stalls += 1
      console.log(`stall: n ${n}, seed ${seed}`)
    }
  }
  console.log(`n ${n}, seeds 1 to ${seeds}, loss ${loss}: ${forks} forks, ${stalls} stalls`)
  return forks + stalls === 0 ? 0 : 1
}
