import { mkdir, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Plugin } from 'vite'

/** One built file: the source modules in it and the built files it loads. Paths are relative to the checkout, or to dist. */
export interface Chunk {
  readonly file: string
  readonly entry: boolean
  readonly modules: readonly string[]
  readonly imports: readonly string[]
  readonly dynamicImports: readonly string[]
}

/**
 * Writes which modules went into each built file to `.cache/graph/BUILD.json`, for the tests that hold the page free of libp2p.
 * Outside dist: it is not published.
 */
export const graph = (root: string): Plugin => ({
  name: 'coalition:graph',
  // Builds share one plugin instance; the environment's name keeps their graphs apart.
  sharedDuringBuild: true,
  async generateBundle(_, bundle) {
    const chunks: Chunk[] = Object.values(bundle)
      .filter((item) => item.type === 'chunk')
      .map((chunk) => ({
        file: chunk.fileName,
        entry: chunk.isEntry,
        modules: chunk.moduleIds.map((id) => relative(root, id.replace(/^\0/, ''))),
        imports: chunk.imports,
        dynamicImports: chunk.dynamicImports,
      }))
    const folder = `${root}.cache/graph`
    await mkdir(folder, { recursive: true })
    await writeFile(`${folder}/${this.environment.name}.json`, `${JSON.stringify(chunks, null, 1)}\n`)
  },
})
