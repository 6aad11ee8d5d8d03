import type { Bytes } from '../../client/primitives/bytes.ts'
import { mutate } from './_mutate.ts'
import { below, chance, type Draw, pick } from './_seeded.ts'

// Changes to decoded values: what a liar sends who knows the format. Every type stays what it is, so that most of them encode again.

type Place = readonly (string | number)[]

const placesOf = (value: unknown, at: Place = []): readonly Place[] => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [at]
  const inner = Object.entries(value).flatMap(([name, each]) =>
    name === 'kind' ? [] : placesOf(each, [...at, Array.isArray(value) ? Number(name) : name]),
  )
  return Array.isArray(value) ? [at, ...inner] : inner
}

const valueAt = (value: unknown, at: Place): unknown => at.reduce((here, step) => (here as never)?.[step], value)

const withAt = (value: unknown, [step, ...rest]: Place, change: (value: unknown) => unknown): unknown => {
  if (step === undefined) return change(value)
  const changed = withAt((value as never)[step], rest, change)
  return Array.isArray(value) ? value.with(step as number, changed) : { ...(value as object), [step]: changed }
}

const inBytes = (draw: Draw, value: Bytes): Bytes => {
  if (chance(draw, 0.2)) return new Uint8Array(value.length)
  if (chance(draw, 0.2)) return mutate(draw, value)
  const changed = value.slice()
  if (changed.length > 0) changed[below(draw, changed.length)] = below(draw, 256)
  return changed
}

const inList = (draw: Draw, list: readonly unknown[]): readonly unknown[] => {
  const [one, other] = [below(draw, Math.max(1, list.length)), below(draw, Math.max(1, list.length))]
  if (list.length === 0) return list
  switch (below(draw, 6)) {
    case 0:
      return list.toSpliced(one, 1)
    case 1:
      return list.toSpliced(one, 0, list[other])
    case 2:
      return list.with(one, list[other])
    case 3:
      return list.with(one, list[other]).with(other, list[one])
    case 4:
      return list.toReversed()
    default:
      return list.slice(0, one)
  }
}

const changed = (draw: Draw, value: unknown): unknown => {
  if (value instanceof Uint8Array) return inBytes(draw, value as Bytes)
  if (Array.isArray(value)) return inList(draw, value)
  if (typeof value === 'bigint') {
    return pick(draw, [value + 1n, value > 0n ? value - 1n : 0n, 0n, value ^ (1n << BigInt(below(draw, 64))), (1n << 64n) - 1n])
  }
  if (typeof value === 'number') return pick(draw, [value + 1, Math.max(0, value - 1), 0, below(draw, 256), 255, 65_535])
  if (typeof value === 'string') return pick(draw, ['', `${value}x`, value.slice(1), 'x'.repeat(32)])
  return typeof value === 'boolean' ? !value : value
}

/** Of two parts with the same, one may stand where the other does: the same type, and for lists the same field. */
const sortOf = (whole: unknown, place: Place): string => {
  const value = valueAt(whole, place)
  if (value instanceof Uint8Array) return `bytes ${value.length}`
  return Array.isArray(value) ? `list ${place.findLast((step) => typeof step === 'string')}` : typeof value
}

/**
 * The value with one to three of its parts changed: made different, or taken from another place in it or in one of `donors` where a part
 * of the same sort stands.
 */
export const warp = <T>(draw: Draw, value: T, donors: readonly unknown[] = []): T => {
  let warped: unknown = value
  do {
    const place = pick(draw, placesOf(warped))
    const sort = sortOf(warped, place)
    const donor = pick(draw, [warped, ...donors])
    const fitting = chance(draw, 0.4) ? placesOf(donor).filter((each) => sortOf(donor, each) === sort) : []
    warped = withAt(warped, place, (part) => (fitting.length > 0 ? valueAt(donor, pick(draw, fitting)) : changed(draw, part)))
  } while (chance(draw, 0.35))
  return warped as T
}
