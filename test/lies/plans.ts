import { answered, commits, either, first, flipped, framed, head, instead, type Lie, opened } from '../liar.ts'
import { ownCommittee, ownEpoch, signedBy, tipOf } from './forgery.ts'
import { OTHER_SIDE, otherBucket, overpaid, type Plan, richer, type Stage } from './stage.ts'

// How each lie of the table is told. A plan gets the stage that it is told on; most need nothing of it.

type Tell = (stage: Stage) => Plan
const says =
  (lie: Lie): Tell =>
  () => ({ lie })
const zeros = new Uint8Array(32)
const third = <T>(list: readonly T[], change: (one: T) => T): readonly T[] => list.map((one, i) => (i === 2 ? change(one) : one))

export const amountOfNewest = says(answered('item', ({ item, proof }) => ({ item: richer(item), proof })))
export const amountOfOlder = says(answered('range', ({ items, proof }) => ({ items: third(items, richer), proof })))
export const amountOfAddress = says(
  answered('tail', (value) => ({ ...value, items: value.items.map(({ position, item }) => ({ position, item: richer(item) })) })),
)
/** The first of the blocks of the history that are forged: the newest one. */
const LAST = 5
export const signedAmount: Tell = (stage) => signedBy(overpaid(stage, LAST))

/** A block with a payment: the heartbeats between are passed on as they are. */
const payment = (change: (items: readonly Uint8Array<ArrayBuffer>[]) => readonly Uint8Array<ArrayBuffer>[]): Tell =>
  says(commits((value) => ({ ...value, appended: value.appended.map((lists) => lists.map(change)) })))
export const amountOfNext = payment((items) => items.map(richer))
export const nextDropped = payment(() => [])

export const oneDropped = says(
  answered('tail', (value) => {
    const gone = value.items[2]?.position
    const runs = value.runs.map((run) => ({ ...run, positions: run.positions.filter((position) => position !== gone) }))
    return { ...value, runs, items: value.items.filter(({ position }) => position !== gone) }
  }),
)
export const newestDropped = says(
  answered('tail', (value) => {
    const runs = value.runs.map((run) =>
      run.positions.length > 1 ? { ...run, count: run.count - 1n, positions: run.positions.slice(0, -1) } : run,
    )
    const named = new Set(runs.flatMap(({ positions }) => positions))
    return { ...value, runs, items: value.items.filter(({ position }) => named.has(position)) }
  }),
)
export const olderDropped = says(answered('range', ({ items, proof }) => ({ items: items.filter((_, i) => i !== 2), proof })))

export const forgedSignature = says(head(({ header, seal }) => ({ header, seal: { ...seal, signatures: first(seal.signatures) } })))
/** Two keys, and a third bit with a signature that is not that member's. */
export const borrowedName: Tell = (stage) => {
  const serves = overpaid(stage, LAST)
  const { header, seal } = tipOf(serves)
  const signatures = [...seal.signatures, seal.signatures[0] ?? zeros]
  return { serves, lie: head(() => ({ header, seal: { ...seal, signers: Uint8Array.of(0b111), signatures } })) }
}
export const reusedForOther = says(head(({ header, seal }) => ({ header: { ...header, log: flipped(header.log) }, seal })))
export const reusedForNext: Tell = ({ truth: { chain } }) => ({
  lie: commits((value) => ({ ...value, seal: chain.seals[Number(value.headers.at(-1)?.index) - 1] ?? value.seal })),
})

export const oldHead: Tell = ({ past }) => ({ serves: past(3) })
export const frozenHead: Tell = ({ past }) => ({ serves: past(6) })

/** The reader is made to open again. */
const gap: Lie = (honest) =>
  honest.kind === 'commits' ? { kind: 'gap', value: { next: (honest.value.headers.at(-1)?.index ?? 0n) + 1n } } : null
const link = (change: (path: readonly Uint8Array<ArrayBuffer>[]) => readonly Uint8Array<ArrayBuffer>[]): Lie =>
  opened((value) => ({ ...value, links: value.links.map((proof) => proof && { ...proof, path: change(proof.path) }) }))
export const unlinked = says(
  either(
    gap,
    opened((value) => ({ ...value, links: value.links.map(() => null) })),
  ),
)
export const wronglyLinked = says(either(gap, link(first)))
export const linkTooLong = says(
  either(
    gap,
    link((path) => [...path, zeros]),
  ),
)
/** Ahead of what the reader has, from the sixth block on another one. */
export const newerFork: Tell = ({ past, now }) => {
  const later = past(6)
  for (const block of [70n, 80n, 90n]) later.pay(block, { timeMs: now(), signers: OTHER_SIDE })
  return { later, lie: gap }
}
/** Behind what the reader has: one block on top of the sixth. */
export const olderFork: Tell = ({ past, now }) => {
  const serves = past(6)
  serves.pay(70n, { timeMs: now(), signers: OTHER_SIDE })
  return { serves }
}

export const strangeCommittee: Tell = (stage) => ({ lie: head(() => ownCommittee(stage)) })
export const strangeEpoch: Tell = ({ truth }) => ({ lie: opened((value) => ({ ...value, steps: [ownEpoch(tipOf(truth))] })) })

export const wrongBucket: Tell = (stage) => ({ lie: answered('tail', () => otherBucket(stage)) })
export const emptyBucket = says(
  answered('tail', () => ({
    proof: { depth: 0, present: new Uint8Array(0), siblings: [], end: { kind: 'empty', value: null } },
    items: [],
    runs: [],
  })),
)
export const otherEvidence = says((honest) =>
  honest.kind === 'blob' ? { kind: 'blob', value: { ...honest.value, bytes: flipped(honest.value.bytes) } } : null,
)

export const newestTooLong = says(answered('item', ({ item, proof }) => ({ item, proof: { ...proof, path: [...proof.path, zeros] } })))
export const newestTooShort = says(answered('item', ({ item, proof }) => ({ item, proof: { ...proof, path: proof.path.slice(1) } })))
export const olderTooLong = says(answered('range', ({ items, proof }) => ({ items, proof: { ...proof, right: [...proof.right, zeros] } })))
export const bucketTooLong = says(
  answered('tail', (value) => ({ ...value, proof: { ...value.proof, siblings: [...value.proof.siblings, zeros] } })),
)

/** Variant 2, then a length of four bytes (docs/wire.md section 5). */
export const endlessList = says(instead('proven', () => ({ raw: Uint8Array.of(5, 2, 0xff, 0xff, 0xff, 0x7f) })))
export const endlessFrame = says(instead('opened', () => ({ raw: Uint8Array.of(0xff, 0xff, 0x7f) })))
export const endlessEpochs = says(opened((value) => ({ ...value, steps: [], more: true })))
export const endlessPages = says(
  answered('tail', (value) => ({
    ...value,
    items: [],
    runs: value.runs.map((run) => ({ ...run, start: run.count, before: run.link, positions: [] })),
  })),
)

export const cut = says(instead('opened', (bytes) => ({ raw: bytes.slice(0, bytes.length >> 1) })))
export const cutByOne = says(instead('proven', (bytes) => ({ raw: bytes.slice(0, -1) })))
/** A frame of less than 2^14 bytes with a zero at its end, and a length that counts it. */
export const oneTooMany = says((honest) => {
  if (honest.kind !== 'proven') return null
  const bytes = framed(honest)
  const length = (((bytes[0] as number) & 0x7f) | ((bytes[1] as number) << 7)) + 1
  return { raw: Uint8Array.from([(length & 0x7f) | 0x80, length >> 7, ...bytes.subarray(2), 0]) }
})
const SECOND = 1_000
export const drippedHead = says(instead('opened', (raw) => ({ raw, pauseMs: SECOND })))
export const drippedAnswer = says(instead('proven', (raw) => ({ raw, pauseMs: SECOND })))
