import { type GossipSub, gossipsub, type Message, StrictNoSign, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Identify } from '@libp2p/identify'
import type { PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import type { Log } from '../../client/log.ts'
import { readAddress } from '../../client/network/address.ts'
import type { GossipPort } from '../../client/network/discovery/presence.ts'
import { MAX_RUMOUR, type Ruling } from '../../client/network/discovery/rumours.ts'
import type { Link } from '../../client/network/host.ts'
import { asLink } from '../../client/network/link.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'

/** Gossip as a node has it: one topic, and how to reach those who carry it. */
export interface Gossip extends GossipPort {
  /** A link to a peer that gossips, by the connection that there is or a new one. */
  readonly meet: (address: string, options: { readonly signal: AbortSignal }) => Promise<Link>
  /** Link keys of those who carry the topic with us. */
  readonly neighbours: () => readonly Bytes[]
  /** What a neighbour is worth to us: it is not listened to below `SCORES.graylistThreshold`. */
  readonly score: (peer: Bytes) => number
}

/** Longest RPC of a neighbour: a few messages, or what it has and wants. */
const MAX_RPC = 16 * MAX_RUMOUR
/** What may wait for a neighbour that reads slowly; then its stream ends. */
const MAX_OUTBOUND = 2 * MAX_RPC

// An honest neighbour brings nothing that is rejected. One such message costs 20, a second 80: from then on it is not listened to for a minute,
// after ten of them for a quarter of an hour. Messages are few and come in no order, so nobody is scored for how many it brings first (P3 is off), nor for its
// IP address (P6): a devnet has one address, and connections of one address are limited where they are taken (transports/limits.ts).
const TOPIC_SCORE = {
  topicWeight: 1,
  timeInMeshWeight: 0.01,
  timeInMeshQuantum: 1_000,
  timeInMeshCap: 1_000,
  firstMessageDeliveriesWeight: 0.1,
  firstMessageDeliveriesDecay: 0.99,
  firstMessageDeliveriesCap: 50,
  meshMessageDeliveriesWeight: 0,
  meshFailurePenaltyWeight: 0,
  invalidMessageDeliveriesWeight: -20,
  invalidMessageDeliveriesDecay: 0.998,
} as const
export const SCORES = {
  gossipThreshold: -10,
  publishThreshold: -20,
  graylistThreshold: -60,
  acceptPXThreshold: 100,
  opportunisticGraftThreshold: 1,
}

/**
 * The libp2p service. Messages carry no signature of gossipsub's (StrictNoSign): an entry is signed by the peer that it is about, a head by its
 * committee, and a second signature would only say who was the first to pass them on. Their id is the hash of their bytes, so copies end where
 * they are met, whoever sends them.
 */
export const gossipService = (topic: string) =>
  gossipsub({
    globalSignaturePolicy: StrictNoSign,
    allowedTopics: [topic],
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    fallbackToFloodsub: false,
    // To the mesh alone: whoever publishes pays for its own share, and neighbours with IHAVE for the rest.
    floodPublish: false,
    // Peers are found by their entries, which are signed.
    doPX: false,
    // One RPC of a neighbour after the other: its stream stops while its messages are checked.
    awaitRpcHandler: true,
    awaitRpcMessageHandler: true,
    maxInboundDataLength: MAX_RPC,
    maxOutboundBufferSize: MAX_OUTBOUND,
    maxTopicBytesPerPeer: 8_192,
    decodeRpcLimits: {
      maxSubscriptions: 16,
      maxMessages: 256,
      maxIhaveMessageIDs: 1_024,
      maxIwantMessageIDs: 1_024,
      maxIdontwantMessageIDs: 512,
      maxControlMessages: 64,
      maxPeerInfos: 16,
    },
    scoreParams: { topics: { [topic]: { ...TOPIC_SCORE } as never }, IPColocationFactorWeight: 0, retainScore: 600_000 },
    scoreThresholds: SCORES,
  })

/** The parts of a node that gossip needs. */
type GossipNode = Libp2p<{ readonly gossip: GossipSub; readonly identify: Identify }>

export const gossipOf = (node: Pick<GossipNode, 'dial' | 'services'>, topic: string, log: Log): Gossip => {
  const { gossip, identify } = node.services
  return {
    join: (judge) => {
      gossip.topicValidators.set(topic, (neighbour, message) => rule(judge, neighbour, message, log))
      gossip.subscribe(topic)
    },
    publish: async (data) => (await gossip.publish(topic, data)).recipients.length,
    meet: async (address, { signal }) => {
      const connection = await node.dial(multiaddr(readAddress(address).text), { signal })
      // Who gossips is told to gossipsub by identify, which is asked nobody else here.
      await identify.identify(connection, { signal })
      return asLink(connection)
    },
    neighbours: () => gossip.getSubscribers(topic).flatMap((peer) => keyOf(peer) ?? []),
    score: (peer) => {
      const own = gossip.getPeers().find((candidate) => keyOf(candidate)?.every((byte, i) => byte === peer[i]))
      return own === undefined ? 0 : (gossip as unknown as Scored).score.score(own.toString())
    },
  }
}

/** gossipsub's own book of scores; its interface does not name it. */
interface Scored {
  readonly score: { readonly score: (peer: string) => number }
}

const RULING: { readonly [K in Ruling]: TopicValidatorResult } = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

const rule = async (
  judge: (data: Bytes, source: Bytes) => Promise<Ruling>,
  neighbour: PeerId,
  { data }: Message,
  log: Log,
): Promise<TopicValidatorResult> => {
  const source = keyOf(neighbour)
  if (source === null) return TopicValidatorResult.Reject
  try {
    return RULING[await judge(new Uint8Array(data), source)]
  } catch (error) {
    // Ours, not the neighbour's.
    log('error', 'a gossip message could not be judged', { problem: error instanceof Error ? error.message : String(error) })
    return TopicValidatorResult.Ignore
  }
}

const keyOf = ({ type, publicKey }: PeerId): Bytes | null =>
  type === 'Ed25519' && publicKey !== undefined ? new Uint8Array(publicKey.raw) : null
