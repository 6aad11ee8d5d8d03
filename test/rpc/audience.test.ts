import { describe, expect, it } from 'vitest'
import { type Audience, createAudience } from '../../client/rpc/audience.ts'
import { serveNetwork } from '../../client/rpc/serve.ts'
import { channel, connectPage, fakeHandle, report } from './pages.ts'

// Issue 7, "One worker per origin": visibility is respected. A page says with each report that it has taken whether anybody can see it.

const MINUTE = 60_000

const hall = () => {
  let now = 0
  let returned = 0
  const audience = createAudience(() => now)
  audience.onReturn(() => void returned++)
  const pass = (ms: number): void => {
    now += ms
  }
  return { audience, pass, returned: () => returned }
}

describe('an audience', () => {
  it('is away once all have been hidden for five minutes, and back with the first that is seen', () => {
    const { audience, pass, returned } = hall()
    const [first, second] = [audience.enter(), audience.enter()]
    first.see(true)
    pass(10 * MINUTE)
    expect(audience.isAway()).toBe(false)
    second.see(true)
    pass(4 * MINUTE)
    // Said again: it is hidden no shorter.
    second.see(true)
    pass(MINUTE - 1)
    expect(audience.isAway()).toBe(false)
    pass(1)
    expect([audience.isAway(), returned()]).toEqual([true, 0])
    first.see(false)
    first.see(false)
    expect([audience.isAway(), returned()]).toEqual([false, 1])
  })

  it('is there as long as one of it has said nothing, or nobody is in it', () => {
    const { audience, pass, returned } = hall()
    pass(10 * MINUTE)
    expect(audience.isAway()).toBe(false)
    const [hidden, silent] = [audience.enter(), audience.enter()]
    hidden.see(true)
    pass(10 * MINUTE)
    expect(audience.isAway()).toBe(false)
    silent.leave()
    expect(audience.isAway()).toBe(true)
    // Whoever opens something looks.
    const late = audience.enter()
    expect([audience.isAway(), returned()]).toEqual([false, 1])
    late.leave()
    hidden.leave()
    hidden.see(true)
    pass(10 * MINUTE)
    expect(audience.isAway()).toBe(false)
  })
})

const opened = async (audience: Audience, hidden?: () => boolean) => {
  const { port1, port2 } = channel()
  const fake = fakeHandle()
  const network = {
    open: async () => fake as never,
    evidence: async () => [],
    [Symbol.asyncDispose]: async () => {},
  }
  serveNetwork(port2, async () => network, undefined, audience)
  const page = await connectPage(port1, { bootstrap: ['/x'], channel, ...(hidden && { hidden }) })
  return { fake, handle: await page.open<unknown, unknown>({ name: 'tally.refunds' }, {}) }
}

describe('a page', () => {
  it('is counted as hidden by what it says when it takes a report, and not any more when its handle is closed', async () => {
    const { audience, pass, returned } = hall()
    let isHidden = true
    const { fake, handle } = await opened(audience, () => isHidden)
    const isAway = (): boolean => {
      pass(5 * MINUTE)
      return audience.isAway()
    }
    fake.tell(report('hidden'))
    await expect.poll(isAway).toBe(true)
    isHidden = false
    fake.tell(report('seen'))
    await expect.poll(() => audience.isAway()).toBe(false)
    expect(returned()).toBe(1)
    isHidden = true
    fake.tell(report('hidden again'))
    await expect.poll(isAway).toBe(true)
    await handle[Symbol.asyncDispose]()
    expect(audience.isAway()).toBe(false)
  })

  it('that says nothing of it is seen', async () => {
    const { audience, pass } = hall()
    const { fake, handle } = await opened(audience)
    fake.tell(report('taken'))
    await expect.poll(() => handle.state.detail).toBe('taken')
    await handle.latest()
    pass(10 * MINUTE)
    expect(audience.isAway()).toBe(false)
  })
})
