// Every entry of test/vectors/conformance.json against client/: what the second implementation made is read, checked and, where client/ makes
// such things, made again. An entry of a kind that is not known here fails: nothing is passed over.

import { describe, expect, test } from 'vitest'
import { CoalitionError } from '../../client/error.ts'
import { encode } from '../../client/primitives/codec.ts'
import { AGREEMENT } from './main-agreement.ts'
import { BLOCKS } from './main-blocks.ts'
import { DISCOVERY } from './main-discovery.ts'
import { KEYS } from './main-keys.ts'
import { accepts, allAt, failures, given, isGiven, type Part, pathsOf } from './main-kit.ts'
import { LIGHT } from './main-light.ts'
import { PROOFS } from './main-proofs.ts'
import { TALLY } from './main-tally.ts'
import { codecNamed, encodesNamed, undecodable } from './main-types.ts'

const ENCODING: readonly Part[] = [
  encodesNamed('encoding.accepted'),
  undecodable('encoding.refused'),
  accepts('encoding.unencodable', 'is refused by the encoder', (entry) => {
    const [codec, value] = [codecNamed(entry.text('type')), entry.json('value')]
    expect(() => encode(codec, value)).toThrow(CoalitionError)
  }),
  encodesNamed('limits.accepted'),
  undecodable('limits.refused'),
]

const PARTS: readonly Part[] = [given('about'), ...ENCODING, ...KEYS, ...BLOCKS, ...PROOFS, ...LIGHT, ...TALLY, ...AGREEMENT, ...DISCOVERY]
const tried = PARTS.filter((part) => !isGiven(part))

describe('GAP-18 GAP-19 MSK-03 client/ and the second implementation agree', () => {
  test('on what there is: every list and value of the file is known here, once', () => {
    const known = PARTS.map(({ path }) => path)
    expect(pathsOf(new Set(known)).sort()).toEqual(known.sort())
    // Fewer would mean that a list was emptied, or moved to what is merely given.
    expect(tried.reduce((sum, { path }) => sum + allAt(path).length, 0)).toBeGreaterThan(1_600)
    expect(tried.filter(({ path }) => allAt(path).length === 0)).toEqual([])
  })

  for (const part of tried) {
    test(`${part.path}, ${allAt(part.path).length}: each ${part.title}`, { timeout: 120_000 }, async () => {
      expect(await failures(part)).toEqual([])
    })
  }
})
