import type { Bytes } from '../../client/primitives/bytes.ts'
import type { Chain } from '../network/chain.ts'
import { readerCase } from './_reader.ts'
import { fuzz, type Options, type Outcome, pick, program, readOptions } from './_seeded.ts'
import { chains, honestly, serverOf } from './_served.ts'
import { serverCase } from './_server.ts'

// light/1 from both ends: 5 of 12 cases are hostile bytes at the server, the others a hostile server's answers at the reader.

export const FULL = 12_000
const [SERVER, ALL] = [5, 12]

export const fuzzLight = async (options: Options, beat?: (number: number) => void): Promise<Outcome> => {
  const all: { readonly chain: Chain; readonly expected: Bytes }[] = []
  for (const chain of chains()) all.push({ chain, expected: await honestly(serverOf(chain)) })
  return fuzz(
    'light',
    options,
    (trial) => {
      if (trial.number % ALL >= SERVER) return readerCase(trial)
      const { chain, expected } = pick(trial.draw, all)
      return serverCase(trial, chain, expected)
    },
    beat,
  )
}

/** `npm run fuzz -- light`. */
export const main = (args: readonly string[]): Promise<number> => program('light', readOptions(args, FULL), fuzzLight)
