import './_relaxed.ts'
import { describe } from 'vitest'
import { blake3Cases } from './_blake3-cases.ts'
import { onEach } from './_implementations.ts'

describe('BLAKE3', () => onEach(blake3Cases))
