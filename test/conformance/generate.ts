// Makes test/vectors/conformance.json. `node scripts/run.mjs test/conformance/generate.ts`

import { readFile, writeFile } from 'node:fs/promises'
import { ABOUT } from './about.ts'
import type { Json } from './bcs.ts'
import { handedOutKeys } from './kit.ts'
import { makeBlocks, makeCommands, makeGenesis, makeHeaders, makeObservations, makeVotes } from './make-blocks.ts'
import { makeCertificates } from './make-certificates.ts'
import { makeDiscovery } from './make-discovery.ts'
import { makeEncoding } from './make-encoding.ts'
import { makeExchanges } from './make-exchanges.ts'
import { makeEd25519, makeRosters } from './make-keys.ts'
import { makeMessages } from './make-light.ts'
import { makeLimits } from './make-limits.ts'
import { makeMaps } from './make-maps.ts'
import { makePayments } from './make-payments.ts'
import { makeTails } from './make-tails.ts'
import { makeTally } from './make-tally.ts'
import { makeTrees } from './make-trees.ts'
import { type Claim, failure, firstClaims } from './replay.ts'
import { agreementClaims } from './replay-agreement.ts'
import { discoveryClaims } from './replay-discovery.ts'
import { lastClaims } from './replay-light.ts'
import { buildWorld } from './world.ts'

const FILE = new URL('../vectors/conformance.json', import.meta.url)

/** All vectors, from nothing: no clock, no entropy. */
export function makeVectors(): { [key: string]: Json } {
  const world = buildWorld('world', 10)
  const epochs = buildWorld('epochs', 7, { after: 4, members: 5 })
  const parts = {
    encoding: makeEncoding(),
    ed25519: makeEd25519(),
    rosters: makeRosters(),
    headers: makeHeaders(world),
    genesis: makeGenesis(),
    commands: makeCommands(world),
    blocks: makeBlocks(world),
    votes: makeVotes(),
    certificates: makeCertificates(world),
    observations: makeObservations(),
    limits: makeLimits(),
    trees: makeTrees(),
    maps: makeMaps(),
    indexes: makeTails(),
    light: { ...makeMessages(world), ...makeExchanges(world, epochs) },
    tally: { ...makeTally(), payments: makePayments() },
    discovery: makeDiscovery(world),
  }
  // The keys last: only then is it known which ones were used.
  return { about: ABOUT, keys: handedOutKeys(), ...parts }
}

export const claimsOf = (vectors: Json): Claim[] => [
  ...firstClaims(vectors),
  ...lastClaims(vectors),
  ...agreementClaims(vectors),
  ...discoveryClaims(vectors),
]

/** JSON with what fits in a line on a line: 160 columns, two spaces. */
export function layOut(value: Json, indent = '', room = 160): string {
  const line = JSON.stringify(value)
  if (typeof value !== 'object' || value === null || line.length + indent.length <= room) return line
  const inner = `${indent}  `
  if (Array.isArray(value)) return `[\n${value.map((each) => inner + layOut(each, inner, room)).join(',\n')}\n${indent}]`
  const fields = Object.entries(value).map(([name, each]) => `${inner}${JSON.stringify(name)}: ${layOut(each, inner, room)}`)
  return `{\n${fields.join(',\n')}\n${indent}}`
}

export const readVectors = async (): Promise<string> => await readFile(FILE, 'utf8')

export async function main(): Promise<number> {
  const vectors = makeVectors()
  const text = `${layOut(vectors)}\n`
  // From the text that is written, not from the values that made it.
  const claims = claimsOf(JSON.parse(text) as Json)
  const failures = claims.map(failure).filter((each) => each !== null)
  for (const each of failures) console.error(each)
  for (const [name, part] of Object.entries(vectors)) console.log(`${name.padEnd(14)} ${JSON.stringify(part).length}`)
  console.log(`${claims.length} claims, ${failures.length} failures, ${text.length} characters`)
  if (failures.length > 0) return 1
  await writeFile(FILE, text)
  return 0
}
