import { ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import { type ConnectTimeoutError, connect, isError, Tally } from '../../client/page/index.ts'

// The real Worker, spawned as a page spawns it, with nobody to talk to.

const nobody = '/ip4/127.0.0.1/tcp/9/ws/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
const bytes = (n: number, fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(n).fill(fill)
const key = (seed: number): Uint8Array<ArrayBuffer> => new Uint8Array(ed25519.getPublicKey(bytes(32, seed)))

const config: Tally.TallyConfig = {
  lattice: { name: 'nowhere', chainId: 1n },
  content: {
    signature: 'tally/public-payment@1',
    feeRecipient: bytes(20, 1),
    origin: { number: 0n, hash: bytes(32, 2) },
    inclusion: { kind: 'finalized', value: null },
    timers: { view_ms: 400, short_ms: 100, skew_ms: 500, heartbeat_ms: 1_000 },
    predecessor: null,
  },
  acl: {
    roster: { epoch: 0, members: [{ peer: key(3), vote: key(4), settle: bytes(20, 5), operator: 'nobody' }] },
    admission: { kind: 'roster', value: null },
    readers: { kind: 'anyone', value: null },
  },
}

const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )

describe('the Worker', () => {
  it('says who was looked for when nobody is there: the derived ids and what they came from', async () => {
    await using network = await connect({ bootstrap: [nobody] })
    const error = await thrown(Tally.read(network, config, { timeout: 500 }))
    if (!isError(error, 'Network.ConnectTimeoutError')) throw error
    const { component, ids, inputs, deadlineMs, peersSeen, peersServing, problems } = error as ConnectTimeoutError
    expect({ component, deadlineMs, peersSeen, peersServing }).toEqual({
      component: 'tally.refunds',
      deadlineMs: 500,
      peersSeen: 0,
      peersServing: 0,
    })
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/)
    expect(ids).toEqual({ network: hash, group: hash })
    const hashes = { stableId: hash, content: hash, acl: hash, config: hash, roster: hash }
    expect(inputs).toEqual({ ...ids, ...hashes, lattice: 'nowhere', chainId: '1' })
    expect(problems).toEqual([expect.stringContaining(nobody)])
  })

  it('reads a config as its operator publishes it, and looks for the same group', async () => {
    await using network = await connect({ bootstrap: [nobody] })
    const published: Tally.PublishedConfig = JSON.parse(JSON.stringify(formatConfig(config)))
    const [one, other] = await Promise.all(
      [config, published].map((each) => thrown(Tally.read(network, each, { timeout: 300 })) as Promise<ConnectTimeoutError>),
    )
    expect(other?.ids.group).toMatch(/^[0-9a-f]{64}$/)
    expect(other?.ids).toEqual(one?.ids)
  })

  it('refuses a config and a surface that are none, by name', async () => {
    await using network = await connect({ bootstrap: [nobody] })
    const broken = { ...config, lattice: { name: 'a|b', chainId: 1n } }
    expect(await thrown(Tally.read(network, broken))).toMatchObject({ name: 'Tally.ConfigError' })
    expect(isError(await thrown(network.open({ name: 'zipnet.rooms' }, {})), 'Network.SurfaceError')).toBe(true)
  })

  it.each([
    ['no address', 'nonsense', 'Network.AddressError'],
    ['an address without a peer id', '/ip4/127.0.0.1/tcp/9/ws', 'Network.AddressError'],
    [
      'an address that a browser cannot dial',
      '/ip4/127.0.0.1/tcp/9/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN',
      'Network.TransportsError',
    ],
  ])('refuses %s', async (_, address, name) => {
    expect(isError(await thrown(connect({ bootstrap: [address] })), name)).toBe(true)
  })

  it('stops waiting when it is told to', async () => {
    await using network = await connect({ bootstrap: [nobody] })
    const controller = new AbortController()
    const reading = thrown(Tally.read(network, config, { signal: controller.signal }))
    controller.abort('enough')
    expect(await reading).toBe('enough')
  })
})
