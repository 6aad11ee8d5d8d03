import { execFile } from 'node:child_process'
import { cp, readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

// The package as a stranger gets it: packed, and installed in a folder that has nothing of ours beside it.

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const NAME = 'coalition-client'

// A run under `npm test` carries this project's npm settings in its environment. A dapp has no legacy-peer-deps: with it libp2p in
// `dependencies` would look harmless here and bring React Native there.
const own = Object.entries(process.env).filter(([key]) => !/^npm_(config_legacy|package|lifecycle)/i.test(key))

/** What a stranger's programs inherit. Next reports to its makers unless it is told not to. */
export const ENV: NodeJS.ProcessEnv = { ...Object.fromEntries(own), NEXT_TELEMETRY_DISABLED: '1' }

export interface Outcome {
  /** Null when it could not be started, or was ended by a signal. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, at most four minutes. The test's own process goes on meanwhile: others may be started beside it. */
export const run = (cwd: string, program: string, ...args: readonly string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    const child = execFile(program, [...args], { cwd, env: ENV, timeout: 240_000, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      const status = child.exitCode
      resolve({ status, stdout, stderr: status === null ? `${stderr}${error?.message ?? ''}` : stderr })
    })
    child.stdin?.end()
  })

/** Packs what is built and installs it in `folder`, with whatever the package.json there asks for. */
export const install = async (folder: string): Promise<void> => {
  const pack = await run(ROOT, 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder)
  const tarball = (await readdir(folder)).find((file) => file.endsWith('.tgz'))
  if (tarball === undefined) throw new Error(`npm pack made nothing:\n${pack.stderr}`)
  const { status, stderr } = await run(folder, 'npm', 'install', `./${tarball}`, '--prefer-offline', '--no-audit', '--no-fund')
  if (status !== 0) throw new Error(stderr)
}

/** Copies an example's sources, without what a build or an install may have left beside them. */
export const copyExample = (name: string, folder: string): Promise<void> =>
  cp(`${ROOT}demo/${name}`, folder, { recursive: true, filter: (path) => !/\/(node_modules|\.next|dist)$/.test(path) })
