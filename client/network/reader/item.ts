import type { Bytes } from '../../primitives/bytes.ts'
import { type Codec, decode } from '../../primitives/codec.ts'
import type { Verdict } from '../../verify/verdict.ts'
import type { Behind, Binding } from '../binding.ts'
import type { Ref } from '../handle.ts'
import type { Placed } from './recent.ts'

// Nothing is decoded into a datum before it was verified, and only verified items get here.

export const datumOf = <T>(binding: Binding<T>, { item, position }: Pick<Placed, 'item' | 'position'>): T =>
  binding.datum(decode(itemCodec(binding), item) as never, { position })

export const itemCodec = (binding: Binding<unknown>): Codec<unknown> => {
  const spec = binding.specs[binding.surface]
  if (spec === undefined) throw new TypeError(`${binding.name} has no surface ${binding.surface}`)
  return spec.item
}

/** The blob that an item points at, and how it is checked; null for an item that points at none. */
export const blobBehind = (binding: Binding<unknown>, item: Bytes, config: unknown): Behind | null => {
  try {
    return binding.evidence?.(decode(itemCodec(binding), item) as never, config) ?? null
  } catch {
    // A surface may have items with evidence and others: asked for that of another, it says so by throwing.
    return null
  }
}

export const refOf = (binding: Binding<unknown>, { at }: Verdict, position: bigint | null): Ref => ({
  group: at?.group ?? '',
  surface: binding.name,
  position: position === null ? null : position.toString(),
  index: at?.index ?? '',
  commit: at?.commit ?? '',
})
