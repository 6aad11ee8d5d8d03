/** Wei as ether, exactly: all digits that are not trailing zeros. */
export const ether = (wei: bigint): string => {
  const digits = wei.toString().padStart(19, '0')
  const fraction = digits.slice(-18).replace(/0+$/, '')
  return `${digits.slice(0, -18)}${fraction === '' ? '' : `.${fraction}`} ETH`
}

export const hex = (bytes: Uint8Array): string => `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`

/** Enough of a hash or an address to recognise it. */
export const short = (hex: string): string => (hex.length <= 16 ? hex : `${hex.slice(0, 8)}…${hex.slice(-6)}`)

/** An amount of data: three digits and a unit of a thousand. */
export const bytes = (count: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let [size, unit] = [count, 0]
  for (; size >= 999.5 && unit < units.length - 1; unit++) size /= 1_000
  return `${unit === 0 || size >= 99.5 ? Math.round(size) : size.toPrecision(2)} ${units[unit]}`
}

/** A length of time in words, rounded down. */
export const span = (ms: number): string => {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return `${Math.floor(seconds / 3_600)} h`
}

/** Milliseconds: below the first an age is "just now", below the second it counts in tens of seconds. */
const AGE = { now: 10_000, minutes: 120_000 } as const

/** How long ago, in words. A clock that is behind makes "just now" of the future. Seconds would be drawn each second, in every row. */
export const ago = (ms: number, now: number): string => {
  const age = now - ms
  if (age < AGE.now) return 'just now'
  return `${span(age < AGE.minutes ? age - (age % AGE.now) : age)} ago`
}

/** What went wrong, in words; causes that say more than the error follow it. */
export const problem = (error: unknown): string => {
  const lines: string[] = []
  for (let each = error; each instanceof Error && lines.length < 4; each = each.cause) {
    const { message } = each
    if (!lines.some((line) => line.includes(message))) lines.push(message)
  }
  return lines.length > 0 ? lines.join(': ') : String(error)
}
