import { createPrivateKey, sign as signWith } from 'node:crypto'
import { joinCommittee } from '../../client/groups/commit/links.ts'
import { Group } from '../../client/groups/group.ts'
import type { Machine } from '../../client/groups/machine.ts'
import { silent } from '../../client/log.ts'
import { peerIdOf } from '../../client/network/address.ts'
import { type Bytes, copy, fromHex } from '../../client/primitives/bytes.ts'
import { bytes, encode, u64 } from '../../client/primitives/codec.ts'
import { createNodeHost } from '../../node/host.ts'
import { openLevel } from '../../node/storage/level.ts'
import { identityOf, secretOf } from '../groups/counter.ts'
import type { Order } from './_committee.ts'

const entryCodec = bytes(4_096)
/** Appends each entry to a vec: what etcd's put is, with a Merkle tree over it. */
const machine: Machine<bigint, Bytes> = {
  signature: 'bench/entries@1',
  surfaces: [{ name: 'entries', kind: 'vec', item: entryCodec, by: [] } as never],
  command: entryCodec,
  state: u64,
  genesis: 0n,
  admit: async () => {},
  apply: (count, entry) => ({ state: count + 1n, append: [{ surface: 0, item: encode(entryCodec, entry) }], blobs: [] }),
}

const PKCS8 = fromHex('302e020100300506032b657004220420')

/** One member process: takes entries from its parent, and says when each is final. */
export const main = async ([text]: readonly string[]): Promise<void> => {
  const { folder, n, member, ports } = JSON.parse(text as string) as Order
  const identity = identityOf(n)
  const host = await createNodeHost({ seed: secretOf(member, 'peer'), listen: [`/ip4/127.0.0.1/tcp/${ports[member]}`], log: silent })
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, secretOf(member, 'vote 0')]), format: 'der', type: 'pkcs8' })
  const others = ports.flatMap((port, i) =>
    i === member ? [] : [`/ip4/127.0.0.1/tcp/${port}/p2p/${peerIdOf(identity.roster.members[i]?.peer as Bytes)}`],
  )
  const group = await Group.open({
    machine,
    identity,
    timers: { viewMs: 400, shortMs: 100, skewMs: 500, heartbeatMs: 1_000 },
    committee: await joinCommittee(host, { identity, member, addresses: others }),
    member,
    sign: (message) => copy(signWith(null, message, key)),
    votes: await openLevel(`${folder}/votes`),
    archive: await openLevel(`${folder}/archive`),
    host,
  })
  const stop = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('disconnect', resolve)
  })
  await group.execute(encode(entryCodec, new Uint8Array(8)))
  process.on('message', ({ id, value }: { id: number; value: Uint8Array }) => {
    group.execute(encode(entryCodec, copy(value))).then(
      () => process.send?.({ id, error: null }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    )
  })
  process.send?.('ready')
  await stop
  await group[Symbol.asyncDispose]()
  await host.close()
  process.exit(0)
}
