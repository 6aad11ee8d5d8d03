type Step = () => void | Promise<void>

export interface TurnOptions {
  /** Runs after the steps that were taken together. */
  readonly settle: () => Promise<void>
  /** Runs when no step is left. */
  readonly rest: () => void
  /** A step or `settle` failed: nothing runs any more. */
  readonly fail: (error: unknown) => void
}

/** Steps run one after the other; those that come while the disk is written are taken together, and share the next write. */
export class Turn {
  readonly #o: TurnOptions
  #steps: Step[] = []
  #running: Promise<void> | null = null
  #isOver = false

  constructor(options: TurnOptions) {
    this.#o = options
  }

  /** Resolves when the step, and whatever comes with it, is done and settled. */
  run(step: Step): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    this.#steps.push(step)
    this.#running ??= this.#work()
    return this.#running
  }

  /** Takes no further step; resolves when the one that runs has ended. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async #work(): Promise<void> {
    // Lets everything that is already here become part of this turn.
    await Promise.resolve()
    try {
      while (this.#steps.length > 0 && !this.#isOver) {
        for (const step of this.#steps.splice(0)) await step()
        await this.#o.settle()
      }
    } catch (error) {
      this.#isOver = true
      this.#o.fail(error)
    }
    this.#running = null
    if (!this.#isOver) this.#o.rest()
  }
}
