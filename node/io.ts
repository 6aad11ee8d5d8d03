/** Where a command writes: lines without their newline. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** One subcommand of `coalition`. Exit codes: 0 good, 1 refused, 2 unusable input (API.md). */
export interface Command {
  readonly name: string
  readonly summary: string
  readonly usage: string
  readonly run: (argv: readonly string[], io: Io) => Promise<number>
}

/** Input that a command cannot use: said in one line, exit 2. */
export class UsageError extends Error {}
