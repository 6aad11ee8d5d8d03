import { afterEach, describe, expect, it } from 'vitest'
import { joinCommittee } from '../../../client/groups/commit/links.ts'
import { COMMIT_PROTOCOL, joinCodec } from '../../../client/groups/commit/messages.ts'
import type { Committee } from '../../../client/groups/committee.ts'
import { silent } from '../../../client/log.ts'
import { frame } from '../../../client/network/light/frame.ts'
import { type Bytes, toHex, utf8 } from '../../../client/primitives/bytes.ts'
import { encode } from '../../../client/primitives/codec.ts'
import { createNodeHost, type NodeHost } from '../../../node/host.ts'
import { identityOf, secretOf } from '../counter.ts'

const identity = identityOf(3)
const hosts: NodeHost[] = []
const committees: Committee[] = []
afterEach(async () => {
  await Promise.all(committees.splice(0).map((committee) => committee[Symbol.asyncDispose]()))
  await Promise.all(hosts.splice(0).map((host) => host.close()))
})

const hostOf = async (seed: Bytes, port = 0): Promise<NodeHost> => {
  const host = await createNodeHost({ seed, listen: [`/ip4/127.0.0.1/tcp/${port}`], log: silent })
  hosts.push(host)
  return host
}

/** What a member hears, and a way to wait for it. */
class Ear {
  readonly heard: string[] = []
  #wake: () => void = () => {}
  readonly receive = (from: number, message: Bytes): void =>
    this.#note(`${from} ${new TextDecoder().decode(message.subarray(0, 20))} ${message.length}`)
  readonly reach = (member: number, isUp: boolean): void => this.#note(`${member} ${isUp ? 'up' : 'down'}`)

  #note(line: string): void {
    this.heard.push(line)
    this.#wake()
  }

  async until(line: string): Promise<void> {
    while (!this.heard.includes(line))
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
  }
}

const drain = async (chunks: AsyncIterable<Bytes>): Promise<void> => {
  for await (const _ of chunks);
}

const join = async (
  host: NodeHost,
  member: number,
  addresses: readonly string[],
  of = identity,
  learned: (member: number) => readonly string[] = () => [],
): Promise<{ committee: Committee; ear: Ear }> => {
  const committee = await joinCommittee(host, { identity: of, member, addresses, learned })
  committees.push(committee)
  const ear = new Ear()
  committee.start(ear)
  return { committee, ear }
}

describe('/coalition/commit/1 over libp2p', () => {
  it('carries messages both ways between members, in order, up to the size of a block', async () => {
    const [a, b] = await Promise.all([hostOf(secretOf(0, 'peer')), hostOf(secretOf(1, 'peer'))])
    const one = await join(a, 0, b.addresses())
    const other = await join(b, 1, a.addresses())
    await Promise.all([one.ear.until('1 up'), other.ear.until('0 up')])
    one.committee.send(1, utf8('first'))
    one.committee.send(1, new Uint8Array(1_500_000))
    one.committee.send(1, utf8('last'))
    other.committee.send(0, utf8('back'))
    await Promise.all([other.ear.until('0 last 4'), one.ear.until('1 back 4')])
    expect(other.ear.heard.filter((line) => line.startsWith('0 ') && line !== '0 up').map((line) => line.split(' ').at(-1))).toEqual([
      '5',
      '1500000',
      '4',
    ])
  })

  it('tells of a member that is gone, and finds it again on the same port', async () => {
    const [a, b] = await Promise.all([hostOf(secretOf(0, 'peer')), hostOf(secretOf(1, 'peer'))])
    const addresses = b.addresses()
    const one = await join(a, 0, addresses)
    await join(b, 1, a.addresses())
    await one.ear.until('1 up')
    await b.close()
    await one.ear.until('1 down')
    one.ear.heard.length = 0
    const again = await hostOf(secretOf(1, 'peer'), Number(addresses[0]?.split('/')[4]))
    const { ear } = await join(again, 1, a.addresses())
    await one.ear.until('1 up')
    one.committee.send(1, utf8('hello again'))
    await ear.until('0 hello again 11')
  })

  it('finds a member where it says that it is now: one that moved, and one that no address was given of', async () => {
    const [a, b, c] = await Promise.all([hostOf(secretOf(0, 'peer')), hostOf(secretOf(1, 'peer')), hostOf(secretOf(2, 'peer'))])
    const old = b.addresses()
    await b.close()
    const moved = await hostOf(secretOf(1, 'peer'))
    const said = new Map([
      [1, moved.addresses()],
      [2, c.addresses()],
    ])
    const one = await join(a, 0, old, identity, (member) => said.get(member) ?? [])
    await join(moved, 1, [])
    await join(c, 2, [])
    await one.ear.until('1 up')
    await one.ear.until('2 up')
    expect(one.ear.heard).not.toContain('0 up')
  })

  it('refuses who is not of the roster, who comes for another committee, and frames that are too long', async () => {
    const a = await hostOf(secretOf(0, 'peer'))
    const { ear } = await join(a, 0, [])
    const stranger = await hostOf(secretOf(9, 'peer'))
    const member = await hostOf(secretOf(1, 'peer'))
    const { network, group, rosterId } = identity
    const ours = encode(joinCodec, { network, group, roster: rosterId })
    const sent: readonly (readonly [NodeHost, readonly Bytes[]])[] = [
      [stranger, [frame(ours), frame(utf8('from a stranger'))]],
      [member, [frame(encode(joinCodec, { network, group: identityOf(3, 'another').group, roster: rosterId })), frame(utf8('elsewhere'))]],
      [member, [frame(utf8('no join at all')), frame(utf8('nowhere'))]],
      [member, [frame(ours), Uint8Array.of(0xff, 0xff, 0x7f), utf8('too long')]],
    ]
    for (const [host, frames] of sent) {
      const link = await host.dial(a.addresses()[0] as string, { signal: AbortSignal.timeout(5_000) })
      const stream = await link.stream(COMMIT_PROTOCOL, { signal: AbortSignal.timeout(5_000) })
      for (const bytes of frames) await stream.write(bytes).catch(() => {})
      // The other side lets go of the stream; what it does not tell us is why.
      await expect(drain(stream.chunks)).rejects.toThrow()
    }
    expect(ear.heard).toEqual([])
    expect(toHex(member.peer)).not.toBe(toHex(stranger.peer))
  })

  it('goes on after a member that sends what is no message: that costs the sender its stream', async () => {
    const [a, b] = await Promise.all([hostOf(secretOf(0, 'peer')), hostOf(secretOf(1, 'peer'))])
    const one = await join(a, 0, b.addresses())
    const other = await join(b, 1, a.addresses())
    await one.ear.until('1 up')
    const link = await b.dial(a.addresses()[0] as string, { signal: AbortSignal.timeout(5_000) })
    const stream = await link.stream(COMMIT_PROTOCOL, { signal: AbortSignal.timeout(5_000) })
    await stream.write(utf8('not a frame of a join')).catch(() => {})
    await other.ear.until('0 up')
    one.committee.send(1, utf8('still here'))
    await other.ear.until('0 still here 10')
  })
})
