import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A member process of the devnet: what it said on its standard output, and a way to end it. */
export interface Child {
  readonly pid: number
  /** Calls `listener` with each event of the member, in order, those before the call included. */
  readonly onEvent: (listener: (event: MemberEvent) => void) => void
  /** Settles when the process is gone, with its exit code. */
  readonly exit: Promise<number>
  /** Asks it to end, and ends it after `graceMs`. */
  readonly end: (graceMs?: number) => Promise<number>
}

export type MemberEvent = { readonly event: string } & { readonly [field: string]: unknown }

/** This file is bin's grandchild as source, and lies one folder deeper when it was built. */
const program = (): string => {
  const found = ['../../bin', '../../../bin'].map((up) => fileURLToPath(new URL(`${up}/coalition.mjs`, import.meta.url))).find(existsSync)
  if (found === undefined) throw new Error('bin/coalition.mjs is missing beside the built program')
  return found
}
const GRACE_MS = 5_000

/** Runs `coalition member start …` as a process of its own, with its log lines handed to `onLog`. */
export const startMember = (args: readonly string[], onLog: (line: string) => void): Child => {
  const child = fork(program(), ['member', 'start', ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const events: MemberEvent[] = []
  const listeners = new Set<(event: MemberEvent) => void>()
  linesOf(child.stdout, (line) => {
    const event = parseEvent(line)
    if (event === null) return onLog(line)
    events.push(event)
    for (const listener of listeners) listener(event)
  })
  linesOf(child.stderr, onLog)
  const exit = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)))
    child.once('error', () => resolve(1))
  })
  return {
    pid: child.pid ?? 0,
    onEvent: (listener) => {
      listeners.add(listener)
      events.forEach(listener)
    },
    exit,
    end: (graceMs = GRACE_MS) => endOf(child, exit, graceMs),
  }
}

const endOf = async (child: ChildProcess, exit: Promise<number>, graceMs: number): Promise<number> => {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  try {
    return await exit
  } finally {
    clearTimeout(timer)
  }
}

const linesOf = (stream: NodeJS.ReadableStream | null, take: (line: string) => void): void => {
  if (stream !== null) createInterface({ input: stream }).on('line', take)
}

const parseEvent = (line: string): MemberEvent | null => {
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' && value !== null && typeof (value as MemberEvent).event === 'string' ? (value as MemberEvent) : null
  } catch {
    return null
  }
}
