import { Gate } from '../../network/scope.ts'
import type { Bytes } from '../../primitives/bytes.ts'

/** Most bytes that wait for a slow or absent member: a few full blocks. What comes then is dropped; the member asks for what it lacks. */
const MOST_BYTES = 16 * 1024 * 1024
/** Most bytes of one write: many small votes go out as one. */
const WRITE_BYTES = 256 * 1024

/** Frames on their way to one member. */
export class Outbox {
  readonly #gate = new Gate()
  #frames: Bytes[] = []
  #size = 0

  /** Queues a frame. False when it was dropped. */
  add(frame: Bytes): boolean {
    if (this.#size + frame.length > MOST_BYTES) return false
    this.#frames.push(frame)
    this.#size += frame.length
    this.#gate.open()
    return true
  }

  /** Forgets what was meant for a link that is gone: it is older than what the new one begins with. */
  clear(): void {
    this.#frames = []
    this.#size = 0
  }

  /** The next frames, once there are any. @throws the signal's reason */
  async take(signal: AbortSignal): Promise<readonly Bytes[]> {
    while (this.#frames.length === 0) await this.#gate.wait(signal)
    signal.throwIfAborted()
    let bytes = 0
    let count = 0
    while (count < this.#frames.length && (count === 0 || bytes + (this.#frames[count] as Bytes).length <= WRITE_BYTES))
      bytes += (this.#frames[count++] as Bytes).length
    this.#size -= bytes
    return this.#frames.splice(0, count)
  }
}
