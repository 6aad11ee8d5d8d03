import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'

/** A new folder, which is gone after the test. */
export const scratch = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'coalition-node-'))
  made.push(path)
  return path
}

const made: string[] = []
afterEach(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true })
})
