import { fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A devnet in a process of its own, as `npm start` runs it. */
export interface Devnet extends AsyncDisposable {
  readonly page: string
  readonly rpc: string
  readonly pid: number
  /** Process ids of chain and members. */
  readonly children: readonly number[]
  readonly config: string
  readonly addresses: readonly string[]
  /** As they were when everything ran. */
  readonly members: readonly { readonly seat: number; readonly pid: number; readonly addresses: readonly string[]; readonly http: string }[]
  /** Events so far, oldest first. */
  readonly events: readonly Event[]
  /** The next event of a kind that `test` accepts; those before the call do not count. */
  readonly next: (kind: string, test?: (event: Event) => boolean) => Promise<Event>
  /** Sends a signal and resolves with the exit code. */
  readonly end: (signal?: NodeJS.Signals) => Promise<number | null>
}

type Event = { readonly event: string } & { readonly [field: string]: unknown }

const PROGRAM = fileURLToPath(new URL('../bin/coalition.mjs', import.meta.url))

interface Around {
  /** For the devnet and what it starts, beside what this process has. */
  readonly env?: Readonly<Record<string, string>>
  /** Takes each line of its log. */
  readonly hear?: (line: string) => void
}

/** Starts `coalition devnet --json` in `folder` and waits until everything runs. */
export const startDevnet = async (folder: string, more: readonly string[] = [], { env, hear }: Around = {}): Promise<Devnet> => {
  const args = ['devnet', '--dir', folder, '--port', '0', '--json', ...more]
  const child = fork(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: { ...process.env, ...env } })
  const events: Event[] = []
  const listeners = new Set<(event: Event) => void>()
  const said: string[] = []
  const keep = (line: string): void => {
    said.push(line)
    if (said.length > 40) said.shift()
    hear?.(line)
  }
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as Event
      events.push(event)
      for (const listener of [...listeners]) listener(event)
    })
  if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', keep)
  const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const next = (kind: string, test: (event: Event) => boolean = () => true): Promise<Event> =>
    new Promise((resolve, reject) => {
      const listener = (event: Event): void => {
        if (event.event !== kind || !test(event)) return
        listeners.delete(listener)
        resolve(event)
      }
      listeners.add(listener)
      void exit.then((code) => reject(new Error(`devnet ended with ${code}:\n${said.join('\n')}`)))
    })
  const ready = await next('ready')
  const members = ready.members as Devnet['members']
  const chain = events.find(({ event }) => event === 'chain') as Event
  const end = (signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> => {
    child.kill(signal)
    return exit
  }
  return {
    page: ready.page as string,
    rpc: ready.rpc as string,
    pid: child.pid ?? 0,
    children: [chain.pid as number, ...members.map(({ pid }) => pid)],
    config: ready.config as string,
    addresses: members.flatMap(({ addresses }) => addresses),
    members,
    events,
    next,
    end,
    // By its channel, not by a signal: a terminal's Ctrl-C reaches it too, and at a second signal it would leave its children behind.
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect()
      await exit
    },
  }
}
