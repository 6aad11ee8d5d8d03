import type { Answer, Answered, Asked, Question } from './question.ts'
// oxlint-disable-next-line import/default -- the bundler's answer to `?url` is a module of its own making
import source from './worker.ts?worker&url'

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

// Under `require-trusted-types-for 'script'` a Worker's URL has to come from a policy that the page's CSP names.
const trusted = (url: string): string => {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: Policies }
  return trustedTypes ? trustedTypes.createPolicy('coalition-client', { createScriptURL: (given) => given }).createScriptURL(url) : url
}

/**
 * Starts the Worker, at once: a page that was loaded goes on without a network.
 *
 * @returns asks it; null where a newer question has overtaken this one
 */
export const createChecker = (): ((question: Question) => Promise<Answer | null>) => {
  const worker = new Worker(trusted(source), { type: 'module', name: 'quote' })
  let newest = 0
  let problem: string | null = null
  let settle: (answer: Answer | null) => void = () => {}
  worker.addEventListener('error', ({ message }) => {
    problem = message || 'the Worker of this page cannot be loaded'
    settle({ problem })
  })
  worker.addEventListener('message', ({ data }: MessageEvent<Answered>) => {
    if (data.id === newest) settle(data.answer)
  })
  return (question) => {
    settle(null)
    if (problem !== null) return Promise.resolve({ problem })
    const id = ++newest
    worker.postMessage({ id, question } satisfies Asked)
    return new Promise((resolve) => {
      settle = resolve
    })
  }
}
