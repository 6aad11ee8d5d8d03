import { CoalitionError } from '../error.ts'

/** A member that takes no commands: closed, or one that can neither vote nor follow. */
export class StoppedError extends CoalitionError {
  constructor(cause: unknown) {
    super(
      'Group.StoppedError',
      cause === null ? 'this member was stopped' : 'this member stopped voting',
      {},
      cause === null ? {} : { cause },
    )
  }
}

/** The final chain holds another block than this member promised to hold by: more members lied than the committee withstands. */
export class ContradictedError extends CoalitionError {
  declare readonly view: bigint

  constructor(view: bigint) {
    super(
      'Group.ContradictedError',
      `the final chain contradicts what this member finalized in view ${view}: more members lied than the committee withstands. Keep the folder: it is evidence`,
      { view },
    )
  }
}
