import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isError } from '../../client/error.ts'
import { serveNetwork } from '../../client/rpc/serve.ts'
import { attached, LIMITS, type Port } from '../../client/rpc/wire.ts'
import { cloneable, id } from './cloneable.ts'
import { channel, deferred, fakeHandle, report, verified } from './pages.ts'

// An unhandled rejection or an uncaught exception fails the run: whatever comes through a port stays that port's problem.

/** Everything that comes out of a port, and a way to wait for more. */
const listen = (port: Port) => {
  const heard: { readonly kind?: unknown; readonly id?: unknown; readonly error?: unknown; readonly value?: unknown }[] = []
  const closed = deferred()
  port.onmessage = ({ data }: { readonly data: (typeof heard)[number] }) => {
    heard.push(data)
    if (data.kind === 'close') closed.resolve()
  }
  return { heard, closed: closed.promise, answer: (id: number) => expect.poll(() => heard.find((each) => each.id === id)) }
}

/** A served port, with the page's end in hostile hands. */
const served = (ready: Promise<unknown> = Promise.resolve()) => {
  const { port1, port2 } = channel()
  const handles: ReturnType<typeof fakeHandle>[] = []
  const over = deferred()
  serveNetwork(port2, async () => {
    await ready
    return {
      open: async () => {
        const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
        const { since } = fakeHandle()
        const handle = fakeHandle({ since: (position) => (position === 0n ? never : since(position)) })
        handles.push(handle)
        return handle as never
      },
      evidence: async () => [],
      [Symbol.asyncDispose]: async () => over.resolve(),
    }
  })
  return { port: port1, handles, over: over.promise, ...listen(port1) }
}

const connect = { kind: 'call', id: 1, method: 'connect', args: [{ bootstrap: ['/x'] }] }

const word = fc.constantFrom('connect', 'open', 'dispose', 'latest', 'ask', 'iterate', 'since', '__proto__', 'constructor', 'toString', '')
const ask = fc.record(
  {
    kind: fc.oneof(fc.constantFrom('call', 'stream', 'credit', 'abort', 'seen', 'close'), cloneable),
    id,
    method: fc.oneof(word, cloneable),
    args: fc.oneof(fc.array(cloneable, { maxLength: 5 }), cloneable),
    credit: fc.oneof(fc.integer({ min: -1, max: 20 }), cloneable),
    n: fc.oneof(fc.integer({ min: -1, max: 20 }), cloneable),
    reason: cloneable,
  },
  { requiredKeys: ['kind'] },
)

describe('what a page may send', () => {
  it('is answered or ends its own port, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(fc.oneof(ask, cloneable), { minLength: 1, maxLength: 12 }), async (first, messages) => {
        const page = served()
        if (first) page.port.postMessage(connect)
        for (const message of messages) page.port.postMessage(message)
        page.port.postMessage({ kind: 'close' })
        // Closing the port on this side is heard too, whatever came before.
        page.port.close()
        if (first) await page.over
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['no message', 'hello'],
    ['an unknown kind', { kind: 'toString' }],
    ['an id of zero', { ...connect, id: 0 }],
    ['an id twice', connect, connect],
    ['a list that is none', { ...connect, args: { length: 1 } }],
    ['more arguments than any method has', { ...connect, args: [1, 2, 3, 4, 5] }],
    ['a port that is none', { ...connect, port: {} }],
    ['no credit', { kind: 'stream', id: 3, method: 'x', args: [], credit: 0 }],
    ['a report that was seen and said so in words', { kind: 'seen', hidden: 'yes' }],
    ['endless credit', { kind: 'stream', id: 3, method: 'x', args: [], credit: Number.POSITIVE_INFINITY }],
  ])('ends its port for %s', async (_, ...messages) => {
    const page = served(new Promise(() => {}))
    for (const message of messages) page.port.postMessage(message)
    await page.closed
    const { error } = page.heard.at(-1) ?? {}
    expect(isError(error, 'Rpc.MessageError')).toBe(true)
  })

  it.each([
    ['no options', []],
    ['no list', [{ bootstrap: 'x' }]],
    ['an endless list', [{ bootstrap: Array.from({ length: 257 }, () => '/x') }]],
    ['an endless list of transports', [{ bootstrap: [], transports: Array.from({ length: 17 }, () => 'ws') }]],
    ['an endless address', [{ bootstrap: ['x'.repeat(513)] }]],
    ['a number of liars that is none', [{ bootstrap: [], withstand: -1 }]],
    ['a network that is no text', [{ bootstrap: [], network: 1 }]],
    ['a storage that is neither on nor off', [{ bootstrap: [], storage: 'no' }]],
  ])('is refused as options: %s', async (_, args) => {
    const page = served()
    page.port.postMessage({ ...connect, args })
    await page.answer(1).toMatchObject({ kind: 'fail', error: { name: 'Rpc.MessageError' } })
  })

  it.each([
    ['open before connect', { method: 'open' }],
    ['a method that is inherited', { method: 'toString' }],
    ['open without a port', { method: 'open' }, true],
    ['connect twice', { method: 'connect' }, true],
  ])('is refused: %s', async (_, message, first = false) => {
    const page = served()
    if (first) page.port.postMessage(connect)
    page.port.postMessage({ ...connect, ...message, id: 2 })
    await page.answer(2).toMatchObject({ kind: 'fail', error: { name: 'Rpc.MessageError' } })
  })

  const openHandle = async () => {
    const page = served()
    const { port1, port2 } = channel()
    page.port.postMessage(connect)
    page.port.postMessage({ kind: 'call', id: 2, method: 'open', args: ['x', {}, {}], port: port2 }, [port2])
    await page.answer(2).toMatchObject({ kind: 'done', value: report() })
    return { page, port: port1, ...listen(port1) }
  }

  it.each([
    ['a position below zero', { kind: 'stream', method: 'since', args: [-1n], credit: 1 }],
    ['a position past u64', { kind: 'stream', method: 'since', args: [1n << 64n], credit: 1 }],
    ['a position that is a number', { kind: 'stream', method: 'since', args: [1], credit: 1 }],
    ['a question that is no text', { kind: 'call', method: 'ask', args: [{}] }],
    ['a stream by a call’s name', { kind: 'stream', method: 'ask', args: ['x'], credit: 1 }],
  ])('is refused on a handle: %s', async (_, message) => {
    const handle = await openHandle()
    handle.port.postMessage({ ...message, id: 1 })
    await handle.answer(1).toMatchObject({ kind: 'fail', error: { name: 'Rpc.MessageError' } })
    handle.port.postMessage({ kind: 'call', id: 2, method: 'ask', args: ['of', 1] })
    await handle.answer(2).toMatchObject({ kind: 'done', value: verified(['of', 1]) })
  })

  it('leaves nothing open behind a handle that was disposed of', async () => {
    const handle = await openHandle()
    handle.port.postMessage({ kind: 'call', id: 1, method: 'dispose', args: [] })
    await handle.closed
    expect(handle.page.handles[0]?.disposed).toBe(1)
  })

  it('does not make the Worker run ahead of its credit', async () => {
    const handle = await openHandle()
    handle.port.postMessage({ kind: 'stream', id: 1, method: 'iterate', args: [], credit: 2 })
    handle.port.postMessage({ kind: 'credit', id: 1, n: 3 })
    await expect.poll(() => handle.heard.filter(({ kind }) => kind === 'item')).toHaveLength(5)
    handle.port.postMessage({ kind: 'call', id: 2, method: 'latest', args: [] })
    await handle.answer(2).toBeDefined()
    expect(handle.heard.filter(({ kind }) => kind === 'item')).toHaveLength(5)
    // A source that has nothing to give uses no credit: one window can be held, and no more.
    handle.port.postMessage({ kind: 'stream', id: 3, method: 'since', args: [0n], credit: LIMITS.credit })
    handle.port.postMessage({ kind: 'credit', id: 3, n: 2 })
    await handle.closed
    expect(isError(handle.heard.at(-1)?.error, 'Rpc.MessageError')).toBe(true)
    await expect.poll(() => handle.page.handles[0]?.disposed).toBe(1)
  })

  it('does not pile up work by asking and giving up', async () => {
    const { port1, port2 } = channel()
    let running = 0
    serveNetwork(port2, () => {
      running++
      return new Promise(() => {})
    })
    const page = listen(port1)
    for (let id = 1; id <= 1_000; id++) {
      port1.postMessage({ ...connect, id })
      port1.postMessage({ kind: 'abort', id, reason: {} })
    }
    port1.postMessage({ ...connect, id: 1_001 })
    await page.answer(1_001).toBeDefined()
    expect(running).toBe(1)
  })
})

it('an attach message is one with a port, and nothing else', () => {
  const { port1 } = channel()
  expect(attached({ coalition: 'attach/1', port: port1 })).toBe(port1)
  for (const other of [
    null,
    1,
    'attach/1',
    {},
    { coalition: 'attach/1' },
    { coalition: 'attach/1', port: {} },
    { coalition: 'x', port: port1 },
  ])
    expect(attached(other)).toBe(null)
  port1.close()
})
