import { Disk } from './disk.ts'
import { Life } from './life.ts'
import type { Actor } from './network.ts'
import type { Habits, Message, World } from './world.ts'

/** Somebody who runs a member by the rules: a disk that stays, and lives between starts and crashes. */
export class Member implements Actor<Message> {
  readonly place: number
  readonly member: number
  readonly #world: World
  readonly #habits: Habits
  readonly #disk = new Disk()
  #life: Life | null = null

  constructor(world: World, member: number, habits: Habits) {
    this.#world = world
    this.#habits = habits
    this.member = member
    this.place = world.network.actors.length
    world.network.actors.push(this)
  }

  get isUp(): boolean {
    return this.#life !== null
  }

  /** Height of the newest block that this member holds to be final. */
  get height(): number {
    return (this.#life?.ledger.log ?? this.#disk.archive).length - 1
  }

  receive(from: number, message: Message): void {
    const life = this.#life
    life?.step(() => life.take(from, message))
  }

  reach(member: number, isUp: boolean): void {
    const life = this.#life
    life?.step(() => life.reach(member, isUp))
  }

  start(): void {
    if (this.#life !== null) return
    this.#world.trace.note(this.#world.clock.now, `${this.place} starts`)
    this.#life = new Life(this, this.#world, this.#disk, this.#habits)
    this.#life.begin()
  }

  /** As a power cut: what is not synced is gone, or, where the disk was at it, just not. */
  crash(): void {
    if (this.#life === null) return
    this.#world.trace.note(this.#world.clock.now, `${this.place} crashes`)
    this.#life.end()
    this.#world.observer.ended(this.#life)
    this.#life = null
    this.#disk.crash(this.#world.draw() < 0.5)
  }
}
