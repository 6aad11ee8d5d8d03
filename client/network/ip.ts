// What an IP address as text leads to. Written here and not taken from a resolver or a URL parser: those read "0x7f.1" as 127.0.0.1, and what
// is classed as one address and dialled as another is a hole.

/** 16 bytes of an IPv6 address, or 4 of an IPv4 address. */
export type IpBytes = readonly number[]

/** Nobody: an address that no single host has, or that reaches whichever host dials it in a way of its own. */
export type Reach = 'nobody' | 'loopback' | 'private' | 'public'

const BYTE = /^(?:0|[1-9]\d{0,2})$/
const GROUP = /^[\da-f]{1,4}$/i

/** Four decimal numbers, no other form; null for anything else. */
export const readIp4 = (text: string): IpBytes | null => {
  const parts = text.split('.', 5)
  if (parts.length !== 4 || text.length > 15 || !parts.every((part) => BYTE.test(part))) return null
  const bytes = parts.map(Number)
  return bytes.every((byte) => byte < 256) ? bytes : null
}

/** RFC 4291 section 2.2, with an embedded IPv4 address or without, and without a zone; null for anything else. */
export const readIp6 = (text: string): IpBytes | null => {
  if (text.length < 2 || text.length > 45) return null
  const halves = text.split('::', 3)
  if (halves.length > 2) return null
  const [left, right] = halves.map((half, i) => groupsOf(half, i === halves.length - 1))
  if (left === undefined || left === null || right === null) return null
  if (right === undefined) return left.length === 16 ? left : null
  const zeros = 16 - left.length - right.length
  return zeros >= 2 ? [...left, ...Array<number>(zeros).fill(0), ...right] : null
}

const groupsOf = (half: string, isLast: boolean): number[] | null => {
  if (half === '') return []
  const groups = half.split(':', 9)
  const bytes: number[] = []
  for (const [i, group] of groups.entries()) {
    const embedded = isLast && i === groups.length - 1 && group.includes('.') ? readIp4(group) : null
    if (embedded !== null) bytes.push(...embedded)
    else if (!GROUP.test(group)) return null
    else bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255)
  }
  return bytes.length <= 16 ? bytes : null
}

/** An address block: its first bytes, and how many bits of them count. */
type Block = readonly [bits: number, ...bytes: readonly number[]]

const isIn = (ip: IpBytes, [bits, ...bytes]: Block): boolean =>
  bytes.every((byte, i) => {
    const mask = 0xff & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i)))
    return ((ip[i] as number) & mask) === (byte & mask)
  })

/** This network, multicast, reserved and broadcast: nobody's (RFC 6890, RFC 5771). */
const NOBODY_4: readonly Block[] = [
  [8, 0],
  [4, 224],
  [4, 240],
]

/** Not globally reachable by the IANA registry of special-purpose addresses: private, shared (CGNAT), link-local, protocol, test, documentation. */
const PRIVATE_4: readonly Block[] = [
  [8, 10],
  [12, 172, 16],
  [16, 192, 168],
  [10, 100, 64],
  [16, 169, 254],
  [24, 192, 0, 0],
  [24, 192, 0, 2],
  [15, 198, 18],
  [24, 198, 51, 100],
  [24, 203, 0, 113],
  [24, 192, 88, 99],
]

/** Of 2000::/3, the only block that is given out, what is not globally reachable: protocol assignments with Teredo and ORCHID, documentation. */
const PRIVATE_6: readonly Block[] = [
  [23, 0x20, 0x01, 0x00],
  [32, 0x20, 0x01, 0x0d, 0xb8],
  [20, 0x3f, 0xff, 0x00],
]

const reach4 = (ip: IpBytes): Reach => {
  if (NOBODY_4.some((block) => isIn(ip, block))) return 'nobody'
  if (ip[0] === 127) return 'loopback'
  return PRIVATE_4.some((block) => isIn(ip, block)) ? 'private' : 'public'
}

/** Blocks whose addresses lead to the IPv4 address that they hold, and where it stands: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056). */
const EMBEDDED: readonly { readonly block: Block; readonly at: number }[] = [
  { block: [96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], at: 12 },
  { block: [96, 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 },
  { block: [16, 0x20, 0x02], at: 2 },
]

const reach6 = (ip: IpBytes): Reach => {
  const embedded = EMBEDDED.find(({ block }) => isIn(ip, block))
  if (embedded !== undefined) return reach4(ip.slice(embedded.at, embedded.at + 4))
  if (ip.slice(0, 15).every((byte) => byte === 0) && (ip[15] as number) < 2) return ip[15] === 1 ? 'loopback' : 'nobody'
  if (isIn(ip, [8, 0xff])) return 'nobody'
  // ULA, link-local, site-local and every block that nobody was given stand outside 2000::/3.
  return isIn(ip, [3, 0x20]) && !PRIVATE_6.some((block) => isIn(ip, block)) ? 'public' : 'private'
}

/** Where an IP address leads. */
export const reachOf = (ip: IpBytes): Reach => (ip.length === 4 ? reach4(ip) : reach6(ip))
