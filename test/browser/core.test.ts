import { describe, expect, it } from 'vitest'
import { implementation } from '../../wasm/core.ts'
import { bytesOf } from '../../wasm/instance.ts'
import { batchCases } from '../wasm/_batch-cases.ts'
import { blake3Cases } from '../wasm/_blake3-cases.ts'
import { coreCases } from '../wasm/_core-cases.ts'
import { hasherCases } from '../wasm/_hasher-cases.ts'
import { onEach, onEachBuild } from '../wasm/_implementations.ts'
import { memoryCases } from '../wasm/_memory-cases.ts'
import { binary as relaxed } from '../wasm/relaxed.generated.ts'

describe('the core in Chromium', () => {
  it('is the wasm one, and the relaxed build would be taken too', () => {
    expect(implementation()).toBe('wasm')
    expect(WebAssembly.validate(bytesOf(relaxed))).toBe(true)
  })

  coreCases(() => import('../../wasm/core.ts'))
})

describe('BLAKE3 in Chromium', () => onEach(blake3Cases))

describe('a hasher in Chromium', () => onEach(hasherCases))

describe('batches in Chromium', () => onEach(batchCases))

describe("the core's memory in Chromium", () => onEachBuild(memoryCases))
