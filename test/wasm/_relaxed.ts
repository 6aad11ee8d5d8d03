import v8 from 'node:v8'

// Imported first by the Node tests: V8 11.3, which is Node 20's, knows the relaxed instructions only behind this flag, and a later one
// ignores it. Every test file has a process of its own, so nobody else sees it.
v8.setFlagsFromString('--experimental-wasm-relaxed-simd')
