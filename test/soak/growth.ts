/** Kinds of memory that must not grow with the time that a page is open, in the order of a line. */
export const KINDS = ['pages', 'workers', 'chromium', 'members', 'devnet'] as const
export type Kind = (typeof KINDS)[number]

/** What one minute of a soak came to, in bytes. */
export interface Minute {
  readonly minute: number
  /** `pages` and `workers` are heaps after a collection, over all tabs; the others are resident, the median of the minute's samples. */
  readonly bytes: Readonly<Record<Kind, number>>
  /** The page heap of one tab, median over tabs. */
  readonly page: number
  /** Resident bytes of Chromium's processes that stand for no file. */
  readonly anonymous: number
  /** The chain is not ours, and keeps every state that it ever had: shown, and not judged. */
  readonly chain: number
  readonly processes: number
  /** Milliseconds of processor time a second: all of Chromium for each tab, and the devnet with chain and members. */
  readonly cpu: { readonly tab: number; readonly devnet: number }
  /** The chain's newest block: 60 more each minute, or the machine does not keep up with one a second. */
  readonly block: bigint
}

/** The minute that the end is measured by: connections stand, and every list of rows is as long as it gets. */
export const FROM = 4
const MOST = 1.2

/** What memory came to, by kind: its end over its minute 4. Null for a run that ends before there is anything to compare. */
export const growthOf = (minutes: readonly Minute[]): Readonly<Record<Kind, number>> | null => {
  const from = minutes.find(({ minute }) => minute === FROM)
  const end = minutes.at(-1)
  if (from === undefined || end === undefined || end.minute <= FROM) return null
  return Object.fromEntries(KINDS.map((kind) => [kind, end.bytes[kind] / from.bytes[kind]])) as Record<Kind, number>
}

export const growthProblems = (minutes: readonly Minute[]): readonly string[] => {
  const growth = growthOf(minutes)
  if (growth === null) return []
  // Not a number, for which every comparison is false, is a kind that was not measured.
  return KINDS.filter((kind) => !(growth[kind] <= MOST)).map(
    (kind) => `${kind}: ${growth[kind].toFixed(3)} times what it was in minute ${FROM}, and ${MOST} at most`,
  )
}

/** Blocks of one a second below which a soak has not shown what it says. */
const PACE = 0.9

/** A chain that does not keep up: fewer items in the same time, and less to grow by. */
export const paceProblems = (minutes: readonly Minute[]): readonly string[] => {
  const [first, end] = [minutes[0], minutes.at(-1)]
  if (first === undefined || end === undefined || end.minute === first.minute) return []
  const [blocks, seconds] = [Number(end.block - first.block), 60 * (end.minute - first.minute)]
  return blocks >= PACE * seconds ? [] : [`the chain made ${blocks} blocks in ${seconds} seconds, and should make one a second`]
}

const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(bytes < 104_857_600 ? 1 : 0)} MB`

/** A minute as a person reads it. */
export const lineOf = ({ minute, bytes, page, anonymous, chain, processes, cpu, block }: Minute): string =>
  [
    `minute ${String(minute).padStart(2)}`,
    `pages ${megabytes(bytes.pages)} (median ${megabytes(page)})`,
    `workers ${megabytes(bytes.workers)}`,
    `chromium ${megabytes(bytes.chromium)} in ${processes} processes (anonymous ${megabytes(anonymous)})`,
    `members ${megabytes(bytes.members)}`,
    `devnet ${megabytes(bytes.devnet)}`,
    `chain ${megabytes(chain)} at block ${block}`,
    `CPU ${cpu.tab.toFixed(0)} ms/s a tab, ${cpu.devnet.toFixed(0)} ms/s the devnet`,
  ].join(' · ')
