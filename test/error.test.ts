import { MessageChannel } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { CoalitionError, type Facts, fromWire, isError, toWire, type WireError } from '../client/error.ts'
import { DecodeError, decode, u8 } from '../client/primitives/codec.ts'

/** What the other end of a real channel receives. */
const across = <T>(value: T): Promise<T> =>
  new Promise((resolve, reject) => {
    const { port1, port2 } = new MessageChannel()
    port2.once('message', (received: T) => {
      port1.close()
      resolve(received)
    })
    port2.once('messageerror', reject)
    port1.postMessage(value)
  })
const revived = async (error: unknown): Promise<CoalitionError> => fromWire(await across(toWire(error)))

const facts = {
  text: 'ünï\ufeff',
  count: 3,
  height: 2n ** 64n - 1n,
  negative: -5n,
  half: 0.5,
  yes: true,
  none: null,
  id: Uint8Array.of(1, 2, 255),
  list: [1, 'two', [3n, null], { deep: false }],
  group: { name: 'tally', members: { n: 7 } },
} satisfies Facts

describe('an error', () => {
  it('is named by its code and tells its facts, also as fields', () => {
    const error = new CoalitionError('Network.ConnectTimeoutError', 'nobody answered', facts, { cause: new Error('why') })
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toBe('Network.ConnectTimeoutError: nobody answered')
    expect(error.facts).toEqual(facts)
    expect(error).toMatchObject({ ...facts, cause: new Error('why') })
    expect(Object.keys(error)).toEqual(Object.keys(facts))
    expect(error.stack).toContain('nobody answered')
  })

  it('has no cause that nobody gave', () => {
    expect('cause' in new CoalitionError('A.BError', '')).toBe(false)
    expect('cause' in new CoalitionError('A.BError', '', {}, {})).toBe(false)
  })

  it('keeps what every error has, whatever its facts are called', () => {
    const odd = { name: 'x', message: 'x', stack: 'x', cause: 'x', errors: 'x', facts: 'x', toString: 'x', constructor: 'x' }
    const error = new CoalitionError('A.BError', 'message', odd)
    expect(error.facts).toEqual(odd)
    expect(Object.keys(error)).toEqual([])
    expect(String(error)).toBe('A.BError: message')
    expect('cause' in error || 'errors' in error).toBe(false)
  })

  it('is matched by name, not by class', () => {
    const error: unknown = new CoalitionError('A.BError', '', { at: 1 })
    expect(isError(error, 'A.BError') && error.facts.at).toBe(1)
    expect(isError({ name: 'A.BError', message: '' }, 'A.BError')).toBe(true)
    expect(isError(error, 'A.B')).toBe(false)
    expect(isError(new TypeError('x'), 'TypeError')).toBe(true)
    for (const other of [null, undefined, 'A.BError', { name: 'A.BError' }, () => {}]) expect(isError(other, 'A.BError')).toBe(false)
    if (isError(error, 'A.BError')) expectTypeOf(error).toExtend<CoalitionError>()
    if (isError(error, 'AbortError')) expectTypeOf(error).not.toExtend<CoalitionError>()
  })
})

describe('ERR-07 across a real MessageChannel', () => {
  it('name, message, stack text and facts of every kind arrive', async () => {
    const error = new CoalitionError('Network.ConnectTimeoutError', 'nobody answered', facts)
    const copy = await revived(error)
    expect(copy).toBeInstanceOf(CoalitionError)
    expect(copy.name).toBe('Network.ConnectTimeoutError')
    expect(copy.message).toBe('nobody answered')
    expect(copy.stack).toBe(error.stack)
    expect(copy.facts).toEqual(facts)
    expect(copy).toMatchObject(facts)
  })

  it('a subclass arrives with its fields and is found by its name', async () => {
    const error = await revived(thrown(() => decode(u8, Uint8Array.of())))
    expect(error).not.toBeInstanceOf(DecodeError)
    expect(isError(error, 'Codec.DecodeError')).toBe(true)
    expect(error).toMatchObject({ type: 'u8', path: 'u8', offset: 0, cause: { name: 'Error' } })
  })

  it('the chain of causes arrives, each with its own facts', async () => {
    const lowest = new RangeError('third')
    const middle = new CoalitionError('B.SecondError', 'second', { n: 2n }, { cause: lowest })
    const copy = await revived(new CoalitionError('A.FirstError', 'first', { n: 1n }, { cause: middle }))
    expect(copy.cause).toMatchObject({ name: 'B.SecondError', n: 2n, cause: { name: 'RangeError', message: 'third', stack: lowest.stack } })
    expect('cause' in ((copy.cause as Error).cause as Error)).toBe(false)
  })

  it('the errors of an AggregateError arrive, in order', async () => {
    const error = new AggregateError([new CoalitionError('A.BError', 'one', { n: 1 }), new TypeError('two'), 'three'], 'all failed')
    const copy = await revived(new CoalitionError('A.OuterError', '', {}, { cause: error }))
    expect(copy.cause).toMatchObject({ name: 'AggregateError', message: 'all failed' })
    expect((copy.cause as CoalitionError).errors).toMatchObject([
      { name: 'A.BError', message: 'one', n: 1 },
      { name: 'TypeError', message: 'two' },
      { name: 'Error', message: 'three' },
    ])
    expect(copy.errors).toBeUndefined()
  })

  it('platform errors keep their name, and their code where it is a text', async () => {
    const abort = AbortSignal.abort().reason as DOMException
    expect(await revived(abort)).toMatchObject({ name: 'AbortError', message: abort.message, facts: {} })
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED', address: '127.0.0.1', token: 'secret' })
    expect((await revived(refused)).facts).toEqual({ code: 'ECONNREFUSED' })
    class OddError extends TypeError {}
    expect((await revived(new OddError('odd'))).name).toBe('TypeError')
  })

  it.each([
    ['text', 'text'],
    [7, '7'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('s'), 'Symbol(s)'],
    [{ message: 'like an error' }, 'like an error'],
    [Object.create(null), ''],
    [{ name: 5, message: {}, stack: [], facts: 'no' }, ''],
  ])('what was thrown without being an error arrives too: %o', async (value, message) => {
    expect(await revived(value)).toMatchObject({ name: 'Error', message, facts: {} })
  })

  it('facts that cannot be cloned, and errors that cannot be read, do not stop the rest', async () => {
    const wild = { f: () => {}, s: Symbol('s'), u: undefined, d: new Date(0), ok: 1 } as unknown as Facts
    expect((await revived(new CoalitionError('A.BError', 'm', wild))).facts).toEqual({ d: {}, ok: 1 })
    const mine = (): never => {
      throw new Error('mine')
    }
    const traps = Object.defineProperties({ message: 'm' }, { name: { get: mine }, stack: { get: mine }, cause: { get: mine } })
    expect(await revived(traps)).toMatchObject({ name: 'Error', message: 'm' })
    const proxy = { name: 'A.BError', message: 'm', facts: new Proxy({}, { ownKeys: mine }) }
    expect(await revived(proxy)).toMatchObject({ name: 'Error', message: 'an error that cannot be read' })
  })
})

describe('a hostile wire error', () => {
  const wire = (over: object): WireError => ({ name: 'A.BError', message: 'm', stack: 's', facts: {}, ...over }) as WireError
  const depth = (error: Error): number => (error.cause instanceof Error ? 1 + depth(error.cause) : 0)
  const count = (value: unknown): number =>
    typeof value !== 'object' || value === null ? 1 : Object.values(value).reduce<number>((sum, item) => sum + count(item), 1)

  it('has at most 8 causes, when they go on for ever too', async () => {
    const ring = wire({}) as { cause?: unknown }
    ring.cause = ring
    expect(depth(fromWire(await across(ring as WireError)))).toBe(8)
    const own = new Error('own')
    own.cause = own
    expect(depth(await revived(own))).toBe(8)
  })

  it('has at most 4,096 characters or bytes in one value', () => {
    const long = 'x'.repeat(100_000)
    const error = fromWire(wire({ name: long, message: long, stack: long, facts: { [long]: 1, long, bytes: new Uint8Array(100_000) } }))
    for (const text of [error.name, error.message, error.stack, error.facts.long, ...Object.keys(error.facts)]) {
      expect(String(text).length).toBeLessThanOrEqual(4096)
    }
    expect(error.message).toBe(`${'x'.repeat(4095)}…`)
    expect(error.facts.bytes).toHaveLength(4096)
  })

  it('keeps its cause, however much its facts take', () => {
    const facts = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`f${i}`, 'x'.repeat(4000)]))
    const error = fromWire(wire({ facts, cause: wire({ message: 'why' }) }))
    expect(error.cause).toMatchObject({ name: 'A.BError', message: 'why' })
    expect(Object.keys(error.facts).length).toBeLessThan(20)
  })

  it('has at most 64 facts or errors in one place and 16 levels', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i]))
    expect(Object.keys(fromWire(wire({ facts: many })).facts)).toHaveLength(64)
    expect(fromWire(wire({ facts: { list: Array.from({ length: 100 }, () => 0) } })).facts.list).toHaveLength(64)
    expect(fromWire(wire({ errors: Array.from({ length: 100 }, () => wire({})) })).errors).toHaveLength(64)
    const nested = (levels: number): object => (levels === 0 ? {} : { in: nested(levels - 1) })
    const levels = (value: unknown): number => (typeof value === 'object' && value !== null && 'in' in value ? 1 + levels(value.in) : 0)
    expect(levels(fromWire(wire({ facts: nested(12) })).facts)).toBe(12)
    expect(levels(fromWire(wire({ facts: nested(100) })).facts)).toBe(16)
  })

  it('that shares its parts, and so means 64^16 of them, is bounded as a whole', async () => {
    let shared: unknown = 'x'.repeat(50)
    for (let i = 0; i < 16; i++) shared = Array.from({ length: 64 }, () => shared)
    const error = fromWire(await across(wire({ facts: { shared } })))
    expect(count(error.facts)).toBeLessThan(10_000)
    let errors: unknown = wire({})
    for (let i = 0; i < 8; i++) errors = wire({ errors: Array.from({ length: 64 }, () => errors), cause: errors })
    const all = (error: CoalitionError): number =>
      [...(error.errors ?? []), error.cause].reduce<number>((sum, one) => sum + (one instanceof CoalitionError ? all(one) : 0), 1)
    expect(all(fromWire(errors as WireError))).toBeLessThan(300)
  })

  it('has no integers that take for ever to print', () => {
    const error = fromWire(wire({ facts: { wide: 1n << 100_000n, below: -(1n << 511n), chain: 2n ** 256n - 1n } }))
    expect(error.facts).toEqual({ below: -(1n << 511n), chain: 2n ** 256n - 1n })
  })

  it('cannot reach a prototype', () => {
    const error = fromWire(JSON.parse('{"name":"A","message":"","stack":"","facts":{"__proto__":{"polluted":1},"constructor":{"a":1}}}'))
    expect(Object.keys(error.facts)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(error.facts)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(error)).toBe(CoalitionError.prototype)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  it('of any shape at all is revived as some error, and the same one the second time', () => {
    const shape = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withTypedArray: true,
      withSparseArray: true,
    })
    const part = { requiredKeys: [] }
    const like = fc.record({ name: shape, message: shape, stack: shape, facts: shape, cause: shape, errors: shape }, part)
    fc.assert(
      fc.property(
        fc.oneof(
          shape,
          like,
          fc.array(like).map((errors) => ({ errors, cause: errors[0] })),
        ),
        (value) => {
          const error = fromWire(value as WireError)
          expect(error).toBeInstanceOf(CoalitionError)
          const packed = toWire(error)
          // Errors without a stack get one where they are revived; all else is settled the first time.
          expect(plain(toWire(fromWire(packed)))).toEqual(plain(packed))
          structuredClone(packed)
        },
      ),
      { numRuns: 200 },
    )
  })
})

const plain = (wire: WireError): unknown =>
  JSON.parse(JSON.stringify(wire, (key, value) => (key === 'stack' ? undefined : typeof value === 'bigint' ? `${value}n` : value)))

const thrown = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
