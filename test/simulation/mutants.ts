import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import type { Engine } from './engine/seat.ts'
import type { Core } from './world.ts'

/** An exact text of a source file, which stands there once, and what stands there in the mutant. */
export interface Change {
  readonly file: string
  readonly from: string
  readonly to: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A module of this checkout with some of its text, or that of modules it imports, exchanged. Production code has no switch for it. */
export const mutate = async (entry: string, changes: readonly Change[]): Promise<unknown> => {
  for (const { file, from } of changes) expectOnce(file, from)
  const load = (id: string): string | null => {
    const file = changes.find((change) => id === `${root}${change.file}`)?.file
    if (file === undefined) return null
    return changes.filter((change) => change.file === file).reduce((text, { from, to }) => text.replace(from, () => to), read(file))
  }
  const built = await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [{ name: 'mutant', load }],
    build: { ssr: `${root}${entry}`, write: false, target: 'node20', minify: false },
    ssr: { noExternal: true, external: ['classic-level'] },
  })
  const [output] = [built].flat()
  const code = output !== undefined && 'output' in output ? output.output[0].code : ''
  return import(/* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`)
}

const read = (file: string): string => readFileSync(`${root}${file}`, 'utf8')

const expectOnce = (file: string, text: string): void => {
  const times = read(file).split(text).length - 1
  if (times !== 1) throw new Error(`${file} has ${times} times what the mutant changes: ${text}`)
}

const SIMPLEX = 'client/groups/simplex/simplex.ts'

/** The core without its lock: it accepts a child of any notarized block, and no promise keeps it from anything. */
export const withoutLock = async (): Promise<Core> => {
  const changes: readonly Change[] = [
    {
      file: SIMPLEX,
      from: '#keepsPromises(link: Link): boolean {',
      to: '#keepsPromises(link: Link): boolean {\n    if (link.view >= 0n) return true',
    },
    {
      file: SIMPLEX,
      from: '#mayFinalize(link: Link): boolean {',
      to: '#mayFinalize(link: Link): boolean {\n    if (link.view >= 0n) return true',
    },
    { file: SIMPLEX, from: '#compare(number: bigint): void {', to: '#compare(number: bigint): void {\n    if (number >= 0n) return' },
    {
      file: SIMPLEX,
      from: 'return notarized !== null && equal(notarized, link.parent)',
      to: "return notarized !== null && this.#at(link.parentView).by('notarize', link.parent).size >= this.#o.quorum",
    },
  ]
  return ((await mutate('client/groups/simplex/index.ts', changes)) as { readonly Simplex: Core }).Simplex
}

/** The engine that does not wait for its disk before it sends. */
export const withoutWaiting = async (): Promise<Engine> => {
  const flush = 'await record.flush()'
  const changes: readonly Change[] = [{ file: 'client/groups/seat.ts', from: flush, to: 'void record.flush()' }]
  return ((await mutate('client/groups/group.ts', changes)) as { readonly Group: Engine }).Group
}
