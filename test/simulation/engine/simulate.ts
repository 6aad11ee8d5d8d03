import { Group } from '../../../client/groups/group.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { random } from '../../random.ts'
import { Clock } from '../clock.ts'
import { calm, disturb, MIXED, type Spell } from '../faults.ts'
import { Network } from '../network.ts'
import { Trace } from '../trace.ts'
import { Commands } from './commands.ts'
import { type Engine, EngineSeat, type Hall } from './seat.ts'
import { Witness } from './witness.ts'

export interface EngineScenario {
  readonly n: number
  readonly seed: number
  readonly loss?: number
  readonly spell?: Spell
  /** The slowest sync of the disks, in milliseconds. */
  readonly syncMs?: number
  readonly Engine?: Engine
  readonly trace?: boolean
}

export interface EngineOutcome {
  readonly n: number
  readonly seed: number
  /** What must not be: a fork, a double signature, a lost or repeated command, a member that stopped. */
  readonly problems: readonly string[]
  /** What was not done in time after the faults stopped. */
  readonly stalled: readonly string[]
  readonly acknowledged: number
  readonly newest: bigint
  readonly events: number
  readonly digest: string
  readonly lines: readonly string[]
}

const FAULTS_MS = 4_000
const CALM_MS = 120_000
const MOST_EVENTS = 200_000

/** Runs the real engine of every member through a bad spell with commands, and the calm after it. */
export const simulateEngine = async (scenario: EngineScenario): Promise<EngineOutcome> => {
  const { n, seed, spell = MIXED } = scenario
  const { hall, seats, trace } = assemble(scenario)
  const { clock, draw, network, witness } = hall
  const commands = new Commands(hall, seats)
  let events = 0
  const until = async (end: number, holds: () => boolean): Promise<boolean> => {
    while (events < MOST_EVENTS && !holds() && clock.step(end)) {
      events += 1
      // All that an event sets off is promises: they are done when the next macrotask begins.
      await new Promise((resolve) => setImmediate(resolve))
    }
    return holds()
  }
  disturb({ clock, draw, network, trace }, seats, FAULTS_MS, spell)
  commands.arrive(FAULTS_MS)
  await until(FAULTS_MS, () => false)
  clock.now = FAULTS_MS
  calm({ clock, draw, network, trace }, seats, [])
  await until(FAULTS_MS + CALM_MS, () => seats.every(({ group }) => group !== null))
  const last = seats.map(({ member }) => commands.tell(member))
  const isCalm = await until(
    FAULTS_MS + CALM_MS,
    () => last.every((word) => commands.acknowledged.has(word)) && seats.every(hasAll(witness)),
  )
  const problems = [...witness.problems, ...(await commands.problems()), ...seats.flatMap(complaintOf)]
  const stalled = isCalm ? [] : seats.map(stateOf)
  const acknowledged = commands.acknowledged.size
  return { n, seed, problems, stalled, acknowledged, newest: witness.newest, events, digest: trace.digest, lines: trace.lines ?? [] }
}

const assemble = ({ n, seed, loss, syncMs, Engine = Group, trace: keep }: EngineScenario) => {
  const draw = random(seed)
  const clock = new Clock()
  const trace = new Trace(keep === true)
  const witness = new Witness(trace, () => clock.now, n)
  const weather = { loss: loss ?? draw() * 0.1, twice: draw() * 0.1, slowest: 20 + 200 * draw() }
  const network = new Network<Bytes>(clock, draw, weather)
  const hall: Hall = { n, clock, draw, network, witness, syncMs: syncMs ?? 5 + 100 * draw() ** 2, Engine }
  const seats = Array.from({ length: n }, (_, member) => new EngineSeat(hall, member))
  for (const seat of seats) seat.start()
  return { hall, seats, trace }
}

const hasAll =
  ({ newest }: Pick<Witness, 'newest'>) =>
  ({ group }: EngineSeat): boolean =>
    group?.status().voting === 'voting' && group.newest >= newest

/** A member that keeps the rules never stops voting, and never gives another one reason to accuse it. */
const complaintOf = ({ member, group }: EngineSeat): readonly string[] => {
  const status = group?.status()
  return [
    ...(status?.problem == null ? [] : [`member ${member} stopped: ${status.problem}`]),
    ...(status === undefined || status.counts.evidence === 0 ? [] : [`member ${member} holds evidence against an honest one`]),
  ]
}

const stateOf = ({ member, group }: EngineSeat): string => {
  const status = group?.status()
  return status === undefined ? `${member} is not open` : `${member} ${status.voting} at ${status.index}, view ${status.view}`
}
