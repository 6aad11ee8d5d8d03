import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { engineProblem } from '../../bin/engine.mjs'

describe('the oldest Node', () => {
  it.each(['20.19.0', '20.20.2', '22.0.0', '100.1.2'])('takes %s', (version) => expect(engineProblem(version)).toBeNull())

  it.each(['20.18.3', '18.20.0', '9.0.0', ''])('refuses %j in one line', (version) => {
    expect(engineProblem(version)).toBe(`coalition needs Node 20.19 or later, this is ${version}`)
  })

  it('is the one that package.json names', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(engines.node).toBe('>=20.19')
  })
})
