import './_relaxed.ts'
import { describe } from 'vitest'
import { batchCases } from './_batch-cases.ts'
import { onEach, onEachBuild } from './_implementations.ts'
import { memoryCases } from './_memory-cases.ts'

describe('batches', () => onEach(batchCases))

describe("the core's memory", () => onEachBuild(memoryCases))
