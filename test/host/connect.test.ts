import { expect, it } from 'vitest'
import { connect, isError, Tally } from '../../node/index.ts'
import { configOf } from '../lattice/tally/fixtures.ts'

const nobody = '/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'

it.each(['/ip4/127.0.0.1/tcp/9', '/ip4/127.0.0.1/tcp/9/ws'])(
  'a program connects, and is told who was looked for when nobody is there: %s',
  async (address) => {
    await using network = await connect({ bootstrap: [address + nobody] })
    const error: unknown = await Tally.read(network, configOf(), { timeout: 300 }).catch((reason: unknown) => reason)
    expect(isError(error, 'Network.ConnectTimeoutError')).toBe(true)
  },
)

it('a program that gave up before does not connect', async () => {
  await expect(connect({ bootstrap: [], signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
})

it('a universe that is none is refused', async () => {
  await expect(connect({ bootstrap: [], network: 'x' })).rejects.toMatchObject({ name: 'Bytes.HexError' })
})
