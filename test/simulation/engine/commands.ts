import { whole } from '../world.ts'
import type { EngineSeat, Hall } from './seat.ts'

/** Commands with one word each, told to random members; which words were acknowledged, and whether the logs have them. */
export class Commands {
  readonly acknowledged = new Set<string>()
  readonly #hall: Hall
  readonly #seats: readonly EngineSeat[]
  #told = 0

  constructor(hall: Hall, seats: readonly EngineSeat[]) {
    this.#hall = hall
    this.#seats = seats
  }

  /** Tells one member one word. */
  tell(member: number): string {
    const word = `word ${this.#told++}`
    this.#hall.witness.note(`${member} is told ${word}`)
    this.#seats[member]?.execute(word, (index) => {
      this.#hall.witness.note(`${member} acknowledges ${word} in ${index}`)
      this.acknowledged.add(word)
    })
    return word
  }

  /** Words come at random until `end`. */
  arrive(end: number): void {
    const { clock, draw } = this.#hall
    const next = (): void => {
      if (clock.now > end) return
      this.tell(whole(draw, this.#seats.length))
      clock.after(300 * draw() ** 2, next)
    }
    clock.after(100 * draw(), next)
  }

  /** Every acknowledged word stands in every log; none stands there twice; all logs are one. */
  async problems(): Promise<readonly string[]> {
    const logs = await Promise.all(this.#seats.map((seat) => seat.words()))
    const found: string[] = []
    for (const [member, words] of logs.entries()) {
      const once = new Set(words)
      if (once.size !== words.length) found.push(`member ${member} has a command twice`)
      for (const word of this.acknowledged) if (!once.has(word)) found.push(`member ${member} lost ${word}, which was acknowledged`)
      const other = logs[0] ?? []
      if (words.some((word, i) => i < other.length && word !== other[i])) found.push(`member ${member} has another order than member 0`)
    }
    return found
  }
}
