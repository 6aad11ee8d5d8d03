import { certificateCodec, commitHash } from '../../groups/block.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { fixed, type Of, option, refine, struct, u64 } from '../../primitives/codec.ts'
import type { GroupId } from '../../primitives/id.ts'
import type { Host } from '../host.ts'

// What is the newest block of a group, by hearsay. Without its certificate a head is a hint: it says where to look and proves nothing. With
// it, whoever knows the group's roster can check it like any other certificate.

const fields = struct('HeadHint', {
  group: fixed<GroupId>(32, 'group'),
  index: u64,
  commit: fixed(32),
  certificate: option(certificateCodec),
})

/** docs/wire.md section 10. A certificate is one of this very block. */
export const headHintCodec = refine(fields, 'HeadHint', ({ index, commit, certificate }) => {
  if (certificate === null) return null
  const { header } = certificate
  return header.index === index && equal(commitHash(header), commit) ? null : 'a certificate of another block'
})

export type HeadHint = Of<typeof headHintCodec>

/** Hints that are held of one group: several, from different sources, so that one loud liar does not push out the others. */
const PER_GROUP = 4
const GROUPS = 256
/** Milliseconds after which a hint says nothing any more. */
const STALE_MS = 60_000

interface Held {
  readonly hint: HeadHint
  readonly source: string
  readonly atMs: number
}

/** The newest that was heard of each group, one hint a source. Nothing here was checked but that a certificate is of its own block. */
export class Heads {
  readonly #host: Pick<Host, 'now'>
  readonly #groups = new Map<string, readonly Held[]>()

  constructor(host: Pick<Host, 'now'>) {
    this.#host = host
  }

  /** @param source link key of who sent it; null for a head of one's own */
  add(hint: HeadHint, source: Bytes | null): void {
    const held: Held = { hint, source: source === null ? '' : toHex(source), atMs: this.#host.now() }
    const name = toHex(hint.group)
    const others = this.#fresh(name).filter((other) => other.source !== held.source)
    // Taken out first, so that the order of the map is the order of news.
    this.#groups.delete(name)
    if (this.#groups.size >= GROUPS) this.#groups.delete(this.#groups.keys().next().value as string)
    this.#groups.set(name, [held, ...others].slice(0, PER_GROUP))
  }

  /** What was heard of a group, newest news first. */
  of(group: Bytes): readonly HeadHint[] {
    return this.#fresh(toHex(group)).map(({ hint }) => hint)
  }

  #fresh(name: string): readonly Held[] {
    const now = this.#host.now()
    return (this.#groups.get(name) ?? []).filter(({ atMs }) => atMs <= now && now - atMs < STALE_MS)
  }
}
