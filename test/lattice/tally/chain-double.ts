import { ZEROS } from '../../../client/groups/roster.ts'
import { ChainError, type ChainReader, type ChainState } from '../../../client/lattice/tally/chain.ts'
import type { TallyConfig } from '../../../client/lattice/tally/index.ts'
import { commandCodec } from '../../../client/lattice/tally/machine.ts'
import { drive } from '../../../client/lattice/tally/member.ts'
import { decode } from '../../../client/primitives/codec.ts'
import { testHost } from '../../groups/counter.ts'
import { blockOf, CHAIN, chainOf, configOf, type Double, groupDouble, type Made, memoryOf, type Spec, signer } from './fixtures.ts'

export const GENESIS: Made = blockOf(0n, ZEROS)

/** A chain whose every answer a test may bend. Blocks stand at their number. */
export interface ChainDouble extends ChainReader {
  blocks: Made[]
  id: bigint
  final: bigint | null
  top: bigint
  isDown: boolean
  distrusted: number
  /** Last word on what `block` gives. */
  bend: (block: Made) => Made | null
}

export const chainDouble = (specs: readonly (readonly Spec[])[]): ChainDouble => {
  const up = <T>(value: T): Promise<T> =>
    chain.isDown ? Promise.reject(new ChainError('down', 'no node answers')) : Promise.resolve(value)
  const bent = (number: bigint): Made | null => {
    const block = chain.blocks[Number(number)]
    return block === undefined ? null : chain.bend(block)
  }
  const blocks = [GENESIS, ...chainOf(specs, GENESIS.hash)]
  const newest = BigInt(specs.length)
  const chain: ChainDouble = {
    blocks,
    id: CHAIN,
    final: newest,
    top: newest,
    isDown: false,
    distrusted: 0,
    bend: (block) => block,
    chainId: () => up(chain.id),
    head: () => up(chain.top),
    finalized: () => up(chain.final),
    header: (number) => up(bent(number)?.header ?? null),
    block: (number) => up(bent(number)),
    distrust: () => {
      chain.distrusted += 1
    },
  }
  return chain
}

export const testConfig = (content: Partial<TallyConfig['content']> = {}, members = 1): TallyConfig =>
  configOf({ origin: { number: 0n, hash: GENESIS.hash }, ...content }, members)

/** A driver of one member, on a clock that the test moves. */
export interface Driven {
  readonly states: ChainState[]
  /** Lets it look `times` times, a second apart. */
  readonly look: (times?: number) => Promise<void>
  readonly state: () => string
  readonly stop: () => Promise<void>
  readonly ended: Promise<unknown>
  readonly host: ReturnType<typeof testHost>
  readonly memory: ReturnType<typeof memoryOf>
}

const breathe = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

export const driven = (config: TallyConfig, chain: ChainReader, group: Double, host = testHost(), memory = memoryOf()): Driven => {
  const states: ChainState[] = []
  const controller = new AbortController()
  const { remember, recall } = memory
  const onState = (state: ChainState): void => void states.push(state)
  const sign = signer(group.member)
  const ended = drive({ config, chain, group, sign, remember, recall, host, onState, signal: controller.signal })
  // Tests that expect a rejection await it themselves; the others must not fail for one that nobody has awaited yet.
  ended.catch(() => {})
  return {
    states,
    host,
    memory,
    ended,
    state: () => states.at(-1)?.state ?? 'none',
    look: async (times = 1) => {
      for (let i = 0; i < times; i++) {
        await breathe()
        host.advance(1_000)
        await breathe()
      }
    },
    stop: async () => {
      controller.abort()
      await ended
    },
  }
}

/** What a group was given, in order, by kind and block. */
export const brought = (group: Double): string[] =>
  group.commands.map((bytes) => {
    const command = decode(commandCodec, bytes)
    if (command.kind === 'attribute') return `attribute ${command.value.number}`
    const { question, round } = command.value.claim
    const number = new DataView(question.subject.buffer).getBigUint64(8, true)
    return `observe ${number} by ${command.value.member}${round === 0 ? '' : ` in round ${round}`}`
  })

export const single = (specs: readonly (readonly Spec[])[], content: Partial<TallyConfig['content']> = {}) => {
  const config = testConfig(content)
  const chain = chainDouble(specs)
  const host = testHost()
  const group = groupDouble(config, host.now)
  return { config, chain, group, host }
}
