import type { Check, CheckState } from './verdict.ts'

/**
 * The closed list of checks by the light they belong to, in the order a verdict shows them. A name stands here once code makes the check;
 * a verdict with a name that is not here is refused, since a check without a light could fail and turn nothing red.
 */
export const LIGHTS = {
  integrity: ['commit.header', 'commit.consistency', 'item.inclusion', 'answer.complete', 'evidence.inclusion'],
  authority: ['start.point', 'roster.chain', 'commit.signatures', 'settings.withstand', 'quote.chain', 'anchor.root'],
  freshness: ['head.age', 'head.sources', 'clock.skew'],
} as const

/** integrity: hashes, proofs, completeness · authority: keys, quorum, strength, measurements, starting point · freshness: how old. */
export type LightName = keyof typeof LIGHTS

export type CheckName = (typeof LIGHTS)[LightName][number]

/** What a check is about, for people. */
export interface CheckDoc {
  /** What was compared with what. */
  readonly checks: string
  /** What follows when it fails, or stays unproven. */
  readonly failure: string
  /** The document and section that ask for it. */
  readonly source: string
}

/** One row a check. The page does not import this table: names and light are enough there, and these texts would be a fifth of its budget. */
export const CHECKS: Readonly<Record<CheckName, CheckDoc>> = {
  'commit.header': {
    checks: 'The header is the one canonical encoding of a header, and its hash is the commit hash that was certified or proven.',
    failure: 'The server sent a header that nobody signed. Nothing under its roots can be believed.',
    source: 'PROTOCOL.md section 1, Header',
  },
  'commit.consistency': {
    checks: 'Each header names the hash of the one before it, and the head this reader stored is a leaf under the new head’s log root.',
    failure: 'History was rewritten: two certified logs of one group differ. Keep both heads, they are evidence of equivocation.',
    source: 'PROTOCOL.md section 1, Certificate; section 3, step 3',
  },
  'item.inclusion': {
    checks: 'The item, or its absence, folds with its proof into the surface root of the verified header.',
    failure: 'The item is not what the committee committed: the server made it up, or changed it.',
    source: 'PROTOCOL.md section 2, Tree and Map',
  },
  'answer.complete': {
    checks: 'The run of items closes at the count and link of its index entry, or the range tiles the whole tree.',
    failure: 'Items were left out or added. Those that came may each be genuine; the list is not the whole one.',
    source: 'PROTOCOL.md section 2, Complete answers',
  },
  'evidence.inclusion': {
    checks:
      'The raw chain evidence proves the item: its transactions and receipts fold by Merkle-Patricia proofs into the header with the block hash.',
    failure: 'The committee committed to something that its evidence does not show. Unproven: the evidence was not fetched.',
    source: 'PROTOCOL.md section 1, Facts from outside; docs/wire.md section 6',
  },
  'start.point': {
    checks: 'Where trust begins: the newest of stored head, checkpoint and genesis, and how old it is.',
    failure: 'Unproven beyond 90 days: vote keys of members long gone could have signed another history since.',
    source: 'PROTOCOL.md section 1, Former members',
  },
  'roster.chain': {
    checks:
      'Every roster from the starting point on was announced by a block that the roster before it certified at the reader’s strength.',
    failure: 'The committee that signed is not the one that follows from the compiled-in config.',
    source: 'PROTOCOL.md section 1, Membership',
  },
  'commit.signatures': {
    checks: 'Enough members of the roster signed finalize votes for this commit to withstand the liars that the reader named.',
    failure: 'Too few signatures are valid. The commit may be from a fork, or not final.',
    source: 'PROTOCOL.md section 1, Certificate and Strength',
  },
  'settings.withstand': {
    checks: 'The number of liars that the reader wants to withstand can be met by a committee of this size.',
    failure: 'More signatures are asked for than there are members: no answer of this committee can satisfy the reader.',
    source: 'PROTOCOL.md section 1, Strength',
  },
  'quote.chain': {
    checks:
      'The signers’ TDX quotes hold now: chain to the pinned root, collateral, measurements, and the vote key bound in the report data.',
    failure: 'Fewer attested signers than the strength asks for: keys may live outside of the machine that the ACL names.',
    source: 'TDX.md, Tickets of a committee',
  },
  'anchor.root': {
    checks: 'The newest anchor in a finalized block of the chain equals the log root at the size it names.',
    failure: 'The anchored log is another one than was shown here. Unproven: no anchor, or an old one.',
    source: 'PROTOCOL.md section 3, step 7',
  },
  'head.age': {
    checks: 'The age of the newest head by the device’s clock, against the heartbeat of the group.',
    failure: 'Unproven after 3 heartbeats, stale after 6: the group has stopped, or newer heads are kept from this reader.',
    source: 'PROTOCOL.md section 1, Header',
  },
  'head.sources': {
    checks: 'More distinct operators than may lie, each on a link of its own, show this head or an older one.',
    failure: 'Unproven: too few sources to tell a quiet group from a server that hides its newest commits.',
    source: 'PROTOCOL.md section 3, step 6',
  },
  'clock.skew': {
    checks: 'The device’s clock against the time of more members than may lie.',
    failure: 'Unproven: the device’s clock is off, so ages measured with it say little. The data itself is not affected.',
    source: 'API.md, Verdict',
  },
}

/** A check with the document that asks for it as its source. */
export const check = (
  name: CheckName,
  state: CheckState,
  expected: string,
  found: string,
  source: string = CHECKS[name].source,
): Check => ({ name, state, expected, found, source })

/** Heartbeats without a commit after which a head is old, and stale (PROTOCOL.md section 1, Header). */
export const HEAD_AGE = { amber: 3, stale: 6 } as const

/**
 * The check of a head's age, both in milliseconds. An old head is never a failed check: it is still what the committee committed, and a
 * reader without a connection is shown it for what it is. A negative age is a clock that is behind and left to `clock.skew`.
 */
export const headAge = (ageMs: number, heartbeatMs: number): Check => {
  const age = Math.max(0, ageMs)
  const stale = age > HEAD_AGE.stale * heartbeatMs
  return check(
    'head.age',
    age > HEAD_AGE.amber * heartbeatMs ? 'unproven' : 'passed',
    `at most ${HEAD_AGE.amber * heartbeatMs} ms`,
    `${age} ms${stale ? ', stale' : ''}`,
  )
}
