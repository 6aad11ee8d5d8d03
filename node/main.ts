import * as id from './commands/id.ts'
import type { Command, Io } from './io.ts'

const HEAVY: readonly [name: string, summary: string, load: () => Promise<Command>][] = [
  ['devnet', 'run a chain, a tally member, traffic and the page on this machine', () => import('./commands/devnet.ts')],
  ['member', 'make and run a member of a committee', () => import('./commands/member.ts')],
  ['read', 'read refunds from a committee, verified here', () => import('./commands/read.ts')],
  ['verify', 'check exported evidence, offline', () => import('./commands/verify.ts')],
  ['explain', 'say in words what a verdict says', () => import('./commands/explain.ts')],
  ['quote', 'verify or print quotes of Intel TDX and SGX, offline', () => import('./commands/quote.ts')],
]

const usage = (): string => {
  const lines = [[id.name, id.summary] as const, ...HEAVY.map(([name, summary]) => [name, summary] as const)]
  return `coalition COMMAND …

${lines.map(([name, summary]) => `  ${name.padEnd(8)} ${summary}`).join('\n')}

coalition COMMAND --help says more. Exit: 0 good, 1 refused, 2 unusable input.`
}

const io: Io = { out: (text) => console.log(text), err: (text) => console.error(text) }

/** The program `coalition`. @returns the exit code */
export const main = async ([name, ...argv]: readonly string[]): Promise<number> => {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io[name === undefined ? 'err' : 'out'](usage())
    return name === undefined ? 2 : 0
  }
  // libp2p takes half a second to load: only the commands that need it do.
  const load = HEAVY.find(([heavy]) => heavy === name)?.[2]
  const command: Command | undefined = name === id.name ? id : await load?.()
  if (command !== undefined) {
    try {
      return await command.run(argv, io)
    } finally {
      // A parent's channel, listened to so that we end with it, would keep a program alive that has failed.
      if (process.connected) process.disconnect()
    }
  }
  io.err(`no command ${name}\n\n${usage()}`)
  return 2
}
