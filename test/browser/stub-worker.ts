import type { StateReport } from '../../client/network/handle.ts'
import type { ConnectOptions } from '../../client/network/network.ts'
import { serveNetwork } from '../../client/rpc/serve.ts'
import { attached } from '../../client/rpc/wire.ts'

// A Worker whose network answers without peers: what is tested is the way between it and the page. It tells how many networks it has.

let opened = 0
let disposed = 0

const state: StateReport = { state: 'live', detail: null, head: null, peers: [] }

async function* count() {
  for (let i = 0n; ; i++) yield { value: i }
}

const handle = () => ({
  state,
  onState: () => () => {},
  latest: async () => ({ value: null, ref: { position: null } }),
  since: count,
  ask: async (question: string, argument: unknown) => {
    if (question === 'never') await new Promise(() => {})
    return { value: { question, argument, opened, disposed } }
  },
  [Symbol.asyncIterator]: count,
  [Symbol.asyncDispose]: async () => {},
})

const life = new Promise<string>((resolve) => {
  const name = `stub ${crypto.randomUUID()}`
  void navigator.locks.request(name, () => {
    resolve(name)
    return new Promise(() => {})
  })
})

addEventListener('message', ({ data }) => {
  const port = attached(data)
  if (!port) return
  const open = async ({ onProgress }: ConnectOptions) => {
    opened++
    return {
      open: async () => {
        onProgress?.({ stage: 'live', surface: 'stub', group: 'aa', reached: 1, peers: 1, detail: null })
        return handle() as never
      },
      evidence: async () => [],
      [Symbol.asyncDispose]: async () => {
        disposed++
      },
    }
  }
  serveNetwork(port, open, life)
})
