import type { Clock } from './clock.ts'
import { skewed, whole } from './world.ts'

/** Somebody who runs a member: two of one member are twins. */
export interface Who {
  /** Place among all actors. */
  readonly place: number
  readonly member: number
}

export interface Actor<M> extends Who {
  readonly receive: (from: number, message: M) => void
  /** A link to another member came or went, as far as this one can see. */
  readonly reach: (member: number, isUp: boolean) => void
}

export interface Weather {
  /** Share of messages that are lost, and that arrive twice. */
  readonly loss: number
  readonly twice: number
  /** Slowest delivery, in milliseconds. */
  readonly slowest: number
}

const FASTEST_MS = 2

/** Links that delay, reorder, repeat and lose, and that may be cut between two sides. */
export class Network<M> {
  weather: Weather
  readonly actors: Actor<M>[] = []
  readonly #draw: () => number
  readonly #clock: Pick<Clock, 'after'>
  /** The side of each actor while the network is cut. */
  #sides: readonly number[] | null = null

  constructor(clock: Pick<Clock, 'after'>, draw: () => number, weather: Weather) {
    this.#clock = clock
    this.#draw = draw
    this.weather = weather
  }

  /** Cuts every link between actors of different sides; null heals all. */
  cut(sides: readonly number[] | null): void {
    this.#sides = sides
  }

  /** From an actor to every actor of a member. */
  send(from: Actor<M>, to: number, message: M): void {
    for (const target of this.actors) if (target.member === to && target !== from) this.#pass(from, target, message)
  }

  all(from: Actor<M>, message: M): void {
    for (const target of this.actors) if (target !== from) this.#pass(from, target, message)
  }

  /** Past weather and cuts: liars choose when they are heard. */
  bring(from: number, to: Actor<M>, ms: number, message: M): void {
    this.#clock.after(ms, () => to.receive(from, message))
  }

  #pass(from: Actor<M>, to: Actor<M>, message: M): void {
    const { loss, twice } = this.weather
    if (this.#draw() < loss) return
    this.#arrive(from, to, message)
    if (this.#draw() < twice) this.#arrive(from, to, message)
  }

  #arrive(from: Actor<M>, to: Actor<M>, message: M): void {
    const sides = this.#sides
    if (sides !== null && sides[from.place] !== sides[to.place]) return
    this.bring(from.member, to, skewed(this.#draw, FASTEST_MS, this.weather.slowest), message)
  }
}

/** A side for each actor; twins never stand on the same one. */
export const sidesOf = (actors: readonly Who[], draw: () => number): readonly number[] => {
  const sides = actors.map(() => whole(draw, 2))
  actors.forEach(({ member }, i) => {
    const twin = actors.findIndex((other) => other.member === member)
    if (twin !== i) sides[i] = 1 - (sides[twin] as number)
  })
  return sides
}
