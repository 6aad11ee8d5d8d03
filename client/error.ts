import type { Bytes } from './primitives/bytes.ts'

/** What a fact may be: what a structured clone carries and a person can read. Bytes are copied on the way, numbers keep their kind. */
export type FactValue = string | number | bigint | boolean | null | Bytes | readonly FactValue[] | Facts

/** Named values that an error is about. No secrets: they end in logs, in bug reports and on other people's screens. */
export interface Facts {
  readonly [name: string]: FactValue
}

/** An error as it crosses a port: plain data. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly facts: Facts
  readonly cause?: WireError
  readonly errors?: readonly WireError[]
}

// Bounds of what is written and what is revived. A wire error may come from a peer through a worker's port, and structured clone keeps
// shared and circular references, so a few hundred bytes can describe a tree of any size. BUDGET bounds the whole of it, in characters.
const CAUSES = 8
const LEVELS = 16
const WIDTH = 64
const TEXT = 4096
const BUDGET = 65_536
// What a fact and an error cost beside their text, so that empty ones are not free; reviving an error takes about 15 µs, a fact none.
const ITEM = 8
const ERROR = 256
// Bits of a bigint fact: twice the widest integer of the chain.
const WIDEST = 512

/**
 * The one base class. `name` is the code, dotted by place ('Codec.DecodeError'), and errors are told apart by it and not by class: a
 * revived error has another class in another realm. Facts are readable as fields too, except where `Error` has a field of that name.
 *
 * @see ARCHITECTURE.md section 2, "Errors"
 */
export class CoalitionError extends Error {
  declare readonly facts: Facts
  declare readonly errors?: readonly Error[]

  constructor(name: string, message: string, facts: Facts = {}, options: { readonly cause?: unknown } = {}) {
    // An own cause of undefined would be printed, and read as a cause that somebody lost.
    super(message, options.cause === undefined ? {} : options)
    // Not enumerable: an inspector prints the fields, and would print every fact twice.
    Object.defineProperty(this, 'name', { value: name, configurable: true, writable: true })
    Object.defineProperty(this, 'facts', { value: facts })
    for (const key of Object.keys(facts)) {
      // A revived fact named toString or stack must not take the place of what every caller of an error relies on.
      if (key in this || key === 'cause' || key === 'errors') continue
      Object.defineProperty(this, key, { value: facts[key], enumerable: true, configurable: true, writable: true })
    }
  }
}

/**
 * Whether this is the error of that name, whichever class or realm it comes from.
 *
 * @example if (isError(error, 'Codec.DecodeError')) show(error.facts.path)
 */
export const isError = <const N extends string>(
  error: unknown,
  name: N,
): error is (N extends `${string}.${string}` ? CoalitionError : Error) & { readonly name: N } =>
  isObject(error) && field(error, 'name') === name && typeof field(error, 'message') === 'string'

/**
 * Any thrown value as plain data that a port carries whole: name, message, stack text, facts, causes and the errors of an `AggregateError`.
 * Platform errors keep their name and a textual `code`. Never throws. Kept: 8 causes, 64 errors or facts in one place, 16 levels of facts,
 * 4,096 characters or bytes of one value and about 65,536 of all; what is beyond is left out.
 */
export const toWire = (error: unknown): WireError => {
  try {
    return flatten(error, { left: BUDGET }, 0)
  } catch {
    // A proxy that refuses to name its keys, for one. That something was thrown is still worth telling.
    return { name: 'Error', message: 'an error that cannot be read', stack: '', facts: {} }
  }
}

/**
 * The error that a wire error describes, causes revived too, `stack` being the thrower's. Never throws, whatever `wire` holds, and stays
 * within the bounds of {@link toWire}.
 */
export const fromWire = (wire: WireError): CoalitionError => revive(toWire(wire))

interface Budget {
  left: number
}

// Errors and wire errors have the same fields, so one function serves both ways and both ends keep to the same bounds.
const flatten = (error: unknown, budget: Budget, depth: number): WireError => {
  budget.left -= ERROR
  const facts = field(error, 'facts')
  const code = field(error, 'code')
  const flat = {
    name: text(field(error, 'name'), budget) || 'Error',
    message: text(spoken(error), budget),
    stack: text(field(error, 'stack'), budget),
    facts: record(isObject(facts) ? facts : typeof code === 'string' ? { code } : {}, budget, 1),
  }
  // Not held against the budget: many facts are no reason to lose the cause, and there are at most CAUSES of them.
  if (depth >= CAUSES) return flat
  const cause = field(error, 'cause')
  const errors = field(error, 'errors')
  return {
    ...flat,
    ...(cause === undefined || cause === null ? {} : { cause: flatten(cause, budget, depth + 1) }),
    ...(Array.isArray(errors) ? { errors: list(errors, budget, (item) => flatten(item, budget, depth + 1)) } : {}),
  }
}

const revive = (wire: WireError): CoalitionError => {
  const options = wire.cause === undefined ? {} : { cause: revive(wire.cause) }
  const error = new CoalitionError(wire.name, wire.message, wire.facts, options)
  if (wire.stack !== '') Object.defineProperty(error, 'stack', { value: wire.stack, configurable: true, writable: true })
  if (wire.errors) Object.defineProperty(error, 'errors', { value: wire.errors.map(revive) })
  return error
}

// A thrown value can be anything, a proxy or an object with getters that throw included.
const field = (value: unknown, key: string): unknown => {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[key]
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const spoken = (error: unknown): unknown => (isObject(error) ? field(error, 'message') : String(error))

const text = (value: unknown, budget: Budget): string => {
  if (typeof value !== 'string') return ''
  const kept = value.length > TEXT ? `${value.slice(0, TEXT - 1)}…` : value
  budget.left -= kept.length
  return kept
}

const list = <T>(items: readonly unknown[], budget: Budget, one: (item: unknown) => T | undefined): T[] => {
  const kept: T[] = []
  for (let i = 0; i < items.length && i < WIDTH && budget.left > 0; i++) {
    const item = one(items[i])
    if (item !== undefined) kept.push(item)
  }
  return kept
}

const record = (value: object, budget: Budget, level: number): Facts => {
  const entry = (name: unknown): readonly [string, FactValue] | undefined => {
    const kept = fact(field(value, name as string), budget, level)
    return kept === undefined ? undefined : [text(name, budget), kept]
  }
  // fromEntries defines what it is given: a fact named __proto__ stays a fact.
  return Object.fromEntries(list(Object.keys(value), budget, entry))
}

const fact = (value: unknown, budget: Budget, level: number): FactValue | undefined => {
  budget.left -= ITEM
  if (typeof value === 'string') return text(value, budget)
  // A cloned bigint may have millions of digits, and printing one takes a time that grows faster than its length.
  if (typeof value === 'bigint') return BigInt.asIntN(WIDEST, value) === value ? value : undefined
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
  if (typeof value !== 'object' || level > LEVELS) return undefined
  if (value instanceof Uint8Array) {
    const kept = new Uint8Array(value.subarray(0, TEXT))
    budget.left -= kept.length
    return kept
  }
  if (Array.isArray(value)) return list(value, budget, (item) => fact(item, budget, level + 1))
  return record(value, budget, level + 1)
}
