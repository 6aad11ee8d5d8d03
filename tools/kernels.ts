// Writes wasm/assembly/kernels.generated.ts: BLAKE3's compression, unrolled, in an order of instructions that keeps two vector units busy. The
// relaxed build is not optimised after this, and the engines of today keep the order, so what stands here is what the processor runs.
//
// compress4   four blocks at once, one in each lane of the vectors: for chunks, parents and batches
// compress1   one block, a row of the state in each vector: for short messages and what four lanes leave over
// compress2   two of those in step

/** The BLAKE3 paper, section 2.2: which message word goes where in the next round. */
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
const IV = ['0x6a09e667', '0xbb67ae85', '0x3c6ef372', '0xa54ff53a']
const ROUNDS = 7

const range = (n: number): readonly number[] => [...Array(n).keys()]
const schedule = range(ROUNDS - 1).reduce<number[][]>(
  (rounds) => [...rounds, PERMUTATION.map((i) => rounds.at(-1)?.[i] ?? 0)],
  [[...range(16)]],
)

/** The text of the file. */
export const kernels = (): string => [...HEAD, ...compress4(), ...rows(1), ...rows(2), ''].join('\n')

const rotation = (bits: 16 | 8, lanes: string): readonly string[] => [
  '// @ts-ignore: decorator',
  `@inline function rotate${bits}(x: v128, by: v128): v128 {`,
  '  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(x, by)',
  `  return v128.swizzle(x, i8x16(${lanes}))`,
  '}',
]

const HEAD = [
  '// Written by tools/kernels.ts: change that, and run `npm run core`.',
  "import { COUNTER_HIGH, COUNTER_LOW, FLAGS, LANES, LENGTHS, OUT, ROTATE_16, ROTATE_8 } from './memory'",
  '',
  '// One shuffle on every engine that takes it: V8 up to 12 knows a swizzle by a constant, and the relaxed one from 11.4 on.',
  ...rotation(16, '2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13'),
  ...rotation(8, '1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12'),
  '',
]

const shift = (x: string, bits: number): string => `v128.or(i32x4.shr_u(${x}, ${bits}), i32x4.shl(${x}, ${32 - bits}))`
const shuffle = (a: string, b: string, lanes: readonly number[]): string => `v128.shuffle<u32>(${a}, ${b}, ${lanes.join(', ')})`
const indent = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`)

/** One G of the paper, section 2.2: its twelve steps over the state's a, b, c, d with the message words x and y. */
const mix = (a: string, b: string, c: string, d: string, x: string, y: string): readonly string[] => [
  `${a} = i32x4.add(i32x4.add(${a}, ${x}), ${b})`,
  `${d} = v128.xor(${d}, ${a})`,
  `${d} = rotate16(${d}, by16)`,
  `${c} = i32x4.add(${c}, ${d})`,
  `${b} = v128.xor(${b}, ${c})`,
  `${b} = ${shift(b, 12)}`,
  `${a} = i32x4.add(i32x4.add(${a}, ${y}), ${b})`,
  `${d} = v128.xor(${d}, ${a})`,
  `${d} = rotate8(${d}, by8)`,
  `${c} = i32x4.add(${c}, ${d})`,
  `${b} = v128.xor(${b}, ${c})`,
  `${b} = ${shift(b, 7)}`,
]

/** Several sequences in step: the first line of each, then the second of each. Neighbours do not wait for each other. */
const inStep = (sequences: readonly (readonly string[])[]): readonly string[] =>
  range(sequences[0]?.length ?? 0).flatMap((i) => sequences.map((lines) => lines[i] ?? ''))

const COLUMNS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
] as const
const DIAGONALS = [
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const

/** A quarter of each lane's block, turned: word i of all four lanes in one vector. */
const turned = (quarter: number): readonly string[] => {
  const [t, u] = ['t', 'u'].map((name) => (i: number) => `${name}${quarter}${i}`) as [(i: number) => string, (i: number) => string]
  const pairs = [`${u(0)}, ${u(2)}, 0, 2`, `${u(0)}, ${u(2)}, 1, 3`, `${u(1)}, ${u(3)}, 0, 2`, `${u(1)}, ${u(3)}, 1, 3`]
  return [
    ...range(4).map((lane) => `const ${t(lane)} = v128.load(p${lane}, ${quarter * 16})`),
    `const ${u(0)} = ${shuffle(t(0), t(1), [0, 4, 1, 5])}`,
    `const ${u(1)} = ${shuffle(t(0), t(1), [2, 6, 3, 7])}`,
    `const ${u(2)} = ${shuffle(t(2), t(3), [0, 4, 1, 5])}`,
    `const ${u(3)} = ${shuffle(t(2), t(3), [2, 6, 3, 7])}`,
    ...pairs.map((operands, i) => `const m${quarter * 4 + i} = v128.shuffle<u64>(${operands})`),
  ]
}

const round4 = (words: readonly number[]): readonly string[] => {
  const half = (groups: typeof COLUMNS | typeof DIAGONALS, first: number): readonly string[] =>
    inStep(
      groups.map(([a, b, c, d], i) => mix(`v${a}`, `v${b}`, `v${c}`, `v${d}`, `m${words[first + 2 * i]}`, `m${words[first + 2 * i + 1]}`)),
    )
  return [...half(COLUMNS, 0), ...half(DIAGONALS, 8)]
}

const compress4 = (): readonly string[] => [
  '/** `blocks` blocks of each of four messages, from the chaining values in LANES, which it replaces. */',
  'export function compress4(p0: usize, p1: usize, p2: usize, p3: usize, blocks: i32): void {',
  '  const by16 = v128.load(ROTATE_16), by8 = v128.load(ROTATE_8)',
  ...range(8).map((i) => `  let h${i} = v128.load(LANES, ${16 * i})`),
  '  let flags = FLAGS',
  '  const last = blocks - 1',
  '  for (let block: i32 = 0; block < blocks; block++) {',
  '    if (block == last) flags = FLAGS + 32',
  ...indent(indent(range(4).flatMap(turned))),
  ...range(8).map((i) => `    let v${i} = h${i}`),
  ...range(4).map((i) => `    let v${8 + i} = i32x4.splat(<i32>${IV[i]})`),
  '    let v12 = v128.load(COUNTER_LOW), v13 = v128.load(COUNTER_HIGH)',
  '    let v14 = v128.load(block == last ? LENGTHS + 16 : LENGTHS), v15 = v128.load(flags)',
  ...indent(indent(schedule.flatMap(round4))),
  ...range(8).map((i) => `    h${i} = v128.xor(v${i}, v${i + 8})`),
  '    flags = FLAGS + 16',
  '    p0 += 64; p1 += 64; p2 += 64; p3 += 64',
  '  }',
  ...range(8).map((i) => `  v128.store(LANES, h${i}, ${16 * i})`),
  '}',
  '',
]

/** The first round's message words of a stream, row by row: even and odd words, the diagonal half begun where its rows are turned to. */
const loaded = (s: string): readonly string[] => [
  ...range(4).map((i) => `const m${i}${s} = v128.load(p${s}, ${16 * i})`),
  `let w${s} = ${shuffle(`m0${s}`, `m1${s}`, [0, 2, 4, 6])}`,
  `let x${s} = ${shuffle(`m0${s}`, `m1${s}`, [1, 3, 5, 7])}`,
  `let y${s} = ${shuffle(`m2${s}`, `m3${s}`, [6, 0, 2, 4])}`,
  `let z${s} = ${shuffle(`m2${s}`, `m3${s}`, [7, 1, 3, 5])}`,
]

/** The message words of the next round from those of this one: PERMUTATION, on vectors that are already in the rows' order. */
const permuted = (s: string): readonly string[] => [
  `const W${s} = w${s}, X${s} = x${s}, Y${s} = y${s}, Z${s} = z${s}`,
  `w${s} = ${shuffle(`W${s}`, `X${s}`, [1, 5, 7, 2])}`,
  `x${s} = ${shuffle(shuffle(`W${s}`, `Y${s}`, [3, 6, 0, 3]), `Z${s}`, [0, 1, 2, 7])}`,
  `y${s} = ${shuffle(shuffle(`Z${s}`, `Y${s}`, [0, 1, 7, 1]), `X${s}`, [0, 4, 2, 3])}`,
  `z${s} = ${shuffle(shuffle(`Y${s}`, `Z${s}`, [1, 6, 2, 0]), `X${s}`, [0, 1, 6, 3])}`,
]

const turn = (row: string, lanes: readonly number[]): string => `${row} = ${shuffle(row, row, lanes)}`
/** Rows a, c, d are turned about row b, so that what stood on a diagonal stands in a column; and back. */
const toDiagonals = (s: string): readonly string[] => [
  turn(`a${s}`, [3, 0, 1, 2]),
  turn(`d${s}`, [2, 3, 0, 1]),
  turn(`c${s}`, [1, 2, 3, 0]),
]
const toColumns = (s: string): readonly string[] => [turn(`a${s}`, [1, 2, 3, 0]), turn(`d${s}`, [2, 3, 0, 1]), turn(`c${s}`, [3, 0, 1, 2])]

const roundRows = (streams: readonly string[]): readonly string[] => [
  ...inStep(streams.map((s) => mix(`a${s}`, `b${s}`, `c${s}`, `d${s}`, `w${s}`, `x${s}`))),
  ...inStep(streams.map(toDiagonals)),
  ...inStep(streams.map((s) => mix(`a${s}`, `b${s}`, `c${s}`, `d${s}`, `y${s}`, `z${s}`))),
  ...inStep(streams.map(toColumns)),
  `if (round == ${ROUNDS - 1}) break`,
  ...streams.flatMap(permuted),
]

const rows = (n: 1 | 2): readonly string[] => {
  const streams = range(n).map(String)
  const counter = n === 1 ? [] : ['step: i32']
  const head = ['cv: usize', ...streams.map((s) => `p${s}: usize`), 'blocks: i32', 'lastLength: i32', 'flags: i32', 'firstFlags: i32']
  const tail = ['lastFlags: i32', 'low: i32', 'high: i32', ...counter, ...streams.map((s) => `out${s}: usize`)]
  return [
    n === 1
      ? '/** `blocks` blocks of one message from the chaining value at `cv`; the last one has `lastLength` bytes. What follows the value in an output block goes to OUT + 32. */'
      : '/** The same for two messages whose counters are `step` apart, without the output beyond their values. */',
    `export function compress${n}(${[...head, ...tail].join(', ')}): void {`,
    '  const by16 = v128.load(ROTATE_16), by8 = v128.load(ROTATE_8)',
    ...streams.flatMap((s) => [
      `  let g${s} = v128.load(cv), h${s} = v128.load(cv, 16)`,
      `  let a${s} = g${s}, b${s} = h${s}, c${s} = g${s}, d${s} = g${s}`,
    ]),
    ...(n === 1 ? ['  let e0 = g0, f0 = h0'] : []),
    '  let all = flags | firstFlags, length = 64',
    '  const last = blocks - 1',
    '  for (let block: i32 = 0; block < blocks; block++) {',
    '    if (block == last) { all |= lastFlags; length = lastLength }',
    ...indent(indent(streams.flatMap(loaded))),
    ...streams.flatMap((s) => [
      `    a${s} = g${s}; b${s} = h${s}; c${s} = i32x4(${IV.map((word) => `<i32>${word}`).join(', ')})`,
      `    d${s} = i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(low${s === '1' ? ' + step' : ''}), 1, high), 2, length), 3, all)`,
    ]),
    '    for (let round: i32 = 0; ; round++) {',
    ...indent(indent(indent(roundRows(streams)))),
    '    }',
    ...(n === 1 ? ['    e0 = v128.xor(c0, g0); f0 = v128.xor(d0, h0)'] : []),
    ...streams.map((s) => `    g${s} = v128.xor(a${s}, c${s}); h${s} = v128.xor(b${s}, d${s}); p${s} += 64`),
    '    all = flags',
    '  }',
    ...streams.map((s) => `  v128.store(out${s}, g${s}); v128.store(out${s}, h${s}, 16)`),
    ...(n === 1 ? ['  v128.store(OUT, e0, 32); v128.store(OUT, f0, 48)'] : []),
    '}',
    '',
  ]
}
