import type { Bytes } from './hashing.ts'
import { shared } from './instance.ts'
import { DIGESTS, END, INPUT, RESULT } from './layout.ts'

/** Longest input of a reader, in bytes: what fits the core's memory. */
export const MAX_INPUT = END - INPUT

/** A binary format that the core reads: its name, the reader's export, and the words for the numbers that it refuses with. */
export interface Format {
  readonly name: string
  readonly reader: 'readCertificate' | 'readCrl' | 'readSignature' | 'readQuote'
  /** By number, from 1 on. */
  readonly problems: readonly string[]
  /** By number, from 0 on: the format's parts, outermost first, dots between. */
  readonly paths: readonly string[]
}

/** What a reader found: its fields by number. To be read out before the core is used again. */
export interface Found {
  readonly number: (field: number) => number
  /** The part of the input that a field and the next one name. It aliases the input. */
  readonly range: (field: number) => Bytes
  /** A copy of `length` bytes that lie in the fields themselves, from this one on. */
  readonly copy: (field: number, length: number) => Bytes
  /** A copy of the list beside the fields, of `length` numbers. */
  readonly list: (length: number) => Uint32Array<ArrayBuffer>
}

/**
 * Reads one document of a format.
 *
 * @throws FormatError naming path and offset; UnsupportedError where there is no WebAssembly with SIMD
 */
export const read = ({ name, reader, problems, paths }: Format, input: Bytes): Found => {
  const core = shared()
  if (core === null) throw new UnsupportedError(name)
  if (input.length > MAX_INPUT) throw new FormatError(name, '', 0, `${input.length} bytes, at most ${MAX_INPUT} are read`)
  core.bytes.set(input, INPUT)
  core.exports[reader](INPUT, input.length)
  const { words, bytes } = core
  const problem = words[RESULT >> 2] as number
  if (problem !== 0) {
    const path = words[(RESULT >> 2) + 1] as number
    throw new FormatError(name, paths[path] ?? '', words[(RESULT >> 2) + 2] as number, problems[problem - 1] ?? 'unreadable')
  }
  const number = (field: number): number => words[FIRST + field] as number
  return {
    number,
    range: (field) => input.subarray(number(field), number(field) + number(field + 1)),
    copy: (field, length) => bytes.slice((FIRST + field) << 2, ((FIRST + field) << 2) + length),
    list: (length) => words.slice(DIGESTS >> 2, (DIGESTS >> 2) + length),
  }
}

/** The word of the first field. */
const FIRST = (RESULT >> 2) + 3

/** Bytes that are not a document of the format: `path` names the part, `offset` the byte where it stands. */
export class FormatError extends Error {
  override readonly name = 'Core.FormatError'
  readonly format: string
  readonly path: string
  readonly offset: number
  readonly problem: string

  constructor(format: string, path: string, offset: number, problem: string) {
    super(`${format}${path === '' ? '' : `.${path}`} at ${offset}: ${problem}`)
    this.format = format
    this.path = path
    this.offset = offset
    this.problem = problem
  }
}

/** Nothing reads these bytes here: the engine has no WebAssembly with SIMD, or the page's policy lacks 'wasm-unsafe-eval'. */
export class UnsupportedError extends Error {
  override readonly name = 'Core.UnsupportedError'

  constructor(format: string) {
    super(`a ${format} is read by WebAssembly with SIMD, which this engine or the page's policy ('wasm-unsafe-eval') does not allow`)
  }
}
