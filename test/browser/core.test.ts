import { describe, expect, it } from 'vitest'
import { implementation } from '../../wasm/core.ts'
import { builds } from '../../wasm/instance.ts'
import { batchCases } from '../wasm/_batch-cases.ts'
import { blake3Cases } from '../wasm/_blake3-cases.ts'
import { coreCases } from '../wasm/_core-cases.ts'
import { hasherCases } from '../wasm/_hasher-cases.ts'
import { onEach, onEachBuild } from '../wasm/_implementations.ts'
import { memoryCases } from '../wasm/_memory-cases.ts'

describe('the core in Chromium', () => {
  it('is the relaxed build, and the base build is taken too', () => {
    expect(implementation()).toBe('relaxed')
    expect(builds()).toEqual(['relaxed', 'base'])
  })

  coreCases(() => import('../../wasm/core.ts'))
})

describe('BLAKE3 in Chromium', () => onEach(blake3Cases))

describe('a hasher in Chromium', () => onEach(hasherCases))

describe('batches in Chromium', () => onEach(batchCases))

describe("the core's memory in Chromium", () => onEachBuild(memoryCases))
