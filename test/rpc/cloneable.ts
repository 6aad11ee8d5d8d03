import fc from 'fast-check'

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: false,
})

/** Whatever the other end of a port can send. */
export const cloneable = anything.filter((value) => {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
})

/** An id that is sometimes one. */
export const id = fc.oneof(fc.integer({ min: 0, max: 5 }), cloneable)
