import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Built, buildFor, firstInBrowser, inNode, measureInBrowser, measureInNode } from './_hash-hosts.ts'
import type { Measured } from './_hashes.ts'
import { median, print, quantile, type Row, rate, row } from './report.ts'

const ROUNDS = 15
const FRESH = 11
const GIGABYTE = 2 ** 30

/**
 * `npm run bench -- blake3 [--browser] [--json] [--rounds N] [--only WORD] [--no-scale]`: BLAKE3 as its users call it, beside blake3-jit,
 * hash-wasm, @noble/hashes and blake3-wasm, in turns; the first hash of a fresh process; and, for scale, Debian's b3sum on a gigabyte.
 */
export const main = async (args: readonly string[]): Promise<void> => {
  const value = (name: string): string | undefined => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
  const options = { rounds: Number(value('--rounds') ?? ROUNDS), only: value('--only') ?? '' }
  const isBrowser = args.includes('--browser')
  await using built = await buildFor(isBrowser ? 'browser' : 'node')
  const rows: Row[] = []
  const say = (done: Measured): void => {
    console.error(done.case)
    rows.push(...rowsOf(done))
  }
  await (isBrowser ? measureInBrowser : measureInNode)(built, options, say)
  if (options.only === '') {
    rows.push(...(isBrowser ? await firstRowsInBrowser(built) : await firstRows(built)))
    if (!isBrowser && !args.includes('--no-scale')) rows.push(...(await scaleRows(built)))
  }
  print(isBrowser ? 'blake3, Chromium' : 'blake3', rows, args)
}

/** A row for each rival by the medians, and one by the p10 against the best of them. */
const rowsOf = ({ case: name, ns }: Measured): readonly Row[] => {
  const ours = ['ours', 'ours, packed'].filter((library) => ns[library] !== undefined)
  const rivals = Object.keys(ns).filter((library) => !ours.includes(library))
  const at = (library: string, part: number): number => quantile(ns[library] ?? [], part)
  const best = rivals.reduce((fastest, rival) => (at(rival, 0.5) < at(fastest, 0.5) ? rival : fastest))
  return ours.flatMap((mine) => {
    const title = mine === 'ours' ? name : `${name}, packed`
    return [
      ...rivals.map((rival) => row(title, at(mine, 0.5), 'ns', rival, at(rival, 0.5))),
      row(`${title}, p10`, at(mine, 0.1), 'ns', best, at(best, 0.1)),
    ]
  })
}

/** What a fresh Node spends on importing each library and on its first hash. */
const FIRST: Readonly<Record<string, string>> = {
  ours: `const { hash } = await import('./core.js')`,
  'blake3-jit': `const { hash } = await import('blake3-jit')`,
  'hash-wasm': `const { createBLAKE3 } = await import('hash-wasm')`,
  '@noble/hashes': `const { blake3: hash } = await import('@noble/hashes/blake3.js')`,
}

const firstRows = async ({ folder }: Built): Promise<readonly Row[]> => {
  const none = (): Record<string, number[]> => Object.fromEntries(Object.keys(FIRST).map((library) => [library, []]))
  const imported = none()
  const hashed = none()
  for (let round = 0; round < FRESH; round++) {
    for (const [library, load] of Object.entries(FIRST)) {
      const call =
        library === 'hash-wasm' ? `const hasher = await createBLAKE3(); hasher.init().update(message).digest('binary')` : 'hash(message)'
      const program = `const message = new Uint8Array(64), start = performance.now()
        ${load}
        const imported = performance.now()
        ${call}
        console.log(JSON.stringify([imported - start, performance.now() - imported]))`
      await inNode(folder, program, (value) => {
        const [loading, hashing] = value as [number, number]
        imported[library]?.push(loading + hashing)
        hashed[library]?.push(hashing)
      })
    }
  }
  const rows = (name: string, samples: Readonly<Record<string, readonly number[]>>): readonly Row[] =>
    Object.keys(FIRST)
      .filter((library) => library !== 'ours')
      .map((rival) => row(name, median(samples.ours ?? []), 'ms', rival, median(samples[rival] ?? [])))
  return [...rows('first hash in a fresh process', hashed), ...rows('import and first hash in a fresh process', imported)]
}

const firstRowsInBrowser = async (built: Built): Promise<readonly Row[]> => {
  const samples: (readonly [number, number])[] = []
  for (let round = 0; round < FRESH; round++) samples.push(await firstInBrowser(built))
  return [
    row('first hash in a fresh Worker', median(samples.map(([, hashed]) => hashed)), 'ms'),
    row('import and first hash in a fresh Worker', median(samples.map(([imported, hashed]) => imported + hashed)), 'ms'),
  ]
}

/** A gigabyte through Debian's b3sum on one thread, and through ours in pieces of 64 KB. */
const scaleRows = async ({ folder }: Built): Promise<readonly Row[]> => {
  let seconds = Number.NaN
  await inNode(folder, `import { stream } from './hashes.js'\nstream(2 ** 26)\nconsole.log(stream(${GIGABYTE}))`, (value) => {
    seconds = value as number
  })
  const ours = GIGABYTE / 1e6 / seconds
  const missing = b3sumMissing()
  if (missing !== null) {
    console.error(missing)
    return [rate('1 GB, streamed', ours, 'MB/s')]
  }
  const own = mkdtempSync(join(tmpdir(), 'coalition-b3sum-'))
  try {
    const file = join(own, 'gigabyte')
    for (let i = 0; i < 16; i++) writeFileSync(file, new Uint8Array(2 ** 26).fill(i), { flag: 'a' })
    const times = [0, 1, 2].map(() => {
      const start = performance.now()
      spawnSync('b3sum', ['--num-threads', '1', file])
      return (performance.now() - start) / 1_000
    })
    return [rate('1 GB, streamed', ours, 'MB/s', b3sumName(), GIGABYTE / 1e6 / median(times))]
  } finally {
    rmSync(own, { recursive: true })
  }
}

const b3sumMissing = (): string | null => {
  if (spawnSync('b3sum', ['--version']).status === 0) return null
  if (process.getuid?.() !== 0) return 'b3sum is not installed, and only root may install it'
  const { status } = spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'b3sum'], { stdio: 'ignore' })
  return status === 0 ? null : 'b3sum is not installed, and apt-get could not'
}

/** Its version, and the widest instructions that it finds here. */
const b3sumName = (): string => {
  const { stdout } = spawnSync('b3sum', ['--version'], { encoding: 'utf8' })
  const flags = new Set(
    readFileSync('/proc/cpuinfo', 'utf8')
      .match(/^flags.*$/m)?.[0]
      .split(' '),
  )
  const widest = ['avx512vl', 'avx2', 'sse4_1'].find((name) => flags.has(name))
  return `${stdout.trim()}, one thread, ${widest ?? 'no SIMD'}`
}
