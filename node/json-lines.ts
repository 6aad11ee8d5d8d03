import type { FactValue } from '../client/error.ts'
import type { Level, Log } from '../client/log.ts'
import { toHex } from '../client/primitives/bytes.ts'

/** JSON that keeps what JSON lacks: bigints as decimal text, bytes as hex. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, found: unknown) =>
    typeof found === 'bigint' ? found.toString() : found instanceof Uint8Array ? toHex(found) : found,
  )

/** A log of one JSON object a line. */
export const jsonLog =
  (write: (line: string) => void, now: () => Date = () => new Date()): Log =>
  (level, message, facts) =>
    write(toJson({ time: now().toISOString(), level, message, ...facts }))

/** A log of one readable line. */
export const textLog =
  (write: (line: string) => void): Log =>
  (level, message, facts = {}) =>
    write([mark[level], message, ...Object.entries(facts).map(([name, value]) => `${name}=${plain(value)}`)].join(' '))

const mark: Readonly<Record<Level, string>> = { debug: '·', info: '-', warn: '!', error: '!!' }
const plain = (value: FactValue): string => (typeof value === 'string' ? value : toJson(value))
