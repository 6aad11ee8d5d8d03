import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:process'
import { CoalitionError } from '../../client/error.ts'

export interface AnvilOptions {
  /** File that the chain lives in: read at start if it is there, written every second and at the end. */
  readonly state?: string
  /** Seconds between blocks; 0 makes a block for each transaction at once. Default 1. */
  readonly blockTime?: number
  /** Flags that anvil knows beside these. */
  readonly more?: readonly string[]
  /** Milliseconds until it must listen, default 20,000: a long chain is read first. */
  readonly timeoutMs?: number
}

/** A chain of one's own. */
export interface Anvil extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Settles when the process is gone, with one line that says how. */
  readonly exit: Promise<string>
}

/** How long anvil may take to write its state at the end. */
const GRACE_MS = 10_000

/**
 * Starts anvil 1.7.1 on a free port of this machine. With a state file a restart goes on with the same chain: same hashes, same history.
 * @throws AnvilError with one line that says what to do
 */
export const startAnvil = async ({ state, blockTime = 1, more = [], timeoutMs = 20_000 }: AnvilOptions = {}): Promise<Anvil> => {
  // Written whole each time, and larger with each block: once a second it is what the chain spends its time on after ten minutes.
  const kept = state === undefined ? [] : ['--state', state, '--state-interval', '10', '--preserve-historical-states']
  const time = blockTime === 0 ? [] : ['--block-time', String(blockTime)]
  // One slot an epoch: a block is final two blocks later instead of 64. The rest of the member does not know.
  const flags = ['--port', '0', '--host', '127.0.0.1', '--slots-in-an-epoch', '1', ...time, ...kept, ...more]
  // The binary itself: its wrapper in @foundry-rs/anvil leaves it running when it is killed.
  const child = spawn(binary(), flags, { stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = exitOf(child)
  try {
    const address = await listening(child, exit, timeoutMs)
    return { url: `http://${address}`, pid: child.pid ?? 0, exit, [Symbol.asyncDispose]: () => end(child, exit) }
  } catch (error) {
    await end(child, exit)
    throw error
  }
}

/** Path of this platform's anvil. @throws AnvilError when the package is not installed */
export const binary = (): string => {
  const name = `@foundry-rs/anvil-${platform}-${arch === 'x64' ? 'amd64' : arch}`
  const { resolve } = createRequire(import.meta.url)
  try {
    return resolve(`${name}/bin/anvil${platform === 'win32' ? '.exe' : ''}`)
  } catch (cause) {
    throw new AnvilError(`${name} is not installed: run npm install without --omit=optional, on a platform that anvil is built for`, cause)
  }
}

const exitOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(`anvil did not start: ${message}`))
    child.once('exit', (code, signal) => resolve(`anvil ended with ${signal ?? `code ${code}`}`))
  })

// Anvil's own line on standard output; with --port 0 there is no other way to learn the port.
const LISTENING = /Listening on (\S+:\d+)/

const listening = (child: ChildProcess, exit: Promise<string>, timeoutMs: number): Promise<string> =>
  new Promise((resolve, reject) => {
    let heard = ''
    const timer = setTimeout(() => reject(new AnvilError(`anvil does not listen after ${timeoutMs} ms${lastOf(heard)}`)), timeoutMs)
    const hear = (chunk: Buffer): void => {
      heard = (heard + chunk.toString('utf8')).slice(-16_384)
      const address = LISTENING.exec(heard)?.[1]
      if (address === undefined) return
      clearTimeout(timer)
      child.stdout?.off('data', hear)
      child.stderr?.off('data', hear)
      // Read on: with a full pipe anvil would stop at its next line.
      child.stdout?.resume()
      child.stderr?.resume()
      resolve(address)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    void exit.then((how) => {
      clearTimeout(timer)
      reject(new AnvilError(`${how}${lastOf(heard)}`))
    })
  })

// The last thing it said is the reason: clap's usage error, a state file that cannot be read, a panic.
const lastOf = (heard: string): string => {
  const line = heard
    .split('\n')
    .map((text) => text.trim())
    .findLast((text) => text !== '')
  return line === undefined ? '' : `: ${line.slice(0, 300)}`
}

/** SIGINT lets it write its state; what does not end by itself is ended. */
const end = async (child: ChildProcess, exit: Promise<string>): Promise<void> => {
  child.kill('SIGINT')
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  await exit
  clearTimeout(timer)
}

/** A chain of one's own that cannot be had. */
export class AnvilError extends CoalitionError {
  declare readonly problem: string

  constructor(problem: string, cause?: unknown) {
    super('Devnet.AnvilError', problem, { problem }, cause === undefined ? {} : { cause })
  }
}
