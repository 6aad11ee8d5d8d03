import { expect, test } from 'vitest'
import { requestCodec } from '../../client/network/light/messages.ts'
import { bucketBits } from '../../client/network/reader/run.ts'
import { decode } from '../../client/primitives/codec.ts'
import { pathOf } from '../../client/proofs/index.ts'
import type { Chain } from './chain.ts'
import { note, person } from './notes.ts'
import { errorOf, lying, refusal, setup } from './setup.ts'

const NOW = 1_700_000_000_000
const PEOPLE = 300
const bucketOf = (n: number): number => (pathOf(person(n))[0] as number) >> 6
/** Two people of one bucket of four; one has far more notes than the other, so that their answers differ in length. */
const [rich, poor] = Array.from({ length: PEOPLE }, (_, n) => n).filter((n) => bucketOf(n) === 2) as [number, number]

const fill = (chain: Chain): void => {
  for (let from = 0; from < PEOPLE; from += 50) chain.commit(Array.from({ length: 50 }, (_, i) => note(`n${from + i}`, from + i)))
  for (let i = 0; i < 60; i++) chain.commit([note(`${i} ${'x'.repeat(50_000)}`, rich)])
  chain.commit([], { timeMs: NOW })
}

const asked = async (who: number) => {
  const { open, world, places } = setup(1, fill)
  const handle = await open()
  const sent: string[] = []
  const place = places[0] as (typeof places)[number]
  place.tap = (chunk) => {
    const request = decode(requestCodec, chunk.slice(chunk.findIndex((byte) => byte < 0x80) + 1))
    if (request.kind === 'prove') sent.push(Buffer.from(chunk).toString('hex'))
  }
  const answer = await world.run(handle.ask<readonly { words: string }[]>('of', who))
  return { answer, sent, handle, world, place }
}

test('PROTOCOL 3 Disclosure: bits of a bucket of about 64 keys', () => {
  expect([0n, 1n, 127n, 128n, 255n, 256n, 300n, 6_400n, 1n << 60n].map(bucketBits)).toEqual([0, 0, 0, 1, 1, 2, 2, 6, 32])
})

test('PROTOCOL 3 Disclosure: two people of one bucket are asked about in the same bytes, page after page', async () => {
  const [one, other] = [await asked(rich), await asked(poor)]
  expect(one.answer.value.length).toBe(61)
  expect(other.answer.value.map(({ words }) => words)).toEqual([`n${poor}`])
  expect(one.sent.length).toBeGreaterThan(2)
  expect(other.sent).toEqual(one.sent)
  expect(one.answer.verdict.disclosed).toMatch(/^bucket of [5-9]\d$/)
})

test('PROTOCOL 2 Complete answers: what is left out on a later page fails answer.complete', async () => {
  const { handle, world, place } = await asked(poor)
  let pages = 0
  place.tamper = lying((response) => {
    if (response.kind !== 'proven' || ++pages < 3) return response
    return {
      kind: 'proven',
      value: {
        answers: response.value.answers.map((answer) => {
          if (answer.kind !== 'tail') return answer
          const runs = answer.value.runs.map((run) =>
            run.positions.length > 1 ? { ...run, start: run.start + 1n, positions: run.positions.slice(1) } : run,
          )
          const kept = new Set(runs.flatMap(({ positions }) => positions))
          return { kind: 'tail', value: { ...answer.value, runs, items: answer.value.items.filter(({ position }) => kept.has(position)) } }
        }),
      },
    }
  })
  expect(refusal(await errorOf(world.run(handle.ask('of', rich))))).toBe('answer.complete')
  expect(pages).toBe(3)
})

test('PROTOCOL 3 Disclosure: the key itself is asked for by `disclose` alone, in fewer bytes, and the verdict says so', async () => {
  const { handle, world, sent, answer } = await asked(poor)
  sent.length = 0
  const told = await world.run(handle.ask<readonly unknown[]>('of', poor, { disclose: true }))
  expect(told.value).toEqual(answer.value)
  expect([told.verdict.disclosed, sent.length]).toEqual(['this key', 1])
})

test('PROTOCOL 3 Disclosure: a server that calls the bucket too large is not told more', async () => {
  const { handle, world, place, sent } = await asked(poor)
  sent.length = 0
  place.tamper = lying((response) =>
    response.kind === 'proven' ? { kind: 'error', value: { code: 5, have: 0n, retryMs: 0, text: 'ask for more bits' } } : response,
  )
  expect(await errorOf(world.run(handle.ask('of', poor)))).toMatchObject({ name: 'Light.ServerError', facts: { reason: 'tooLarge' } })
  expect(sent.length).toBe(1)
})

test('PROTOCOL 3 Prove: a head that the server no longer holds, or not yet, is asked about again', async () => {
  for (const code of [2, 3, 6]) {
    const { handle, world, place } = await asked(poor)
    let refused = 0
    place.tamper = lying((response) =>
      response.kind === 'proven' && refused++ < 2 ? { kind: 'error', value: { code, have: 0n, retryMs: 10, text: '' } } : response,
    )
    expect((await world.run(handle.ask<readonly unknown[]>('of', poor))).value.length).toBe(1)
    place.tamper = lying((response) =>
      response.kind === 'proven' ? { kind: 'error', value: { code, have: 0n, retryMs: 10, text: '' } } : response,
    )
    expect(await errorOf(world.run(handle.ask('of', poor)))).toMatchObject({ name: 'Light.ServerError' })
  }
})

test('FAI: evidence that does not prove its item is the committee’s fault and not the server’s', async () => {
  const { open, world, chain } = setup(1, () => {})
  chain.commit([{ ...note('a', 1), words: 'b' }], { timeMs: NOW })
  const handle = await open()
  const { ref } = await world.run(handle.latest())
  expect(refusal(await errorOf(world.run(handle.ask('evidence', ref))))).toBe('Light.ServerError')
  chain.blobs.set(Buffer.from(note('a', 1).proof).toString('hex'), new TextEncoder().encode('proof of a'))
  expect(refusal(await errorOf(world.run(handle.ask('evidence', ref))))).toBe('evidence.inclusion')
  expect(handle.state).toMatchObject({ state: 'live', peers: [{ problem: null }] })
  for (const wrong of [
    null,
    'x',
    { ...ref, group: 'other' },
    { ...ref, position: '-1' },
    { ...ref, position: '99' },
    { ...ref, position: null },
  ])
    expect(await errorOf(world.run(handle.ask('evidence', wrong)))).toMatchObject({ name: 'Network.HandleError' })
})
