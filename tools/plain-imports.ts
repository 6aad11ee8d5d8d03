import type { Plugin } from 'vite'

/**
 * Leaves `import()` as it is written. Vite puts a loader around each one of a browser build, which fetches style sheets and links modules
 * ahead; what we import that way has neither, and the loader is a kilobyte in every file that has one.
 */
export const plainImports = (): Plugin => ({
  name: 'coalition:plain-imports',
  apply: 'build',
  enforce: 'pre',
  load: {
    filter: { id: /^\0vite\/preload-helper/ },
    handler: () => 'export const __vitePreload = (load) => load()',
  },
})
