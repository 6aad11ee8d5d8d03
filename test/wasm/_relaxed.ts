import v8 from 'node:v8'
import { builds } from '../../wasm/instance.ts'

// Imported first by the Node tests: V8 11.3, which is Node 20's, knows the relaxed instructions only behind this flag. Every test file
// has a process of its own, so nobody else sees it.
if (!builds().includes('relaxed')) v8.setFlagsFromString('--experimental-wasm-relaxed-simd')
