import { type Bytes, fromHex, toHex } from '../primitives/bytes.ts'
import type { Archive } from './archive.ts'
import { type Block, type Certificate, COMMAND_WINDOW, commitHash, type Header, type Seal } from './block.ts'
import { signersOf } from './certificate.ts'
import type { Branch } from './execution.ts'
import type { Link, Signatures } from './simplex/index.ts'

/** How many blocks may be final without a synced archive: until then they are also in the vote record. */
const SYNC_EVERY = 64
/** Final blocks whose seals may still gain signatures: those of the views that finality keeps in mind. */
const RECENT = 64n

/** The final blocks of a group as it runs: the head, the seals, the ids that were taken lately, and who wants to hear of more. */
export class History<S, C> {
  readonly archive: Archive<S, C>
  readonly #n: number
  /** Ids that took effect in the last 1,024 blocks, with the block that took them; oldest first. */
  readonly #taken = new Map<string, bigint>()
  /** The last final blocks by commit hash. */
  readonly #recent = new Map<string, Header>()
  /** By number of signatures: the newest certificate that has as many or more. */
  readonly #best: (Certificate | null)[]
  #head: Branch<S>

  private constructor(archive: Archive<S, C>, head: Branch<S>, n: number) {
    this.archive = archive
    this.#head = head
    this.#n = n
    this.#best = Array.from({ length: n + 1 }, () => null)
  }

  static async open<S, C>(archive: Archive<S, C>, head: Branch<S>, n: number): Promise<History<S, C>> {
    const history = new History(archive, head, n)
    const newest = head.header.index
    const first = newest > COMMAND_WINDOW ? newest - COMMAND_WINDOW + 1n : 1n
    for (let index = first; index <= newest; index++) for (const id of await archive.taken(index)) history.#taken.set(id, index)
    for (let index = newest > RECENT ? newest - RECENT + 1n : 1n; index <= newest; index++) {
      const [block, seal] = await Promise.all([archive.block(index), archive.seal(index)])
      if (block === null) continue
      history.#keep(commitHash(block.header), block.header)
      if (seal !== null) history.#offer(block.header, seal)
    }
    return history
  }

  get head(): Branch<S> {
    return this.#head
  }

  get newest(): bigint {
    return this.#head.header.index
  }

  /** The newest certificate of at least `strength` signatures. */
  certificate(strength: number): Certificate | null {
    return this.#best[strength] ?? null
  }

  /** The newest certificate that there is. */
  get newestCertificate(): Certificate | null {
    return this.#best[1] ?? null
  }

  isTaken(id: string): boolean {
    return this.#taken.has(id)
  }

  /** The block that took an id, among the last 1,024. */
  takenAt(id: string): bigint | null {
    return this.#taken.get(id) ?? null
  }

  /** The last final blocks as finality sees them, oldest first: promises made below the head are compared with them. */
  links(): readonly Link[] {
    const headers = [...this.#recent]
    return headers.map(([hash, header], i) => ({
      hash: fromHex(hash),
      view: header.view,
      parent: header.prev,
      parentView: headers[i - 1]?.[1].view ?? (header.index === 1n ? 0n : -1n),
    }))
  }

  /**
   * Adds the next final block. True when everything up to it has reached the disk.
   * @param seal null where a later block's votes made this one final
   */
  async commit(branch: Branch<S>, block: Block, seal: Seal | null): Promise<boolean> {
    const { index } = branch.header
    const sync = this.archive.unsynced + 1 >= SYNC_EVERY
    await this.archive.commit(branch, block, seal, sync)
    for (const id of branch.ids) this.#taken.set(id, index)
    for (const [id, at] of this.#taken) {
      if (at > index - COMMAND_WINDOW) break
      this.#taken.delete(id)
    }
    this.#head = { ...branch, changes: [] }
    this.#keep(branch.link.hash, branch.header)
    if (seal !== null) this.#offer(branch.header, seal)
    return sync
  }

  /** More votes on a final block. True when its certificate is stronger now. */
  strengthen(hash: Bytes, view: bigint, votes: Signatures): boolean {
    const header = this.#recent.get(toHex(hash))
    if (header === undefined) return false
    const best = this.#best[votes.size] ?? null
    // Of an older block with a newer one as strong beside it nobody asks for the certificate.
    if (best !== null && best.header.index >= header.index) return false
    const seal = sealOf(view, votes, this.#n)
    this.archive.strengthen(header.index, seal)
    return this.#offer(header, seal)
  }

  /** The finalize vote of a member on the newest block that it signed, as far as seals are remembered. */
  signedBy(member: number): { readonly header: Header; readonly seal: Seal; readonly signature: Bytes } | null {
    for (const certificate of this.#best) {
      if (certificate === null) continue
      const at = signersOf(certificate.seal, this.#n).indexOf(member)
      const signature = certificate.seal.signatures[at]
      if (signature !== undefined) return { ...certificate, signature }
    }
    return null
  }

  #keep(hash: Bytes, header: Header): void {
    this.#recent.set(toHex(hash), header)
    for (const [name, { index }] of this.#recent) {
      if (index > header.index - RECENT) break
      this.#recent.delete(name)
    }
  }

  #offer(header: Header, seal: Seal): boolean {
    let isBetter = false
    for (let strength = 1; strength <= seal.signatures.length; strength++) {
      const best = this.#best[strength] ?? null
      const isNewer = best === null || header.index > best.header.index
      const isStronger = best?.header.index === header.index && seal.signatures.length > best.seal.signatures.length
      if (!isNewer && !isStronger) continue
      this.#best[strength] = { header, seal }
      isBetter = true
    }
    return isBetter
  }
}

/** Finalize votes as a seal (docs/wire.md section 3): bits in member order, signatures likewise. */
export const sealOf = (view: bigint, votes: Signatures, n: number): Seal => {
  const signers = new Uint8Array(Math.ceil(n / 8))
  const members = [...votes.keys()].sort((a, b) => a - b)
  for (const member of members) signers[member >> 3] = (signers[member >> 3] as number) | (1 << (member & 7))
  return { view, signers, signatures: members.map((member) => votes.get(member) as Bytes) }
}

/** Votes but for those of one member. */
export const without = (votes: Signatures, member: number): Signatures => new Map([...votes].filter(([each]) => each !== member))
