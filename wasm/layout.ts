// The addresses of assembly/memory.ts that are written or read from outside.

export const OUT = 0x1140
export const ROOT = 0x1180
export const HASHER = 0x3000
export const RESULT = 0x4000
export const SIDES = 0x6000
export const OFFSETS = 0x8000
export const DIGESTS = 0x10000
export const INPUT = 0x30000
export const END = 0x80000
export const SLACK = 64
