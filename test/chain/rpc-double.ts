import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Call {
  readonly id: number
  readonly method: string
  readonly params: readonly unknown[]
}

/** What a double does with a call: gives a result, an error, raw bytes, another status, or nothing at all. */
export type Answer =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string } }
  | { readonly raw: string; readonly status?: number }
  | 'silence'
  | 'hang up'

/** A JSON-RPC node of a test's making. */
export interface RpcDouble extends AsyncDisposable {
  readonly url: string
  readonly calls: Call[]
  /** What it answers from now on. */
  answer: (call: Call) => Answer | Promise<Answer>
}

export const rpcDouble = async (answer: RpcDouble['answer']): Promise<RpcDouble> => {
  const server = createServer((request, response) => void serve(request, response))
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const call = JSON.parse(Buffer.concat(chunks).toString()) as Call
    double.calls.push(call)
    // A real node behind the double may be gone: to the caller that is one that hangs up.
    const given = await Promise.resolve(double.answer(call)).catch((): Answer => 'hang up')
    if (given === 'silence') return
    if (given === 'hang up') return void request.socket.destroy()
    if ('raw' in given) response.writeHead(given.status ?? 200).end(given.raw)
    else response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, ...given }))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const double: RpcDouble = {
    url: `http://127.0.0.1:${port}`,
    calls: [],
    answer,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return double
}

/** A double that passes every call on to a real node, and may change what comes back. */
export const lyingNode = (upstream: string, bend: (method: string, result: never, call: Call) => unknown): Promise<RpcDouble> =>
  rpcDouble(async (call) => {
    const response = await fetch(upstream, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', ...call }),
    })
    const { result, error } = (await response.json()) as { result?: never; error?: { code: number; message: string } }
    return error === undefined ? { result: bend(call.method, result as never, call) } : { error }
  })
