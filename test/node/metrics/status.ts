import type { MemberStatus } from '../../../node/metrics/status.ts'

/** A member of four that is well at {@link NOW}, but for what `changed` says. */
export const statusOf = (changed: Partial<MemberStatus> = {}): MemberStatus => ({
  index: 120n,
  timeMs: BigInt(NOW - 2_000),
  view: 130n,
  leader: 2,
  signers: [0, 1, 3],
  waiting: 5,
  voting: 'voting',
  problem: null,
  peers: [
    { member: 0, isUp: true, index: 120n },
    { member: 2, isUp: true, index: 118n },
    { member: 3, isUp: false, index: 7n },
  ],
  counts: { proposed: 31, views: 131, nullified: 4, fetched: 17, refused: 3, evidence: 1 },
  group: 'ab'.repeat(32),
  seat: 1,
  operator: 'Operator B',
  quorum: 3,
  n: 4,
  heartbeatMs: 1_000,
  chain: { state: 'following', detail: 'agreed up to block 900', block: 900n },
  tickets: null,
  connections: 9,
  lightStreams: 6,
  addresses: ['/ip4/127.0.0.1/tcp/4000', '/ip4/127.0.0.1/tcp/4001/ws'],
  startedAt: NOW - 60_000,
  ...changed,
})

export const NOW = 1_800_000_000_000
