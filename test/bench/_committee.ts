import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../node/devnet/ports.ts'

/** Our committee: n member processes on loopback. Entries go to the first one over the channel that it was forked with. */
export interface Ours extends AsyncDisposable {
  readonly put: (value: Uint8Array) => Promise<void>
  /** Ends the last member. */
  readonly kill: () => void
  readonly pids: readonly number[]
}

/** What a member process is told. */
export interface Order {
  readonly folder: string
  readonly n: number
  readonly member: number
  readonly ports: readonly number[]
}

const RUN = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url))
const MEMBER = 'test/bench/_member.ts'

export const startOurs = async (n: number, profile: string | null = null): Promise<Ours> => {
  const folder = await mkdtemp(join(tmpdir(), 'coalition-commit-'))
  const ports: number[] = []
  for (let i = 0; i < n; i++) ports.push(await freePort())
  const children = ports.map((_, member) => {
    const order: Order = { folder: join(folder, `${member}`), n, member, ports }
    const execArgv = profile !== null && member === 0 ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []
    return fork(RUN, [MEMBER, JSON.stringify(order)], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv,
    })
  })
  await Promise.all(children.map(isReady))
  const first = children[0] as ChildProcess
  const waiting = new Map<number, { readonly resolve: () => void; readonly reject: (error: Error) => void }>()
  first.on('message', ({ id, error }: { id: number; error: string | null }) => {
    const entry = waiting.get(id)
    waiting.delete(id)
    if (error === null) entry?.resolve()
    else entry?.reject(new Error(error))
  })
  let count = 0
  return {
    put: (value) =>
      new Promise((resolve, reject) => {
        const id = count++
        waiting.set(id, { resolve, reject })
        first.send({ id, value })
      }),
    kill: () => void children.at(-1)?.kill('SIGKILL'),
    pids: children.map(({ pid }) => pid ?? 0),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(children.map(end))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const isReady = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', (code) => reject(new Error(`a member ended with ${code}`)))
  })

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
