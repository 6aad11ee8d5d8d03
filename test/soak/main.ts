import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDevnet } from '../devnet.ts'
import { killMembers } from './kills.ts'

/** `npm run soak -- --kills 20 --seed 1`: four member processes under load, killed again and again. Exit 1 when anything was lost. */
export const main = async (args: readonly string[]): Promise<number> => {
  const numberOf = (name: string, otherwise: number): number => {
    const at = args.indexOf(`--${name}`)
    return at < 0 ? otherwise : Number(args[at + 1])
  }
  const [kills, seed] = [numberOf('kills', 20), numberOf('seed', 1)]
  const folder = await mkdtemp(join(tmpdir(), 'coalition-soak-'))
  const devnet = await startDevnet(folder, ['--no-traffic'])
  const started = performance.now()
  try {
    console.log(`seed ${seed}, ${kills} kills`)
    const { seen, blocks, problems } = await killMembers({ devnet, folder, kills, seed, log: (line) => console.log(line) })
    for (const problem of problems) console.log(`PROBLEM ${problem}`)
    const seconds = ((performance.now() - started) / 1_000).toFixed(0)
    console.log(`${kills} kills in ${seconds} s: ${seen} refunds shown, ${blocks} blocks compared, ${problems.length} problems`)
    return problems.length === 0 ? 0 : 1
  } finally {
    await devnet.end()
    await rm(folder, { recursive: true, force: true })
  }
}
