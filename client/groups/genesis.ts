import { hash } from '../../wasm/core.ts'
import type { Bytes } from '../primitives/bytes.ts'
import type { Header } from './block.ts'
import type { SurfaceSpec } from './machine.ts'
import { ZEROS } from './roster.ts'

/** Surface kinds of docs/wire.md section 3 that machines declare. */
export const SURFACE_KIND = { vec: 0 } as const
/** Root of a tree without leaves. */
export const EMPTY_TREE: Bytes = hash()
/** Root of a map without entries. */
export const EMPTY_MAP: Bytes = ZEROS

/** Block 0: computed by everybody from the config, signed by nobody, and the first leaf of the log (docs/wire.md section 3). */
export const genesisOf = (specs: readonly SurfaceSpec<never>[], rosterId: Bytes): Header => ({
  version: 1,
  roster: rosterId,
  next: rosterId,
  view: 0n,
  index: 0n,
  prev: ZEROS,
  commands: EMPTY_TREE,
  log: EMPTY_TREE,
  surfaces: specs.map(({ name, kind, by }) => ({
    name,
    kind: SURFACE_KIND[kind],
    size: 0n,
    root: EMPTY_TREE,
    by: by.map((index) => ({ name: index.name, keys: 0n, root: EMPTY_MAP })),
  })),
  time_ms: 0n,
})
