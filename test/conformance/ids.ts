// The project's identity rules (`npx coalition id --help`), as far as a tally's group id needs them.

import { type Bytes, H, unhex } from './hash.ts'

/** `id(text)`: exactly 64 hex digits are decoded, anything else is hashed. */
export const uniqueId = (text: string): Bytes => (/^[0-9a-fA-F]{64}$/.test(text) ? unhex(text.toLowerCase()) : H(text))

/** `derive(parent, x) = H(parent ‖ bytes(x))`: no separator, and hex is never decoded. */
export const derive = (parent: Bytes, x: string): Bytes => H(parent, x)

export const UNIVERSE: Bytes = uniqueId('mosaik.universe')

/** LATTICE: the chain id stands in it as decimal ASCII. */
export const latticeId = (name: string, chainId: bigint): Bytes => H('builder|', name, '|chain=', chainId.toString())

export const contentFingerprint = (schema: string, canonical: Bytes): Bytes => H('coalition content v1|', schema, '|', canonical)
export const aclFingerprint = (schema: string, canonical: Bytes): Bytes => H('coalition acl v1|', schema, '|', canonical)

/** config(o) of an organism of a lattice, and the committee id, which is the group. */
export function organismIds(
  lattice: Bytes,
  organism: string,
  content: Bytes,
  acl: Bytes,
): { root: Bytes; config: Bytes; committee: Bytes } {
  const root = derive(lattice, organism)
  const config = H(root, content, acl)
  return { root, config, committee: derive(config, 'committee') }
}
