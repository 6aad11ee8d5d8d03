import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frame, frames } from '../../client/network/light/frame.ts'
import { LIGHT_LIMITS } from '../../client/network/light/messages.ts'
import { type Bytes, concat, equal } from '../../client/primitives/bytes.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array): Bytes => new Uint8Array(array))

const all = async (chunks: Iterable<Bytes>): Promise<Bytes[]> => {
  const found: Bytes[] = []
  for await (const payload of frames(
    (async function* () {
      yield* chunks
    })(),
  ))
    found.push(payload)
  return found
}

/** Cuts bytes at the given places. */
const cut = (whole: Bytes, places: readonly number[]): Bytes[] => {
  const at = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((start, i) => whole.slice(start, at[i] ?? whole.length))
}

test('docs/wire.md 5: frames come back whole, however the stream was cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(bytes(300), { maxLength: 8 }), fc.array(fc.nat(3_000), { maxLength: 40 }), async (payloads, places) => {
      expect(await all(cut(concat(...payloads.map((payload) => frame(payload))), places))).toEqual(payloads)
    }),
  )
})

test('docs/wire.md 5: any bytes give frames or a FrameError with the offset of the frame, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(bytes(400), fc.array(fc.nat(400), { maxLength: 8 }), async (input, places) => {
      const read: Bytes[] = []
      let problem: { name?: string; offset?: number } = {}
      try {
        for await (const payload of frames(
          (async function* () {
            yield* cut(input, places)
          })(),
        ))
          read.push(payload)
      } catch (error) {
        problem = error as typeof problem
      }
      // What was read is what was there, up to the frame that is none.
      const whole = concat(...read.map((payload) => frame(payload)))
      expect(input.slice(0, whole.length)).toEqual(whole)
      if (whole.length === input.length) expect(problem).toEqual({})
      else expect([problem.name, problem.offset]).toEqual(['Light.FrameError', whole.length])
    }),
  )
})

const of = (...given: number[]): Bytes[] => [Uint8Array.of(...given)]

test.each([
  ['not in its shortest form', of(0x80, 0x00), 0],
  ['not in its shortest form', of(0x85, 0x80, 0x00), 0],
  ['of 1048577 bytes', of(0x81, 0x80, 0x40), 0],
  ['of more than 3 bytes', of(0x80, 0x80, 0x80, 0x01), 0],
  ['inside of a length', of(0x01, 0x07, 0x80), 2],
  ['ends 1 bytes into a frame of 2', of(0x01, 0x07, 0x02, 0x07), 2],
])('docs/wire.md 5: a length is refused: %s', async (problem, chunks, offset) => {
  await expect(all(chunks)).rejects.toMatchObject({ name: 'Light.FrameError', offset, problem: expect.stringContaining(problem) })
})

test('docs/wire.md 5: a frame of the limit passes, in chunks of any size; one byte more is refused on both ends', async () => {
  const payload = new Uint8Array(LIGHT_LIMITS.frame).fill(7)
  const whole = frame(payload)
  const [read] = await all(Array.from({ length: 1_100 }, (_, i) => whole.slice(i * 1_000, (i + 1) * 1_000)))
  expect(equal(read as Bytes, payload)).toBe(true)
  expect(() => frame(new Uint8Array(LIGHT_LIMITS.frame + 1))).toThrow(expect.objectContaining({ name: 'Light.FrameError' }))
})

test('a length that was announced takes no memory, and a stream is read no further than its frames are taken', async () => {
  let pulled = 0
  const input = frames(
    (async function* () {
      for (;;) {
        pulled += 1
        yield concat(frame(Uint8Array.of(1)), frame(Uint8Array.of(2)))
      }
    })(),
  )
  await input.next()
  await input.next()
  expect(pulled).toBe(1)
  await input.next()
  expect(pulled).toBe(2)
})
