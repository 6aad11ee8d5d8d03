import { createPrivateKey, createPublicKey, randomBytes, sign as signWith } from 'node:crypto'
import { access, mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { CoalitionError } from '../../client/error.ts'
import { voteKey } from '../../client/groups/keys.ts'
import type { Store } from '../../client/groups/storage.ts'
import { VoteRecordError } from '../../client/groups/vote-record.ts'
import type { Log } from '../../client/log.ts'
import { type Bytes, copy, fromHex, toHex } from '../../client/primitives/bytes.ts'
import { writeWhole } from '../files.ts'
import { openLevel, StoreError } from '../storage/level.ts'
import type { Certificates } from '../transports/sockets.ts'

// A member's folder: link.key (0600), votes/ with the vote key inside, archive/ that can be fetched again, NAME.pem (0600) with the
// certificates of a transport, which can be made again at the cost of the address that readers know.

const LINK_KEY = 'link.key'

/** The public halves: what a roster needs to know of a member. */
export interface PublicKeys {
  /** Ed25519 link key, 32 bytes. */
  readonly peer: Bytes
  /** Ed25519 vote key of epoch 0, 32 bytes. */
  readonly vote: Bytes
}

/** An open member folder. Seeds stay inside: callers get a signature or the one seed that libp2p asks for. */
export interface Folder {
  readonly peer: Bytes
  /** Null when the vote record, and the vote key in it, cannot be read. */
  readonly vote: Bytes | null
  /** The vote record, or why it cannot be opened: such a member follows and serves, and never votes. */
  readonly votes: Store | VoteRecordError
  readonly archive: Store
  /** Seed of the link key, for the transport alone. */
  readonly linkSeed: Bytes
  /** Signs with the vote key. */
  readonly sign: (message: Bytes) => Bytes
  /** The certificates of its listeners. */
  readonly certificates: Certificates
  readonly close: () => Promise<void>
}

// PKCS#8 around a raw Ed25519 seed (RFC 8410 section 7): what node:crypto imports.
const PKCS8 = fromHex('302e020100300506032b657004220420')
const privateKey = (seed: Bytes) => createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
const publicOf = (seed: Bytes): Bytes => {
  const spki = createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' })
  return copy(spki.subarray(spki.length - 32))
}

/**
 * Makes the keys of a new member, or gives those that are there. The vote key is written into the vote record's own store: whoever
 * loses one loses both, and cannot sign twice by restoring half of a backup (PROTOCOL.md section 1, "Loss").
 *
 * @throws FolderError, StoreError
 */
export const initFolder = async (path: string): Promise<PublicKeys> => {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause: Error) => {
    throw new FolderError(path, `cannot be made: ${cause.message}`, cause)
  })
  // First, as only one process can have it: two at once would each print a link key of their own.
  const votes = await openLevel(join(path, 'votes'))
  try {
    const link = join(path, LINK_KEY)
    if (!(await exists(link))) await writeWhole(link, `${toHex(new Uint8Array(randomBytes(32)))}\n`, 0o600)
    const seed = (await votes.get(voteKey.secret)) ?? new Uint8Array(randomBytes(32))
    await votes.write([{ key: voteKey.secret, value: seed }], { sync: true })
    return { peer: publicOf(await readSeed(link)), vote: publicOf(seed) }
  } finally {
    await votes.close()
  }
}

/** Opens a member's folder for running. @throws FolderError when something is missing, StoreError when another process runs it */
export const openFolder = async (path: string, log: Log): Promise<Folder> => {
  const linkSeed = await readSeed(join(path, LINK_KEY))
  const { votes, seed } = await openVotes(join(path, 'votes'))
  const close = async (): Promise<void> => {
    if (!(votes instanceof VoteRecordError)) await votes.close()
  }
  try {
    const key = seed === null ? null : privateKey(seed)
    const archive = await openArchive(join(path, 'archive'), log)
    return {
      peer: publicOf(linkSeed),
      vote: seed === null ? null : publicOf(seed),
      linkSeed,
      votes,
      archive,
      certificates: (transport) => pemFile(join(path, `${transport}.pem`)),
      sign: (message) => {
        if (key === null) throw new FolderError(join(path, 'votes'), 'cannot be read: there is no key to sign with')
        return copy(signWith(null, message, key))
      },
      close: async () => {
        await close()
        await archive.close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

type Votes = { readonly votes: Store; readonly seed: Bytes } | { readonly votes: VoteRecordError; readonly seed: null }

// Damage to it ends the member's voting and nothing else. A second process on the folder, or a full disk, is another matter.
const openVotes = async (path: string): Promise<Votes> => {
  try {
    const votes = await openLevel(path)
    const seed = await votes.get(voteKey.secret).catch(() => null)
    if (seed?.length === 32) return { votes, seed }
    // A store that lost its first file LevelDB opens anew, and empty.
    await votes.close()
    return { votes: damaged(`${path} holds no vote key that can be read`), seed: null }
  } catch (error) {
    if (!(error instanceof StoreError) || !error.isDamage) throw error
    return { votes: damaged(error.message, error), seed: null }
  }
}

const damaged = (problem: string, cause?: unknown): VoteRecordError =>
  new VoteRecordError(
    `${problem}; this member must not vote again, and goes on following and serving. Make a new folder with \`coalition member init\` and rejoin by Reconfigure with its new vote key`,
    '',
    cause,
  )

// It can be fetched again, so one that cannot be opened is put aside and not deleted: somebody may want to know why.
const openArchive = async (path: string, log: Log): Promise<Store> => {
  try {
    return await openLevel(path)
  } catch (error) {
    if (!(error instanceof StoreError) || !error.isDamage) throw error
    const aside = `${path}.damaged-${Date.now()}`
    await rename(path, aside)
    log('error', 'the archive cannot be opened; it was put aside and is fetched again', { aside, problem: error.message })
    return openLevel(path)
  }
}

const pemFile = (path: string): ReturnType<Certificates> => ({
  load: async () => ((await exists(path)) ? copy(await readFile(path)) : null),
  store: (bytes) => writeWhole(path, bytes, 0o600),
})

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

const readSeed = async (path: string): Promise<Bytes> => {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new FolderError(path, 'cannot be read: make the folder with `coalition member init`', cause)
  })
  // The error names the file and never what is in it.
  if (!/^[0-9a-f]{64}\n?$/.test(text)) throw new FolderError(path, 'is not 64 hex digits')
  return fromHex(text.trim())
}

/** A member's folder that cannot be made or read, or has no keys. */
export class FolderError extends CoalitionError {
  constructor(path: string, problem: string, cause?: unknown) {
    super('Member.FolderError', `${path} ${problem}`, { path, problem }, cause === undefined ? {} : { cause })
  }
}
