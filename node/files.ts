import { open, rename } from 'node:fs/promises'
import { UsageError } from './io.ts'

/**
 * A file as JSON. Read in pieces and only as far as it may be long: a device or a pipe has no size to look at first.
 * @throws UsageError in one line
 */
export const readJson = async (path: string, most: number): Promise<unknown> => {
  const raw = await readBytes(path, most)
  try {
    // Fatal: a lenient decoder puts U+FFFD for bad bytes, and what was signed is never what is shown then.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw)) as unknown
  } catch (cause) {
    throw new UsageError(`${path} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

const readBytes = async (path: string, most: number): Promise<Uint8Array> => {
  const file = await open(path).catch((cause: Error) => {
    throw new UsageError(`cannot read ${path}: ${cause.message}`, { cause })
  })
  try {
    const pieces: Uint8Array[] = []
    let size = 0
    for (;;) {
      const { bytesRead, buffer } = await file.read({ buffer: new Uint8Array(PIECE), length: PIECE })
      if (bytesRead === 0) return Buffer.concat(pieces)
      size += bytesRead
      if (size > most) throw new UsageError(`${path} is longer than ${most} bytes`)
      pieces.push(buffer.subarray(0, bytesRead))
    }
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    throw new UsageError(`cannot read ${path}: ${(cause as Error).message}`, { cause })
  } finally {
    await file.close()
  }
}

const PIECE = 65_536

/** Writes a file whole or not at all: whoever reads it, after a power cut too, finds what was there before or all of what is new. */
export const writeWhole = async (path: string, content: string | Uint8Array, mode = 0o644): Promise<void> => {
  const beside = `${path}.new`
  const file = await open(beside, 'w', mode)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(beside, path)
}
