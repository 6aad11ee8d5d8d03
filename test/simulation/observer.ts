import type { Contradiction, Link, Vote } from '../../client/groups/simplex/index.ts'
import type { Life } from './life.ts'
import type { Who } from './network.ts'
import type { Trace } from './trace.ts'
import { nameOf, ROOT } from './world.ts'

/** Whoever listens in on everything: the liars. */
export interface Tap {
  readonly made: (link: Link) => void
  readonly sent: (vote: Vote) => void
  readonly entered: (view: bigint) => void
}

/** What an honest member did that it must not. */
export interface Problem {
  readonly kind: 'fork' | 'signed twice' | 'accused' | 'contradicted'
  readonly text: string
}

type Ballot = Map<Vote['kind'], string>

/** Sees every vote that left a member, and every block that one of them calls final, and says what must not be. */
export class Observer {
  /** In the order in which they were seen. */
  readonly problems: Problem[] = []
  readonly liars: ReadonlySet<number>
  tap: Tap | null = null
  readonly #trace: Trace
  readonly #now: () => number
  readonly #links = new Map<string, { readonly link: Link; readonly height: number }>([[nameOf(ROOT.hash), { link: ROOT, height: 0 }]])
  /** The block at each height that an honest member was the first to call final. */
  readonly #finals: string[] = [nameOf(ROOT.hash)]
  /** What each honest member signed: member and view, then kind. */
  readonly #ballots = new Map<string, Ballot>()
  /** Honest finalize votes: block, then members. */
  readonly #finalized = new Map<string, Set<number>>()
  /** Votes of one life that contradict each other, as member and view: what was seen to come, and what the core made of it. */
  readonly #lives = new Map<Life, { readonly heard: Map<string, Ballot>; readonly due: Set<string>; readonly told: Set<string> }>()

  constructor(trace: Trace, now: () => number, liars: Iterable<number>) {
    this.#trace = trace
    this.#now = now
    this.liars = new Set(liars)
  }

  /** Height of the newest block that an honest member called final. */
  get height(): number {
    return this.#finals.length - 1
  }

  made(link: Link): void {
    const parent = this.#links.get(nameOf(link.parent))
    if (parent === undefined) throw new Error(`a block on one that nobody made: ${nameOf(link.hash)}`)
    this.#links.set(nameOf(link.hash), { link, height: parent.height + 1 })
    this.tap?.made(link)
  }

  sent(actor: Who, vote: Vote): void {
    const { view, kind, hash, member } = vote
    this.#note(`${actor.place} ${kind} ${view} ${short(nameOf(hash))}`)
    if (this.liars.has(member)) return
    const [ballot, other] = cast(this.#ballots, vote)
    if (other !== null) this.#problem('signed twice', `member ${member} signed ${kind} beside another ${other} in view ${view}`)
    ballot.set(kind, nameOf(hash))
    if (kind === 'finalize') this.#signers(nameOf(hash)).add(member)
    this.tap?.sent(vote)
  }

  entered(actor: Who, view: bigint): void {
    this.#note(`${actor.place} enters ${view}`)
    if (!this.liars.has(actor.member)) this.tap?.entered(view)
  }

  final(actor: Who, height: number, link: Link): void {
    const name = nameOf(link.hash)
    this.#note(`${actor.place} final ${height} ${short(name)} of view ${link.view}`)
    if (this.liars.has(actor.member)) return
    const first = this.#finals[height]
    if (first === undefined) this.#finals[height] = name
    else if (first !== name)
      this.#problem('fork', `${short(first)} was final at height ${height}, member ${actor.member} has ${short(name)}`)
  }

  /** A block became final at a member whose own log it does not continue. */
  broken(actor: Who): void {
    if (!this.liars.has(actor.member)) this.#problem('fork', `what is final at member ${actor.member} does not continue its log`)
  }

  contradicted(actor: Who, view: bigint): void {
    if (!this.liars.has(actor.member))
      this.#problem('contradicted', `the final chain contradicts what member ${actor.member} finalized in view ${view}`)
  }

  /** A vote that counts reached the core of an honest member. */
  delivered(life: Life, to: Who, vote: Vote): void {
    if (vote.member === to.member || this.liars.has(to.member)) return
    const { heard, due } = this.#of(life)
    const [ballot, other] = cast(heard, vote)
    if (other !== null) due.add(`${vote.member} ${vote.view}`)
    ballot.set(vote.kind, nameOf(vote.hash))
  }

  evidence(life: Life, { first, second }: Contradiction): void {
    const { member, view } = first
    this.#note(`evidence against ${member} in view ${view}`)
    this.#of(life).told.add(`${member} ${view}`)
    if (!this.liars.has(member))
      this.#problem('accused', `evidence against member ${member}, which is honest: ${first.kind} and ${second.kind} in view ${view}`)
  }

  /** What a life did not report in time is not held against it any more. */
  ended(life: Life): void {
    this.#lives.delete(life)
  }

  /** What was seen twice of a liar and not reported. */
  unreported(): readonly string[] {
    return [...this.#lives.values()].flatMap(({ due, told }) => [...due].filter((name) => !told.has(name)))
  }

  /**
   * Two certificates of `strength` signatures that no chain holds both of, or null. Whoever lies may sign everything, also later: a
   * certificate is there as soon as honest members gave what liars lack of it.
   */
  conflictAt(strength: number): string | null {
    const certified = [...this.#finalized].filter(([, by]) => by.size + this.liars.size >= strength).map(([name]) => name)
    const chain = certified.map((name) => this.#at(name)).sort((a, b) => a.height - b.height)
    for (let i = 1; i < chain.length; i++) {
      const [below, above] = [chain[i - 1] as Placed, chain[i] as Placed]
      let at = above
      while (at.height > below.height) at = this.#at(nameOf(at.link.parent))
      if (at !== below)
        return `${short(nameOf(below.link.hash))} of view ${below.link.view} and ${short(nameOf(above.link.hash))} of view ${above.link.view}`
    }
    return null
  }

  #at(name: string): Placed {
    const placed = this.#links.get(name)
    if (placed === undefined) throw new Error(`an honest vote on a block that nobody made: ${name}`)
    return placed
  }

  #of(life: Life) {
    const known = this.#lives.get(life) ?? { heard: new Map<string, Ballot>(), due: new Set<string>(), told: new Set<string>() }
    this.#lives.set(life, known)
    return known
  }

  #signers(name: string): Set<number> {
    const signers = this.#finalized.get(name) ?? new Set()
    this.#finalized.set(name, signers)
    return signers
  }

  #problem(kind: Problem['kind'], text: string): void {
    this.#note(`${kind.toUpperCase()}: ${text}`)
    this.problems.push({ kind, text })
  }

  #note(line: string): void {
    this.#trace.note(this.#now(), line)
  }
}

interface Placed {
  readonly link: Link
  readonly height: number
}

const short = (name: string): string => name.slice(0, 8)

/** The ballot that a vote belongs to, and the kind of an earlier vote on it that it contradicts. */
const cast = (ballots: Map<string, Ballot>, { member, view, kind, hash }: Vote): readonly [Ballot, Vote['kind'] | null] => {
  const key = `${member} ${view}`
  const ballot: Ballot = ballots.get(key) ?? new Map()
  ballots.set(key, ballot)
  if (kind === 'nullify' && ballot.has('finalize')) return [ballot, 'finalize']
  if (kind === 'finalize' && ballot.has('nullify')) return [ballot, 'nullify']
  const before = ballot.get(kind)
  return [ballot, before !== undefined && before !== nameOf(hash) ? kind : null]
}
