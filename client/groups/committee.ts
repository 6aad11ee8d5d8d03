import type { Bytes } from '../primitives/bytes.ts'

/** What a group hears of the other members. */
export interface CommitteeListener {
  /** A message of a member, whose link key was proven. While the returned promise is pending nothing more is read from that member. */
  readonly receive: (from: number, message: Bytes) => void | Promise<void>
  readonly reach: (member: number, isUp: boolean) => void
}

/** How a member reaches the others: links between roster members only. Messages may be lost, repeated and overtaken; none is changed. */
export interface Committee extends AsyncDisposable {
  /** Called once by the group, before anything is sent. */
  readonly start: (listener: CommitteeListener) => void
  /** Queues a message for a member. The queue is bounded: what does not fit, or cannot be delivered, is dropped, and asked for again. */
  readonly send: (to: number, message: Bytes) => void
}
