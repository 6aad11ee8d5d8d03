import type { Clock } from './clock.ts'
import { type Network, sidesOf, type Who } from './network.ts'
import type { Trace } from './trace.ts'
import { whole } from './world.ts'

/** What faults befall. */
export interface Victim extends Who {
  readonly isUp: boolean
  readonly start: () => void
  readonly crash: () => void
  readonly reach: (member: number, isUp: boolean) => void
}

export interface Surroundings {
  readonly clock: Clock
  readonly draw: () => number
  readonly network: Pick<Network<unknown>, 'cut' | 'weather'> & { readonly actors: readonly Who[] }
  readonly trace: Trace
}

const CALM = { loss: 0, twice: 0, slowest: 60 } as const

/** A bad spell: how often it strikes, and how likely a strike takes the power of everybody at once. */
export interface Spell {
  readonly crashMs: number
  readonly together: number
}

export const MIXED: Spell = { crashMs: 2_500, together: 0.35 }
/** Power cuts, one after the other. */
export const POWER: Spell = { crashMs: 500, together: 1 }

/** Lets links be cut and members crash, alone and all at once, at random until `end`. Any number of them may be down. */
export const disturb = (world: Surroundings, members: readonly Victim[], end: number, { crashMs, together }: Spell): void => {
  const { clock, draw, network, trace } = world
  const cuts = (): void => {
    if (clock.now > end) return
    trace.note(clock.now, 'cut')
    network.cut(sidesOf(network.actors, draw))
    clock.after(50 + 1_000 * draw(), () => network.cut(null))
    clock.after(200 + 2_500 * draw(), cuts)
  }
  const crashes = (): void => {
    if (clock.now > end) return
    const victims = draw() < together ? members : [members[whole(draw, members.length)] as Victim]
    for (const victim of victims) {
      victim.crash()
      lose(world, members, victim)
      clock.after(20 + 800 * draw(), () => {
        // Who is back after the end is for the calm to say.
        if (clock.now < end) back(world, members, victim)
      })
    }
    clock.after(100 + crashMs * draw(), crashes)
  }
  clock.after(1_000 * draw(), cuts)
  clock.after(1_500 * draw(), crashes)
}

/** Faults stop: links are whole and fast, and whoever may come back is back. */
export const calm = (world: Surroundings, members: readonly Victim[], dead: readonly Victim[]): void => {
  world.trace.note(world.clock.now, 'calm')
  world.network.cut(null)
  world.network.weather = CALM
  for (const member of dead) {
    member.crash()
    lose(world, members, member)
  }
  for (const member of members) if (!dead.includes(member)) back(world, members, member)
}

const back = (world: Surroundings, members: readonly Victim[], member: Victim): void => {
  member.start()
  tell(world, members, member, true)
}
const lose = (world: Surroundings, members: readonly Victim[], member: Victim): void => tell(world, members, member, false)

/** The others notice, each when it does; what they notice is what holds then. */
const tell = ({ clock, draw }: Surroundings, members: readonly Victim[], about: Victim, isUp: boolean): void => {
  for (const other of members)
    if (other !== about)
      clock.after(5 + 150 * draw(), () => {
        if (about.isUp === isUp) other.reach(about.member, isUp)
      })
}
