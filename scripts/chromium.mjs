// Finds the Chromium that tests and screenshots drive. Playwright's own download is not to be had on every machine, a system
// Chromium is; a wrapper left behind by a removed package is common too, so only what answers `--version` is taken.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Names looked for on PATH, in this order. */
export const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']

/**
 * What every start of Chromium in this project passes. Containers run as root and without a GPU (`--no-sandbox`, `--disable-gpu`);
 * without the background flags each start looks up hosts that a closed network refuses.
 */
export const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const HOW = 'No Chromium: install one (Debian: apt-get install chromium) or set CHROMIUM_PATH to an executable that answers --version.'

/**
 * @typedef {object} Machine what the search may look at; the tests bring their own
 * @property {Readonly<Record<string, string | undefined>>} env
 * @property {() => Promise<string | null>} own path of playwright's own Chromium, or null
 * @property {boolean} installs whether apt-get may be asked: root, on Debian
 */

/** @type {() => Machine} */
const here = () => ({
  env: process.env,
  own: async () => {
    const { chromium } = await import('playwright')
    return chromium.executablePath() || null
  },
  installs: process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/etc/debian_version'),
})

/**
 * @param {string} path
 * @param {Machine['env']} env
 */
const answers = (path, env) => {
  const { status, stdout } = spawnSync(path, ['--version'], { env, encoding: 'utf8', timeout: 30_000, stdio: ['ignore', 'pipe', 'ignore'] })
  return status === 0 && /chrom/i.test(stdout)
}

/** @param {Machine['env']} env */
const onPath = (env) => {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  return candidates.find((path) => existsSync(path) && answers(path, env)) ?? null
}

/** @param {Machine['env']} env */
const install = (env) => {
  /** @type {import('node:child_process').SpawnSyncOptions} */
  const options = {
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
    // What apt says belongs on stderr: stdout may be read by whoever asked for the path.
    stdio: ['ignore', 2, 2],
  }
  // An old package list names versions that the mirror no longer has, and a new container has none: update first.
  const steps = [['update'], ['install', '-y', '--no-install-recommends', 'chromium']]
  return steps.every((step) => spawnSync('apt-get', step, options).status === 0)
}

/**
 * Looks in this order: `CHROMIUM_PATH`, names on PATH, playwright's own, Debian's package.
 * @param {Partial<Machine>} [machine]
 * @returns {Promise<string>} path of an executable that answers `--version`
 * @throws Error when `CHROMIUM_PATH` is set but broken (a silent second choice would test another browser than the one asked for),
 *   or when there is none: one line that says what to do
 */
export const findChromium = async (machine) => {
  const { env, own, installs } = { ...here(), ...machine }
  const asked = env.CHROMIUM_PATH
  if (asked) {
    if (answers(asked, env)) return asked
    throw new Error(`CHROMIUM_PATH is set to ${asked}, which does not answer --version.`)
  }
  const found = onPath(env)
  if (found !== null) return found
  const bundled = await own()
  if (bundled !== null && existsSync(bundled) && answers(bundled, env)) return bundled
  const installed = installs && install(env) ? onPath(env) : null
  if (installed !== null) return installed
  throw new Error(HOW)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    console.log(await findChromium())
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
