import { thresholds } from '../../client/groups/roster.ts'
import { Simplex } from '../../client/groups/simplex/index.ts'
import { random } from '../random.ts'
import { Clock } from './clock.ts'
import { calm, disturb, MIXED, type Spell } from './faults.ts'
import { Liars, type Temper, temperOf } from './liars.ts'
import { Member } from './member.ts'
import { Network, type Weather } from './network.ts'
import { Observer, type Problem } from './observer.ts'
import { Trace } from './trace.ts'
import { type Core, type Habits, type Message, type World, whole } from './world.ts'

export interface Scenario {
  readonly n: number
  readonly seed: number
  /** Members that lie; up to b of them, drawn, when left out. */
  readonly liars?: number
  /** Share of messages lost before the calm; drawn when left out. */
  readonly loss?: number
  readonly temper?: Temper
  readonly spell?: Spell
  readonly habits?: Partial<Habits>
  readonly Core?: Core
  /** Keeps the lines of the trace. */
  readonly trace?: boolean
}

export interface Outcome {
  readonly n: number
  readonly seed: number
  readonly liars: readonly number[]
  /** What honest members did that they must not while at most b lie. */
  readonly problems: readonly Problem[]
  /** What two honest members cannot both have accepted at a strength; null when there is nothing such. */
  readonly conflictAt: (strength: number) => string | null
  /** Members that did not go on after the faults stopped. */
  readonly stalled: readonly number[]
  /** Votes that contradict each other, seen by an honest member and not reported. */
  readonly unreported: readonly string[]
  readonly height: number
  readonly events: number
  readonly digest: string
  readonly lines: readonly string[]
}

const FAULTS_MS = 4_000
/** How long liars that are too many have. */
const ATTACK_MS = 10_000
/** Virtual time that the calm has at most; the doubled timers of a bad spell run out in it. */
const CALM_MS = 240_000
const MOST_EVENTS = 500_000
/** Blocks that every member has to finalize once it is calm. */
const MORE = 5

/** Runs a committee through a bad spell and the calm after it. The scenario alone decides what happens. */
export const simulate = (scenario: Scenario): Outcome => {
  const { n, seed, temper, spell = MIXED } = scenario
  const { b, quorum } = thresholds(n)
  const { world, members, liars } = assemble(scenario)
  const { clock, draw, observer, trace } = world
  let events = 0
  const until = (end: number, holds: () => boolean): void => {
    while (events < MOST_EVENTS && !holds() && clock.step(end)) events += 1
  }
  const end = temper === undefined ? FAULTS_MS : ATTACK_MS
  if (temper === undefined) disturb(world, members, end, spell)
  until(end, () => false)
  clock.now = end
  const dead = members.slice(0, whole(draw, Math.max(0, n - quorum - liars.length) + 1))
  calm(world, members, dead)
  const alive = members.filter((member) => !dead.includes(member))
  const goal = observer.height + MORE
  const lagging = (): readonly Member[] => (liars.length > b ? [] : alive.filter(({ height }) => height < goal))
  until(end + CALM_MS, () => lagging().length === 0)
  const { problems, height } = observer
  const { digest, lines } = trace
  const conflictAt = (strength: number): string | null => observer.conflictAt(strength)
  const [stalled, unreported] = [lagging().map(({ member }) => member), observer.unreported()]
  return { n, seed, liars, problems, conflictAt, stalled, unreported, height, events, digest, lines: lines ?? [] }
}

/** Everybody at their places: honest members, liars that follow a script, and twins, who are honest each for themselves. */
const assemble = (scenario: Scenario) => {
  const { n, seed, temper, Core = Simplex } = scenario
  const draw = random(seed)
  const { b, quorum } = thresholds(n)
  const clock = new Clock()
  const trace = new Trace(scenario.trace === true)
  // Most runs have as many liars as can be withstood.
  const liars = pick(draw, n, scenario.liars ?? (draw() < 0.3 ? whole(draw, b + 1) : b))
  const observer = new Observer(trace, () => clock.now, liars)
  const network = new Network<Message>(clock, draw, weatherOf(scenario, draw))
  const habits: Habits = { early: false, syncMs: 5 + 200 * draw() ** 2, ...scenario.habits }
  const world: World = { n, quorum, clock, draw, network, observer, trace, Core }
  const seat = (member: number): Member => new Member(world, member, habits)
  const members = range(n)
    .filter((member) => !liars.includes(member))
    .map(seat)
  const twins = temper === undefined ? liars.filter(() => draw() < 0.3) : []
  const scripted = liars.filter((member) => !twins.includes(member))
  if (scripted.length > 0) observer.tap = new Liars(world, scripted, temper ?? temperOf(draw))
  const doubles = twins.flatMap((member) => [seat(member), seat(member)])
  for (const member of [...members, ...doubles]) member.start()
  return { world, members, liars }
}

/** Liars that are too many need no bad weather, which would only get in their way. */
const weatherOf = ({ loss, temper }: Scenario, draw: () => number): Weather =>
  temper === undefined
    ? { loss: loss ?? draw() * 0.15, twice: draw() * 0.1, slowest: 20 + 400 * draw() }
    : { loss: loss ?? 0, twice: draw() * 0.1, slowest: 20 + 100 * draw() }

const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)

/** `count` of the numbers below `n`, ascending. */
const pick = (draw: () => number, n: number, count: number): readonly number[] => {
  const left = [...range(n)]
  return Array.from({ length: count }, () => left.splice(whole(draw, left.length), 1)[0] as number).sort((a, b) => a - b)
}
