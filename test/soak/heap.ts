import type { CDPSession, Page } from 'playwright'

// What lives in a tab after a collection, by the DevTools protocol: https://chromedevtools.github.io/devtools-protocol/.

/** Bytes in use after a full collection. */
export interface Heap {
  readonly page: number
  /** All Workers of the page together. */
  readonly workers: number
}

/** Measures a page's heap and those of its Workers, as often as it is called. It does not throw: null is a page that does not answer. */
export type Heapmeter = () => Promise<Heap | null>

export const heapmeter = async (page: Page): Promise<Heapmeter> => {
  const session = await page.context().newCDPSession(page)
  const workers = await attachWorkers(session)
  await session.send('Performance.enable')
  return async () => {
    try {
      await session.send('HeapProfiler.collectGarbage')
      const { metrics } = await session.send('Performance.getMetrics')
      const used = metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value
      return used === undefined ? null : { page: used, workers: await workers() }
    } catch {
      return null
    }
  }
}

interface Answer {
  readonly id?: number
  readonly result?: { readonly usedSize?: number }
  readonly error?: { readonly message: string }
}

/** Asks every dedicated Worker of a page for its heap, one message inside another: playwright's sessions reach no target below a page. */
const attachWorkers = async (session: CDPSession): Promise<() => Promise<number>> => {
  const attached = new Set<string>()
  const waiting = new Map<number, (answer: Answer) => void>()
  let sent = 0
  session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    if (targetInfo.type === 'worker') attached.add(sessionId)
  })
  session.on('Target.detachedFromTarget', ({ sessionId }) => attached.delete(sessionId))
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const answer = JSON.parse(message) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
  })
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false })
  const call = async (sessionId: string, method: string): Promise<number> => {
    const id = ++sent
    const answered = new Promise<Answer>((resolve, reject) => {
      waiting.set(id, resolve)
      setTimeout(() => reject(new Error(`a Worker does not answer ${method}`)), PATIENCE).unref()
    }).finally(() => waiting.delete(id))
    // Looked at below; a refused send comes first and must not leave it unhandled.
    answered.catch(() => {})
    await session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) })
    const { result, error } = await answered
    if (error !== undefined) throw new Error(error.message)
    return result?.usedSize ?? 0
  }
  return async () => {
    let bytes = 0
    for (const sessionId of [...attached]) {
      await call(sessionId, 'HeapProfiler.collectGarbage')
      bytes += await call(sessionId, 'Runtime.getHeapUsage')
    }
    return bytes
  }
}

/** Milliseconds for one answer of a Worker on a busy machine. */
const PATIENCE = 20_000
