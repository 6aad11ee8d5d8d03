import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { main as compile } from 'assemblyscript/asc'
import { kernels } from './kernels.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const KERNELS = 'wasm/assembly/kernels.ts'
const BINARIES = 'wasm/binaries.generated.ts'

/** What the sources make, by path in the checkout: the kernels, and both builds of the core. The compiler's version is in the lockfile. */
export const build = async (): Promise<ReadonlyMap<string, string>> => {
  const text = kernels()
  const lines = ['// Written by tools/core.ts from wasm/assembly: change that, and run `npm run core`.']
  for (const target of ['base', 'relaxed']) {
    const binary = await compiled(target, text)
    // In hex, which compresses within an eighth of the binary itself. Base64 hides the kernels' repetitions and takes half as much again.
    lines.push(`export const ${target} =`, `  '${Buffer.from(binary).toString('hex')}'`)
  }
  return new Map([
    [KERNELS, text],
    [BINARIES, `${lines.join('\n')}\n`],
  ])
}

const compiled = async (target: string, text: string): Promise<Uint8Array> => {
  let binary: Uint8Array | null = null
  const said: string[] = []
  const { error } = await compile(['--baseDir', root, '--config', 'asconfig.json', '--target', target], {
    readFile: (name, folder) => (name.endsWith(KERNELS) ? text : readFile(`${folder}/${name}`, 'utf8').catch(() => null)),
    writeFile: (_, contents) => {
      if (typeof contents !== 'string') binary = contents
    },
    listFiles: () => null,
    stderr: { write: (text: string | Uint8Array) => void said.push(String(text)) },
  })
  if (binary === null || error !== null) throw new Error(`the ${target} build failed: ${error?.message}\n${said.join('')}`)
  return binary
}

/** `npm run core` writes what is committed; with --check it writes nothing and fails where that is another. */
export const main = async ([option]: readonly string[]): Promise<number> => {
  let changed = 0
  for (const [path, text] of await build()) {
    const isSame = (await readFile(`${root}${path}`, 'utf8').catch(() => null)) === text
    if (!isSame) changed++
    if (option !== '--check') await writeFile(`${root}${path}`, text)
    console.log(`${path}: ${text.length} characters${isSame ? '' : ', changed'}`)
  }
  return option === '--check' && changed > 0 ? 1 : 0
}
