import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { main as compile } from 'assemblyscript/asc'
import { kernels } from './kernels.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const KERNELS = 'wasm/assembly/kernels.generated.ts'

/** Where each build goes. The relaxed one is measured and tested, and not shipped: it is no faster (docs/core.md, "How it is built"). */
const BINARIES = { base: 'wasm/binary.generated.ts', relaxed: 'test/wasm/relaxed.generated.ts' } as const

/** What the sources make, by path in the checkout: the kernels, and both builds of the core. The compiler's version is in the lockfile. */
export const build = async (): Promise<ReadonlyMap<string, string>> => {
  const text = kernels()
  const made = new Map([[KERNELS, text]])
  for (const [target, path] of Object.entries(BINARIES)) {
    const binary = await compiled(target, text)
    // In hex, which compresses within an eighth of the binary itself. Base64 hides the kernels' repetitions and takes half as much again.
    const lines = ['// Written by tools/core.ts from wasm/assembly: change that, and run `npm run core`.', 'export const binary =']
    made.set(path, `${lines.join('\n')}\n  '${Buffer.from(binary).toString('hex')}'\n`)
  }
  return made
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
    transforms: [AllButKernels as never],
    stderr: { write: (words: string | Uint8Array) => void said.push(String(words)) },
  })
  if (binary === null || error !== null) throw new Error(`the ${target} build failed: ${error?.message}\n${said.join('')}`)
  return binary
}

/** The part of Binaryen's module that is used here. */
interface Module {
  readonly getNumFunctions: () => number
  readonly getFunctionByIndex: (index: number) => number
  readonly runPassesOnFunction: (name: string, passes: readonly string[]) => void
}

/** Optimises everything but the kernels, whose instructions stay in their order: reordered, they take a tenth longer in today's V8. */
class AllButKernels {
  /** Put here by the compiler. */
  declare readonly binaryen: { readonly getFunctionInfo: (reference: number) => { readonly name: string } }

  afterCompile(module: Module): void {
    for (let i = 0; i < module.getNumFunctions(); i++) {
      const { name } = this.binaryen.getFunctionInfo(module.getFunctionByIndex(i))
      if (!name.startsWith(KERNELS.replace('.ts', '/'))) module.runPassesOnFunction(name, PASSES)
    }
  }
}

// Those of Binaryen's -O3 that work on one function, in its order.
const PASSES = [
  ...['ssa-nomerge', 'dce', 'remove-unused-names', 'remove-unused-brs', 'remove-unused-names', 'optimize-instructions', 'pick-load-signs'],
  ...['precompute-propagate', 'code-pushing', 'simplify-locals-nostructure', 'vacuum', 'reorder-locals', 'remove-unused-brs'],
  ...['coalesce-locals', 'local-cse', 'simplify-locals', 'vacuum', 'reorder-locals', 'coalesce-locals', 'reorder-locals', 'vacuum'],
  ...['code-folding', 'merge-blocks', 'remove-unused-brs', 'optimize-instructions', 'vacuum'],
]

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
