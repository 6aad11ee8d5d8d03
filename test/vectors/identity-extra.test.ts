import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { make } from './identity-extra.mjs'
import { exactly, extra, vectors } from './identity.ts'

describe('the vector files', () => {
  it('identity-extra.json is what its generator writes, byte for byte', () => {
    expect(readFileSync(new URL('./identity-extra.json', import.meta.url), 'utf8')).toBe(`${JSON.stringify(make(), null, 1)}\n`)
  })

  it('the generator shares nothing with client/', () => {
    const imports = readFileSync(new URL('./identity-extra.mjs', import.meta.url), 'utf8').match(/^import .*$/gm)
    expect(imports).toEqual(["import { blake3 } from '@noble/hashes/blake3.js'"])
  })

  it('every list of both files has a test that walks it', () => {
    exactly(vectors, ['ids', 'lattices', 'organisms', 'confluences', 'coalitions', 'collisions'])
    exactly(extra, ['fingerprints', 'issuers', 'tickets', 'reports', 'criteria', 'validators'])
  })
})
