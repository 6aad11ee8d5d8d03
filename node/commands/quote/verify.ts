import { webcrypto } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { Store } from '../../../client/groups/storage.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { type Collateral, createEcdsa, inspectCollateral } from '../../../client/verify/collateral/index.ts'
import { rollbackMemory } from '../../../client/verify/collateral/store.ts'
import { type AttestationOptions, inspectAttestation, inspectQuote, type QuoteVerdict } from '../../../client/verify/quote/index.ts'
import { readCollateralAt } from '../../collateral/folder.ts'
import { type Io, UsageError } from '../../io.ts'
import { toJson } from '../../json-lines.ts'
import { plain, report, whole } from '../report.ts'
import { naming, readPolicy, readQuoteFile, readRootFile } from './input.ts'
import { policyFields, wordsOf } from './words.ts'

/** The last second of the year 2286: more is a time in milliseconds. */
const LATEST = 9_999_999_999

/** Runs `coalition quote verify`. @returns the worst exit code of all quotes */
export const verify = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      quote: { type: 'string', multiple: true },
      collateral: { type: 'string' },
      at: { type: 'string' },
      root: { type: 'string' },
      policy: { type: 'string' },
      memory: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const files = [...(values.quote ?? []), ...positionals]
  const path = values.collateral
  if (files.length === 0) throw new UsageError('name a quote with --quote')
  if (path === undefined) throw new UsageError('name its collateral with --collateral')
  const at = whole('--at', values.at, LATEST) ?? Math.floor(Date.now() / 1000)
  const ecdsa = createEcdsa(webcrypto.subtle as never)
  const root = await readRootFile(values.root, ecdsa)
  const policy = await readPolicy(values.policy)
  const collateral = await naming(path, () => readCollateralAt(path))
  const store = values.memory === undefined ? undefined : await openStore(values.memory)
  try {
    const memory = store && rollbackMemory(store)
    const options = { at, root, policy, ecdsa, ...(memory && { memory }) }
    return await verifyAll(files, await verifier(collateral, options), { json: values.json, at }, io)
  } finally {
    await store?.close()
  }
}

// The database is a native addon: whoever keeps no memory does not load it.
const openStore = async (folder: string): Promise<Store> => (await import('../../storage/level.ts')).openLevel(folder)

type Verifier = (quote: Bytes) => Promise<QuoteVerdict>

/** A quote under collateral that is refused has its own checks all the same, and the verdict says which of both failed. */
const verifier = async (collateral: Collateral, options: AttestationOptions): Promise<Verifier> => {
  const { verified } = await inspectCollateral(collateral, options)
  return (quote) => (verified === null ? inspectAttestation(quote, collateral, options) : inspectQuote(quote, verified, options))
}

interface Told {
  readonly json: boolean
  /** Unix seconds. */
  readonly at: number
}

/** One after the other: the output is in the order of the files, and a quote that is accepted raises the memory for the next. */
const verifyAll = async (files: readonly string[], verifyOne: Verifier, told: Told, io: Io): Promise<number> => {
  let worst = 0
  for (const file of files) worst = Math.max(worst, await verifyFile(file, verifyOne, told, io))
  return worst
}

const verifyFile = async (file: string, verifyOne: Verifier, { json, at }: Told, io: Io): Promise<number> => {
  let quote: Bytes
  try {
    quote = await readQuoteFile(file)
  } catch (error) {
    // The others are still to be judged.
    const code = report('quote', error, io)
    if (json) io.out(toJson({ quote: file, accepted: false, problem: (error as Error).message }))
    return code
  }
  const verdict = await verifyOne(quote)
  io.out(json ? toJson({ quote: file, at, ...verdict, policyFields: policyFields(verdict) }) : plain(wordsOf(file, verdict, at)))
  return verdict.accepted ? 0 : 1
}
