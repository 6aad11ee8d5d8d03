import { createPrivateKey, sign as signWith } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { observationMessage } from '../../client/groups/block.ts'
import type { Identity } from '../../client/groups/execution.ts'
import { Group } from '../../client/groups/group.ts'
import { tallyBlock } from '../../client/lattice/tally/block.ts'
import { identify } from '../../client/lattice/tally/config.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import { commandCodec, createMachine, type TallyCommand, type TallyState } from '../../client/lattice/tally/machine.ts'
import { blockFactsCodec, QUESTION_KIND, subjectCodec } from '../../client/lattice/tally/payment.ts'
import { silent } from '../../client/log.ts'
import { type Bytes, copy, fromHex } from '../../client/primitives/bytes.ts'
import { encode } from '../../client/primitives/codec.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'
import { openLevel } from '../../node/storage/level.ts'
import { alone, secretOf } from '../groups/counter.ts'
import { testConfig } from '../lattice/tally/chain-double.ts'
import { blockOf, bytesOf, CHAIN, provider, type Spec } from '../lattice/tally/fixtures.ts'

/** A tally with a history, open for serving. */
export interface History extends AsyncDisposable {
  readonly config: TallyConfig
  readonly host: NodeHost
  readonly group: Group<TallyState, TallyCommand>
  /** Commits one more block with a payment and gives its number. */
  readonly pay: () => Promise<bigint>
}

/** One block in this many has a payment; the others are agreed and empty, as most blocks of a chain are. */
const PAYMENT_EVERY = 20
const PKCS8 = fromHex('302e020100300506032b657004220420')

/**
 * A tally whose log has `commits` blocks, each made by the machine from observed blocks and proofs, signed and stored as a member's are.
 * The folder of an unfinished or longer history is gone on with, so a long one is written once.
 */
export const openHistory = async (
  folder: string,
  commits: number,
  progress: (done: number) => void = () => {},
  heartbeat_ms = 3_600_000,
): Promise<History> => {
  const config = testConfig({ timers: { view_ms: 400, short_ms: 100, skew_ms: 500, heartbeat_ms } })
  const { group: id, roster, genesis } = identify(UNIVERSE, config)
  const identity: Identity = { network: UNIVERSE, group: id, roster, rosterId: genesis.roster }
  const host = await createNodeHost({ seed: secretOf(0, 'peer'), listen: ['/ip4/127.0.0.1/tcp/0/ws'], log: silent })
  const votes = await openLevel(join(folder, 'votes'))
  const archive = await openLevel(join(folder, 'archive'))
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, secretOf(0, 'vote 0')]), format: 'der', type: 'pkcs8' })
  const sign = (message: Bytes): Bytes => copy(signWith(null, message, key))
  const timers = { viewMs: 400, shortMs: 100, skewMs: 500, heartbeatMs: heartbeat_ms }
  const committee = alone()
  const group = await Group.open({ machine: createMachine(config), identity, timers, member: 0, sign, votes, archive, committee, host })
  const commit = committer(group, config, genesis.roster, sign)
  while (group.newest < BigInt(commits)) {
    await commit(specsOf(group.state.number + 1n))
    if (group.newest % 1_000n === 0n) progress(Number(group.newest))
  }
  const pay = async (): Promise<bigint> => {
    const number = group.state.number + 1n
    await commit(paymentOf(number))
    return number
  }
  return {
    pay,
    config,
    host,
    group,
    [Symbol.asyncDispose]: async () => {
      await host.close()
      await group[Symbol.asyncDispose]()
      await votes.close()
      await archive.close()
    },
  }
}

/** Commits the next block of the observed chain, its facts and its proofs. */
const committer =
  (group: Group<TallyState, TallyCommand>, config: TallyConfig, rosterId: Bytes, sign: (message: Bytes) => Bytes) =>
  async (specs: readonly Spec[]): Promise<void> => {
    const number = group.state.number + 1n
    const made = blockOf(number, group.state.hash, specs)
    const block = tallyBlock(made, number, config.content.feeRecipient)
    const question = { kind: QUESTION_KIND, subject: encode(subjectCodec, { chainId: CHAIN, number }) }
    const claim = { roster_id: rosterId, question, round: 0, until: (1n << 64n) - 1n, value: encode(blockFactsCodec, block.facts) }
    const observe: TallyCommand = { kind: 'observe', value: { claim, member: 0, signature: sign(observationMessage(claim)) } }
    await group.execute(encode(commandCodec, observe))
    if (block.facts.count === 0) return
    const attribute: TallyCommand = { kind: 'attribute', value: { number, proofs: block.proofs } }
    await group.execute(encode(commandCodec, attribute))
  }

const specsOf = (number: bigint): Spec[] => (number % BigInt(PAYMENT_EVERY) === 1n ? paymentOf(number) : [])

const paymentOf = (number: bigint): Spec[] => {
  const first = Number(number % 997n)
  return [
    { value: 1_000_000n + number, ref: bytesOf(`order ${number}`), providers: [provider(first), provider(first + 1)], bps: [4_000, 3_000] },
  ]
}

/** Removes a history. */
export const forget = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })
