#!/usr/bin/env node
// The installed package carries the built program. A checkout carries its source too, and may carry an old build: there the source
// is run, unless the build is at least as new as every file it was made from.
import './engine.mjs'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = 'node/main.ts'
const built = `${root}dist/node/main.js`

/** @param {string} folder */
const newest = (folder) =>
  readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .reduce((time, name) => Math.max(time, statSync(`${root}${folder}/${name}`).mtimeMs), 0)

const upToDate = () => existsSync(built) && statSync(built).mtimeMs >= Math.max(...['wasm', 'client', 'node'].map(newest))

const args = process.argv.slice(2)
if (existsSync(root + source) && !upToDate()) {
  const { run } = await import('../scripts/run.mjs')
  await run(source, args)
} else {
  const { main } = await import(new URL('../dist/node/main.js', import.meta.url).href)
  const code = await main(args)
  if (typeof code === 'number') process.exitCode = code
}
