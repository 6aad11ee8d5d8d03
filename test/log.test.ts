import { expect, it } from 'vitest'
import { atLeast, type Level, type Log, silent } from '../client/log.ts'

const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']

it.each(LEVELS)('at least %s passes that level and above, with all that was said', (level) => {
  const heard: unknown[] = []
  const log: Log = (...said) => heard.push(said)
  for (const given of LEVELS) atLeast(level, log)(given, 'dialled', { peer: 'a' })
  expect(heard).toEqual(LEVELS.slice(LEVELS.indexOf(level)).map((passed) => [passed, 'dialled', { peer: 'a' }]))
})

it('silence takes everything', () => {
  expect(silent('error', 'lost', { n: 1 })).toBeUndefined()
})
