import { describe, expect, it } from 'vitest'
import { createChainReader } from '../../node/chain/reader.ts'
import { createRpc } from '../../node/chain/rpc.ts'
import { type Answer, type RpcDouble, rpcDouble } from './rpc-double.ts'

const never = new AbortController().signal
const options = { signal: never }
const said = (run: Promise<unknown>): Promise<string> =>
  run.then(
    (value) => `gave ${String(value)}`,
    (error: { name: string; message: string; state?: string }) => `${error.name} ${error.state ?? ''} ${error.message}`,
  )
const word = (byte: string): string => `0x${byte.repeat(32)}`

describe('JSON-RPC', () => {
  it('gives the result of a call', async () => {
    await using node = await rpcDouble(() => ({ result: '0x7a69' }))
    expect(await createChainReader({ urls: [node.url] }).chainId(options)).toBe(31_337n)
    expect(node.calls).toEqual([expect.objectContaining({ method: 'eth_chainId', params: [] })])
  })

  it('is down when nobody answers, says why, and asks each node twice', async () => {
    const faults: [Answer, RegExp][] = [
      [{ raw: 'what?', status: 503 }, /HTTP status 503/],
      [{ raw: '{"jsonrpc":' }, /not JSON/],
      [{ raw: '7' }, /no JSON-RPC object/],
      [{ raw: '{"jsonrpc":"2.0","id":99,"result":1}' }, /to another call/],
      [{ raw: '{"jsonrpc":"2.0","id":1}' }, /another call|neither result nor error/],
      ['silence', /no answer within 300 ms/],
      ['hang up', /UND_ERR_SOCKET|ECONNRESET|other side closed/],
      [{ error: { code: -32_005, message: 'limit exceeded' } }, /limit exceeded/],
      [{ raw: `{"jsonrpc":"2.0","id":1,"result":"${'a'.repeat(5_000)}"}` }, /longer than 4096 bytes/],
    ]
    for (const [fault, why] of faults) {
      await using node = await rpcDouble(() => fault)
      const text = await said(createChainReader({ urls: [node.url], timeoutMs: 300, maxBytes: 4_096 }).head(options))
      expect(text).toMatch(/^Tally\.ChainError down no node answers eth_blockNumber/)
      expect(text).toMatch(why)
      expect(node.calls.length).toBe(2)
    }
    const gone = await rpcDouble(() => 'silence')
    await gone[Symbol.asyncDispose]()
    expect(await said(createChainReader({ urls: [gone.url] }).head(options))).toMatch(/down .*127\.0\.0\.1:\d+: ECONNREFUSED/)
  })

  it('goes on to the next node, and stays with the one that answers', async () => {
    await using broken = await rpcDouble(() => ({ raw: '', status: 500 }))
    await using sound = await rpcDouble(() => ({ result: '0x1' }))
    const reader = createChainReader({ urls: [broken.url, sound.url] })
    for (let i = 0; i < 3; i++) expect(await reader.head(options)).toBe(1n)
    expect([broken.calls.length, sound.calls.length]).toEqual([1, 3])
    reader.distrust()
    await reader.head(options)
    expect([broken.calls.length, sound.calls.length]).toEqual([2, 4])
  })

  it('names no path and no user of a URL: they are keys', async () => {
    const text = await said(createChainReader({ urls: ['http://user:hunter2@127.0.0.1:9/v3/s3cr3t?key=s3cr3t'] }).head(options))
    expect(text).toMatch(/127\.0\.0\.1:9/)
    expect(text).not.toMatch(/hunter2|s3cr3t|user/)
  })

  it('ends with its signal, and takes no URL that is not HTTP', async () => {
    await using node = await rpcDouble(() => 'silence')
    const controller = new AbortController()
    const call = said(createChainReader({ urls: [node.url] }).head({ signal: controller.signal }))
    setTimeout(() => controller.abort(), 20)
    expect(await call).toMatch(/AbortError/)
    for (const urls of [[], ['ws://127.0.0.1'], ['nothing']]) expect(() => createRpc({ urls })).toThrow(TypeError)
  })
})

describe('a hostile answer', () => {
  const block = {
    ...{
      parentHash: word('01'),
      sha3Uncles: word('02'),
      miner: `0x${'03'.repeat(20)}`,
      stateRoot: word('04'),
      transactionsRoot: word('05'),
    },
    ...{ receiptsRoot: word('06'), logsBloom: `0x${'00'.repeat(256)}`, difficulty: '0x0', number: '0x1', gasLimit: '0x1', gasUsed: '0x0' },
    ...{ timestamp: '0x1', extraData: '0x', mixHash: word('07'), nonce: '0x0000000000000000', hash: word('08'), transactions: [] },
  }
  const asked = async (node: RpcDouble): Promise<string> => said(createChainReader({ urls: [node.url] }).block(1n, options))

  it('is refused by the field that has not its form', async () => {
    const changes: [object, RegExp][] = [
      [{}, /hashes to/],
      [{ hash: null }, /field hash is no bytes/],
      [{ hash: word('08').slice(2) }, /field hash is no bytes/],
      [{ parentHash: '0x01' }, /field parentHash has 1 bytes/],
      [{ number: '1' }, /field number is no quantity/],
      [{ number: 1 }, /field number is no quantity/],
      [{ number: '0x10000000000000000' }, /field number is longer than 8 bytes/],
      [{ gasUsed: `0x${'f'.repeat(5_000)}` }, /field gasUsed is no quantity/],
      [{ extraData: `0x${'00'.repeat(2_000)}` }, /field extraData has 2000 bytes/],
      [{ logsBloom: '0x0' }, /field logsBloom is no bytes/],
      [{ baseFeePerGas: '-0x1' }, /field baseFeePerGas is no quantity/],
    ]
    for (const [change, why] of changes) {
      await using node = await rpcDouble(() => ({ result: { ...block, ...change } }))
      const text = await asked(node)
      expect(text).toMatch(/^Tally\.ChainError inconsistent the node's block 1/)
      expect(text).toMatch(why)
    }
    for (const nothing of [7, 'block', [], true]) {
      await using node = await rpcDouble(() => ({ result: nothing }))
      expect(await asked(node)).toMatch(/is not an object/)
    }
  })

  it('is no block where the node has none', async () => {
    await using node = await rpcDouble(() => ({ result: null }))
    const reader = createChainReader({ urls: [node.url] })
    expect(await Promise.all([reader.block(9n, options), reader.header(9n, options), reader.finalized(options)])).toEqual([
      null,
      null,
      null,
    ])
    node.answer = () => ({ error: { code: -32_000, message: 'finalized block not found' } })
    expect(await reader.finalized(options)).toBeNull()
    expect(await said(reader.header(9n, options))).toMatch(/down the node refuses eth_getBlockByNumber: finalized block not found/)
  })
})
