import { signersOf } from '../../groups/certificate.ts'
import { type Roster, thresholds } from '../../groups/roster.ts'
import { type Branch, commitBelow, type Fork } from '../../network/reader/fork.ts'
import { type Sealed, verifyLeaf } from '../../network/reader/opened.ts'
import { CheckError, type Ground } from '../../network/reader/trust.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { check } from '../checks.ts'
import type { Check } from '../verdict.ts'
import { reach } from './reach.ts'

/** A member of the committee, for people: its place, its name and its link key. */
export interface Seat {
  readonly member: number
  readonly operator: string
  readonly peer: string
}

/** What two certified histories prove. */
export interface Equivocation {
  /** Index at which they differ, decimal, and what each has there. */
  readonly index: string
  readonly commits: readonly [string, string]
  /** Members whose signatures are on both; empty where the two were certified in different epochs. */
  readonly signedBoth: readonly Seat[]
  /** How many of the committee lied at least. Not every one who signed both has to be a liar, and liars may have signed one only. */
  readonly liars: number
  readonly checks: readonly Check[]
}

/**
 * Holds when both histories are certified by the committee that the config leads to, and have different blocks at one index. The strength is
 * the quorum's, whatever a reader withstands: a quorum on both sides is what no honest majority allows.
 *
 * @throws CheckError
 */
export const checkEquivocation = async (ground: Ground, { index, branches }: Fork): Promise<Equivocation> => {
  const quorum: Ground = { ...ground, withstand: null }
  const [ours, theirs] = await Promise.all([headOf(quorum, index, branches[0]), headOf(quorum, index, branches[1])])
  const commits = [toHex(branches[0].commit), toHex(branches[1].commit)] as const
  if (commits[0] === commits[1]) throw new CheckError('commit.consistency', `two blocks at index ${index}`, `one: ${commits[0]}`)
  const { roster } = ours.committee
  const { n, quorum: needed } = thresholds(roster.members.length)
  const sizes = [ours, theirs].map(({ seal }) => seal.signatures.length)
  const oneEpoch = equal(ours.committee.id, theirs.committee.id)
  const liars = oneEpoch ? Math.min(...sizes) + needed - n : 1
  return {
    index: index.toString(),
    commits,
    signedBoth: oneEpoch ? signedBoth(roster, ours, theirs) : [],
    liars,
    checks: checksOf(ours, theirs, index, commits),
  }
}

/** The certified head of a history, once it is shown to have what the file says at `index`. */
const headOf = async (ground: Ground, index: bigint, branch: Branch): Promise<Sealed> => {
  const head = await reach(ground, branch)
  const found = commitOf(head, index, branch)
  if (!equal(found, branch.commit)) throw new CheckError('commit.consistency', toHex(branch.commit), toHex(found))
  return head
}

const commitOf = (head: Sealed, index: bigint, { commit, link }: Branch): Bytes => {
  if (link?.kind === 'headers') return commitBelow(head.header, index, link.headers)
  if (link?.kind === 'leaf') {
    verifyLeaf(head, index, commit, link.proof)
    return commit
  }
  if (head.header.index !== index) throw new CheckError('commit.consistency', `block ${index}`, `block ${head.header.index}`)
  return head.commit
}

const signedBoth = ({ members }: Roster, ours: Sealed, theirs: Sealed): readonly Seat[] => {
  const others = new Set(signersOf(theirs.seal, members.length))
  return signersOf(ours.seal, members.length)
    .filter((member) => others.has(member))
    .map((member) => ({ member, operator: members[member]?.operator ?? '', peer: toHex(members[member]?.peer ?? new Uint8Array(0)) }))
}

const checksOf = (ours: Sealed, theirs: Sealed, index: bigint, commits: readonly [string, string]): readonly Check[] => {
  const signed = ({ committee, seal }: Sealed): string => `${seal.signatures.length} of ${committee.roster.members.length}`
  const epochs = `epochs ${ours.committee.roster.epoch} and ${theirs.committee.roster.epoch} from epoch 0`
  return [
    check('commit.header', 'passed', 'version 1 and the surfaces of the config', 'in both certified blocks'),
    check('commit.consistency', 'failed', `one block at index ${index}`, `${commits[0]} and ${commits[1]}`),
    check('start.point', 'passed', 'the config’s genesis or a head verified from it', 'genesis'),
    check('roster.chain', 'passed', 'each roster announced by the one before', epochs),
    check(
      'commit.signatures',
      'passed',
      `${ours.committee.needed} and ${theirs.committee.needed} needed`,
      `${signed(ours)} and ${signed(theirs)} signed`,
    ),
  ]
}
