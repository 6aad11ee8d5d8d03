import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bytes, copy } from '../../client/primitives/bytes.ts'
import { MAX_CRL } from '../../client/verify/collateral/content.ts'
import { type Collateral, readCollateral } from '../../client/verify/collateral/index.ts'
import { UsageError } from '../io.ts'
import { collateralOf, MAX_HEADERS, type PccsAnswer, readHeaders } from './pccs.ts'

/** Most bytes of collateral as one file: what `readCollateral` takes. */
const MAX_FILE = 3_145_728
/** Most answers of a folder: five make a set. */
const MAX_ANSWERS = 16

/**
 * Collateral from a file in the form of `readCollateral`, or from a folder of a PCCS's answers: bodies, and beside each `NAME.headers`. The
 * root's CRL needs none. Names that begin with a dot, and folders in the folder, are passed over.
 *
 * @throws UsageError for what cannot be read, CollateralFormatError for what it says
 */
export const readCollateralAt = async (path: string): Promise<Collateral> => {
  const found = await stat(path).catch((cause: Error) => {
    throw new UsageError(`cannot read ${path}: ${cause.message}`, { cause })
  })
  return found.isDirectory() ? collateralOf(await readAnswers(path)) : readCollateral(await readBounded(path, MAX_FILE))
}

const HEADERS = '.headers'

const readAnswers = async (folder: string): Promise<ReadonlyMap<string, PccsAnswer>> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: Error) => {
    throw new UsageError(`cannot read ${folder}: ${cause.message}`, { cause })
  })
  const names = entries.filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory()).map(({ name }) => name)
  const bodies = names.filter((name) => !name.endsWith(HEADERS)).sort()
  const alone = names.find((name) => name.endsWith(HEADERS) && !bodies.includes(name.slice(0, -HEADERS.length)))
  if (alone !== undefined) throw new UsageError(`${join(folder, alone)} has no body beside it`)
  if (bodies.length > MAX_ANSWERS) throw new UsageError(`${folder} holds ${bodies.length} answers, at most ${MAX_ANSWERS}`)
  const answers = await Promise.all(
    bodies.map(async (name): Promise<readonly [string, PccsAnswer]> => {
      const body = await readBounded(join(folder, name), 2 * MAX_CRL)
      if (!names.includes(name + HEADERS)) return [name, { body, headers: new Map() }]
      const headers = await readBounded(join(folder, name + HEADERS), MAX_HEADERS)
      // A header is latin-1 text (RFC 9110 section 5.5); a chain's is ASCII.
      return [name, { body, headers: readHeaders(new TextDecoder('latin1').decode(headers), name + HEADERS) }]
    }),
  )
  return new Map(answers)
}

/**
 * A file of at most `most` bytes. No more than that and one is ever read: a device or a pipe has no size to look at first.
 *
 * @throws UsageError
 */
export const readBounded = async (path: string, most: number): Promise<Bytes> => {
  try {
    const pieces: Uint8Array[] = []
    for await (const piece of createReadStream(path, { end: most }) as AsyncIterable<Uint8Array>) pieces.push(piece)
    const bytes = copy(Buffer.concat(pieces))
    if (bytes.length > most) throw new UsageError(`${path} is longer than ${most} bytes`)
    return bytes
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    throw new UsageError(`cannot read ${path}: ${(cause as Error).message}`, { cause })
  }
}
