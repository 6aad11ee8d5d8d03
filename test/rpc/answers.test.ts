import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isError } from '../../client/error.ts'
import { Caller } from '../../client/rpc/caller.ts'
import { LIMITS } from '../../client/rpc/wire.ts'
import { cloneable, id } from './cloneable.ts'
import { channel, connectPage, deferred } from './pages.ts'

describe('what a Worker may answer', () => {
  const answer = fc.record(
    {
      kind: fc.oneof(fc.constantFrom('done', 'fail', 'item', 'end', 'push', 'close'), cloneable),
      id,
      value: cloneable,
      error: cloneable,
    },
    { requiredKeys: ['kind'] },
  )

  it('settles or ends the page’s requests, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(answer, cloneable), { minLength: 1, maxLength: 12 }), async (messages) => {
        const { port1, port2 } = channel()
        const connecting = connectPage(port1, { bootstrap: [], channel }).then(
          () => 'open',
          () => 'failed',
        )
        for (const message of messages) port2.postMessage(message)
        port2.close()
        expect(['open', 'failed']).toContain(await connecting)
      }),
      { numRuns: 300 },
    )
  })

  it('ends the port when it sends more than was asked for', async () => {
    const { port1, port2 } = channel()
    const closed = deferred()
    const stream = new Caller(port1, { closed: () => closed.resolve() }).stream(() => ['x', []])
    const first = stream.next()
    for (let i = 0; i < 3 * LIMITS.credit; i++) port2.postMessage({ kind: 'item', id: 1, value: i })
    expect(await first).toEqual({ done: false, value: 0 })
    await closed.promise
    for (let i = 1; i < LIMITS.credit; i++) expect((await stream.next()).value).toBe(i)
    const error: unknown = await stream.next().catch((reason: unknown) => reason)
    expect(isError(error, 'Network.ShutdownError') && isError(error.cause, 'Rpc.MessageError')).toBe(true)
  })
})
