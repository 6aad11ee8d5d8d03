// Node 20 runs no TypeScript: vite's runner does.
//   node scripts/run.mjs FILE [ARGS…]          imports FILE and calls its `main(args)`
//   node scripts/run.mjs FOLDER NAME [ARGS…]   the same for FOLDER/NAME.ts; without NAME it lists what there is
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const entry = fileURLToPath(new URL('./entry.ts', import.meta.url))

/**
 * Runs a TypeScript program of this checkout.
 * @param {string} file path of a module that exports `main(args): Promise<number | void>`; relative to the checkout
 * @param {readonly string[]} args what `main` is given
 * @returns {Promise<void>} settles when `main` has; a number it returned is the exit code
 */
export const run = async (file, args) => {
  process.setSourceMapsEnabled(true)
  const { runnerImport } = await import('vite')
  // The runner closes once its import has settled, and a later dynamic import inside the program would fail. So the program
  // runs inside the import: entry.ts awaits it at its top level.
  Reflect.set(globalThis, Symbol.for('coalition.program'), { url: pathToFileURL(resolve(root, file)).href, args })
  await runnerImport(entry, { root, logLevel: 'error', oxc: { target: 'node20' } })
}

/** @param {string} folder */
const names = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -3))

/**
 * The file that the command line names and what is left for it, or what was wrong with the command line.
 * @param {readonly string[]} words
 * @returns {{ file: string, args: readonly string[] } | string}
 */
const read = ([target, ...args]) => {
  if (target === undefined || !existsSync(resolve(root, target))) return `no such program: ${target ?? '(none named)'}`
  if (!statSync(resolve(root, target)).isDirectory()) return { file: target, args }
  const [name, ...rest] = args
  const known = names(resolve(root, target))
  if (name !== undefined && known.includes(name)) return { file: join(target, `${name}.ts`), args: rest }
  return `${name === undefined ? 'name one' : `no ${name}`} of: ${known.join(', ')}`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const program = read(process.argv.slice(2))
  if (typeof program === 'string') {
    console.error(program)
    process.exitCode = 2
  } else await run(program.file, program.args)
}
