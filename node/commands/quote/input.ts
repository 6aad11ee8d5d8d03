import { CoalitionError } from '../../../client/error.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import type { TrustedRoot, VerifyEcdsa } from '../../../client/verify/attestation.ts'
import { readJson } from '../../../client/verify/collateral/json.ts'
import { MAX_PEM } from '../../../client/verify/collateral/pem.ts'
import { parsePolicy, type QuotePolicy } from '../../../client/verify/quote/index.ts'
import { intelRoot, readRoot } from '../../../client/verify/trusted-root.ts'
import { FormatError } from '../../../wasm/reading.ts'
import { readBounded } from '../../collateral/folder.ts'
import { UsageError } from '../../io.ts'
import { fromText } from '../../text-bytes.ts'

/** Most bytes of a file with a quote: real ones have 4 to 8 kB, as hex twice that. */
export const MAX_QUOTE = 65_536
const MAX_POLICY = 262_144

/**
 * A quote, raw or as text of hex or base64. A raw one is never taken for text: its header has zero bytes.
 *
 * @throws UsageError
 */
export const readQuoteFile = (path: string): Promise<Bytes> =>
  naming(path, async () => {
    const bytes = await readBounded(path, MAX_QUOTE)
    if (bytes.length === 0) throw new UsageError(`${path} is empty`)
    return fromText(bytes) ?? bytes
  })

/**
 * A policy as JSON. Fields whose name begins with `//` are comments. No key may stand twice: which of two `statuses` counts would be the
 * parser's choice.
 *
 * @throws UsageError
 */
export const readPolicy = (path: string | undefined): Promise<QuotePolicy> =>
  path === undefined
    ? Promise.resolve(parsePolicy({}))
    : naming(path, async () => parsePolicy(readJson(await readBounded(path, MAX_POLICY), '$', MAX_POLICY).value))

/**
 * The root that a PEM file names, by its key; Intel's where no file is named.
 *
 * @throws UsageError
 */
export const readRootFile = (path: string | undefined, ecdsa: VerifyEcdsa): Promise<TrustedRoot> =>
  path === undefined ? Promise.resolve(intelRoot()) : naming(path, async () => readRoot(await readBounded(path, MAX_PEM), ecdsa))

/** Says in which file something could not be read. */
export const naming = async <T>(path: string, run: () => Promise<T>): Promise<T> => {
  try {
    return await run()
  } catch (cause) {
    if (cause instanceof CoalitionError || cause instanceof FormatError) throw new UsageError(`${path}: ${cause.message}`, { cause })
    throw cause
  }
}
