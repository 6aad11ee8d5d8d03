import { describe, expect, it } from 'vitest'
import { CoalitionError, isError } from '../../client/error.ts'
import { serveNetwork } from '../../client/rpc/serve.ts'
import { check } from '../../client/verify/checks.ts'
import { EvidenceError, verdict } from '../../client/verify/verdict.ts'
import { channel, connected, connectPage, deferred, fakeHandle, opened, report, thrown, verified } from './pages.ts'

describe('values', () => {
  it('cross with their types, options and names with them', async () => {
    const page = await connected(async (surface, config, options) => {
      expect(surface).toEqual({ name: 'tally.refunds' })
      expect(config).toEqual({ chainId: 1n, hash: Uint8Array.of(1, 2) })
      expect(options).toMatchObject({ timeout: 5, withstand: 2 })
      return fakeHandle() as never
    })
    expect(page.served.options).toMatchObject({ bootstrap: ['/ip4/127.0.0.1/tcp/1/ws'] })
    const handle = await page.network.open(
      { name: 'tally.refunds' },
      { chainId: 1n, hash: Uint8Array.of(1, 2) },
      { timeout: 5, withstand: 2 },
    )
    expect(await handle.latest()).toEqual(verified(1n))
    expect(await handle.ask('of', Uint8Array.of(9))).toEqual(verified(['of', Uint8Array.of(9)]))
  })

  it('cross as a bootstrap list of 64 members with four addresses each', async () => {
    const { port1, port2 } = channel()
    const bootstrap = Array.from({ length: 256 }, (_, i) => `/ip4/127.0.0.1/tcp/${i}/ws`)
    let given: readonly string[] = []
    serveNetwork(port2, async (options) => {
      given = options.bootstrap
      return { open: async () => fakeHandle() as never, evidence: async () => [], [Symbol.asyncDispose]: async () => {} }
    })
    await connectPage(port1, { bootstrap, channel })
    expect(given).toEqual(bootstrap)
  })

  it('that were exported, and proofs against a committee, cross as the plain JSON that they are', async () => {
    const { network, handle } = await opened()
    expect(await handle.export({ question: 'of', argument: Uint8Array.of(9) })).toEqual({
      subject: { question: 'of', argument: Uint8Array.of(9) },
    })
    expect(await network.evidence()).toEqual([{ kind: 'equivocation' }])
  })

  it('pass disclosure only when it was asked for', async () => {
    const asked: unknown[] = []
    const { handle } = await opened({
      ask: async (_, __, options) => {
        asked.push(options?.disclose)
        return verified(null) as never
      },
    })
    await handle.ask('of', 1)
    await handle.ask('of', 1, { disclose: true })
    expect(asked).toEqual([false, true])
  })

  it('that cannot be cloned fail their own request only, on either side', async () => {
    const { handle } = await opened({
      latest: async () => verified(() => 1) as never,
      since: async function* () {
        yield verified(1)
        yield verified(() => 1)
      } as never,
    })
    expect(isError(await thrown(handle.ask('of', () => 1)), 'DataCloneError')).toBe(true)
    expect(isError(await thrown(handle.latest()), 'DataCloneError')).toBe(true)
    const items = handle.since(0n)[Symbol.asyncIterator]()
    expect((await items.next()).done).toBe(false)
    expect(isError(await thrown(items.next()), 'DataCloneError')).toBe(true)
    expect(await handle.ask('of', 1)).toEqual(verified(['of', 1]))
  })
})

describe('errors', () => {
  const refused = new EvidenceError(
    verdict({ checks: [check('item.inclusion', 'failed', 'aa', 'bb')], assumes: 'x', disclosed: 'nothing', at: null }),
    { cause: new CoalitionError('Codec.DecodeError', 'no', { path: 'Header.view', offset: 3 }, { cause: new RangeError('deep') }) },
  )

  it('come whole: name, message, facts as fields, stack and causes', async () => {
    const { handle } = await opened({ latest: () => Promise.reject(refused) })
    const error = (await thrown(handle.latest())) as EvidenceError
    expect(isError(error, 'Verify.EvidenceError')).toBe(true)
    expect(error.message).toBe(refused.message)
    expect(error.verdict).toEqual(refused.verdict)
    expect(error.stack).toContain('EvidenceError')
    expect(isError(error.cause, 'Codec.DecodeError') && error.cause.facts).toEqual({ path: 'Header.view', offset: 3 })
    expect((error.cause as Error).cause).toMatchObject({ name: 'RangeError', message: 'deep' })
  })

  it('end a stream after the items before them, once', async () => {
    const { handle } = await opened({
      since: async function* () {
        yield verified(1n)
        throw refused
      } as never,
    })
    const items = handle.since(0n)[Symbol.asyncIterator]()
    expect(await items.next()).toEqual({ done: false, value: verified(1n) })
    expect(isError(await thrown(items.next()), 'Verify.EvidenceError')).toBe(true)
    expect(await items.next()).toEqual({ done: true, value: undefined })
  })

  it('of opening reach the page, which may then open again', async () => {
    let times = 0
    const { network } = await connected(async () => {
      if (times++ === 0) throw refused
      return fakeHandle() as never
    })
    expect(isError(await thrown(network.open({ name: 'x' }, {})), 'Verify.EvidenceError')).toBe(true)
    expect((await network.open({ name: 'x' }, {})).state).toEqual(report())
  })
})

describe('an AbortSignal', () => {
  it('crosses with its reason, and the caller gets its own reason back', async () => {
    const seen = deferred<unknown>()
    const { handle } = await opened({
      latest: (options) =>
        new Promise((_, reject) => {
          options?.signal?.addEventListener('abort', () => {
            seen.resolve(options.signal?.reason)
            reject(options.signal?.reason)
          })
        }),
    })
    const controller = new AbortController()
    const answer = thrown(handle.latest({ signal: controller.signal }))
    const reason = new CoalitionError('Test.StopError', 'enough', { n: 1n })
    controller.abort(reason)
    expect(await answer).toBe(reason)
    expect(await seen.promise).toMatchObject({ name: 'Test.StopError', facts: { n: 1n } })
  })

  it('that was aborted before sends nothing', async () => {
    let asked = 0
    const { handle } = await opened({
      latest: async () => {
        asked++
        return verified(null)
      },
    })
    expect(await thrown(handle.latest({ signal: AbortSignal.abort('no') }))).toBe('no')
    await handle.ask('of', 1)
    expect(asked).toBe(0)
  })

  it('ends a stream and its source, though the source waits for what never comes', async () => {
    const ended = deferred()
    const { handle } = await opened({
      since: () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise(() => {}),
          return: async () => {
            ended.resolve()
            return { done: true, value: undefined }
          },
        }),
      }),
    })
    const controller = new AbortController()
    const next = thrown(handle.since(0n, { signal: controller.signal })[Symbol.asyncIterator]().next())
    controller.abort('stop')
    expect(await next).toBe('stop')
    await ended.promise
  })

  it('closes a handle that opens after nobody waits for it', async () => {
    const opening = deferred<unknown>()
    const started = deferred()
    const { network } = await connected(() => {
      started.resolve()
      return opening.promise as never
    })
    const controller = new AbortController()
    const open = thrown(network.open({ name: 'x' }, {}, { signal: controller.signal }))
    await started.promise
    controller.abort('late')
    expect(await open).toBe('late')
    const handle = fakeHandle()
    // Behind the abort, which is on its way already.
    await network[Symbol.asyncDispose]()
    opening.resolve(handle)
    await expect.poll(() => handle.disposed).toBe(1)
  })
})
