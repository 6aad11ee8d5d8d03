// The whole check of this project, in the order in which a failure is cheapest to read. The tests come last, so that their summary
// and the closing line `N passed, N failed` end the output. A failed step does not hide what comes after it, and counts as one failure.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findChromium } from './chromium.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = `${root}.cache/test`
const results = `${cache}/results.json`

/** All tests together take 12 minutes on two cores; a run still going after this is stuck. */
const DEADLINE_MS = 20 * 60_000

/**
 * @param {string} program a name in node_modules/.bin, or on PATH
 * @param {readonly string[]} args
 */
const succeeds = (program, ...args) => {
  const local = `${root}node_modules/.bin/${program}`
  return spawnSync(existsSync(local) ? local : program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
}

/** The package as a stranger gets it, by the checks that know how bundlers and compilers will read it. */
const packageReads = () => {
  const { status, stdout } = spawnSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', cache], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const tarball = `${cache}/${stdout.trim().split('\n').at(-1)}`
  return status === 0 && succeeds('publint', 'run', '--strict', tarball) && succeeds('attw', '--profile', 'esm-only', tarball)
}

/** @type {readonly (readonly [name: string, run: () => boolean])[]} */
const steps = [
  ['types', () => succeeds('tsc', '-b')],
  ['format and lint', () => succeeds('biome', 'check', '--error-on-warnings', '.')],
  ['floating promises', () => succeeds('oxlint', '--type-aware', '--deny-warnings')],
  ['unused code', () => succeeds('knip', '--no-progress')],
  ['build', () => succeeds('vite', 'build') && succeeds('vite', 'build', '--config', 'vite.demo.config.ts')],
  ['size budgets', () => succeeds('size-limit')],
  ['package', () => packageReads()],
]

/** @param {readonly [name: string, run: () => boolean]} step */
const passes = ([name, run]) => {
  const start = performance.now()
  console.log(`\n== ${name}`)
  const good = run()
  console.log(`== ${name}: ${good ? 'good' : 'FAILED'} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
  return good
}

/**
 * Runs every test, in a process group of its own. A test that spins cannot be timed out by the runner inside it, and outlives
 * the runner when that is ended: so the whole group is ended, at the deadline, on Ctrl-C and after the run.
 * @returns {Promise<boolean>}
 */
const testsPass = () => {
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
  const child = spawn(`${root}node_modules/.bin/vitest`, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], detached: true })
  const end = () => {
    try {
      process.kill(-(/** @type {number} */ (child.pid)), 'SIGKILL')
    } catch {
      // Nobody is left in the group.
    }
  }
  const deadline = setTimeout(() => {
    console.log(`\nThe tests have not ended in ${DEADLINE_MS / 60_000} minutes: ended from outside.`)
    end()
  }, DEADLINE_MS)
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, end)
  return new Promise((resolve) => {
    child.once('exit', (code) => {
      clearTimeout(deadline)
      end()
      resolve(code === 0)
    })
  })
}

/**
 * @typedef {object} Report the part of vitest's JSON that is read here
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {readonly { status: string, assertionResults: readonly { status: string }[] }[]} testResults
 */

/** A file that does not even load has no failed test in it, yet nothing in it was tested: it counts as one. */
const countTests = () => {
  if (!existsSync(results)) return { passed: 0, failed: 0, skipped: 0 }
  /** @type {Report} */
  const report = JSON.parse(readFileSync(results, 'utf8'))
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

rmSync(cache, { recursive: true, force: true })
mkdirSync(cache, { recursive: true })
// Found, or installed, before anything else: without a browser the run could only fail at its end.
process.env.CHROMIUM_PATH = await findChromium()

const broken = steps.filter((step) => !passes(step)).map(([name]) => name)
console.log('\n== tests')
const green = await testsPass()
const { passed, failed, skipped } = countTests()
// An unhandled error fails the runner without failing a test, and a run of no tests has shown nothing.
const silent = (!green && failed === 0) || passed + failed === 0 ? 1 : 0
if (broken.length > 0) console.log(`\nFAILED before the tests: ${broken.join(', ')}`)
const failures = failed + silent + broken.length
console.log(`\n${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failures > 0 ? 1 : 0
