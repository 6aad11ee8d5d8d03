import { describe, expect, it } from 'vitest'
import type { Store } from '../../../client/groups/storage.ts'
import { type Bytes, concat, fromHex, toHex, utf8 } from '../../../client/primitives/bytes.ts'
import {
  checkRollback,
  inspectCollateral,
  type RollbackMemory,
  type RollbackRecord,
  remember,
  type VerifiedCollateral,
  verifyCollateral,
} from '../../../client/verify/collateral/index.ts'
import { rollbackMemory } from '../../../client/verify/collateral/store.ts'
import * as pki from './_pki.ts'

const options = { root: pki.trusted(), at: pki.AT, ecdsa: pki.ecdsa }

const inMemory = (): RollbackMemory & { readonly records: Map<string, RollbackRecord> } => {
  const records = new Map<string, RollbackRecord>()
  // A turn of the event loop each, so that overlapping calls do overlap.
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
  return {
    records,
    get: async (key) => {
      await turn()
      return records.get(toHex(key)) ?? null
    },
    put: async (key, value) => {
      await turn()
      records.set(toHex(key), value)
    },
  }
}

const handle = (info: object = {}, identity: object = {}): Promise<VerifiedCollateral> =>
  verifyCollateral(pki.collateral({ ...pki.signedInfo(info), ...pki.signedIdentity(identity) }), options)

const numbered = (tcbEvaluationDataNumber: number, issueDate = '2026-05-20T00:00:00Z') => handle({ tcbEvaluationDataNumber, issueDate })

describe('rollback (TDX.md section 5)', () => {
  it('is refused: number 17 after a quote was accepted under 18', async () => {
    const memory = inMemory()
    const [older, newer] = await Promise.all([numbered(17), numbered(18)])
    await remember(memory, newer)
    expect(await checkRollback(memory, newer)).toMatchObject({ name: 'collateral.rollback', state: 'passed' })
    expect(await checkRollback(memory, older)).toMatchObject({
      state: 'failed',
      found: 'TCB info TDX of b0c06f000000: evaluation number 17 after 18',
      expected: expect.stringContaining('TCB info TDX of b0c06f000000: number 18 or higher, issued 2026-05-20T00:00:00Z or later'),
    })
    const given = pki.collateral(pki.signedInfo({ tcbEvaluationDataNumber: 17 }))
    const { checks, verified } = await inspectCollateral(given, { ...options, memory })
    expect([verified, checks.at(-1)?.state]).toEqual([null, 'failed'])
  })

  it('is refused of either document, by number and by date', async () => {
    const memory = inMemory()
    await remember(memory, await handle())
    const refused = await Promise.all(
      [
        handle({ issueDate: '2026-05-19T23:59:59Z' }),
        handle({}, { tcbEvaluationDataNumber: 16 }),
        handle({ tcbEvaluationDataNumber: 19 }, { issueDate: '2026-05-20T00:00:00Z' }),
      ].map(async (given) => (await checkRollback(memory, await given)).found),
    )
    expect(refused).toEqual([
      'TCB info TDX of b0c06f000000: issued 2026-05-19T23:59:59Z after one of 2026-05-20T00:00:00Z',
      'QE identity TD_QE of b0c06f000000: evaluation number 16 after 17',
      'QE identity TD_QE of b0c06f000000: issued 2026-05-20T00:00:00Z after one of 2026-05-21T00:00:00Z',
    ])
  })

  it('is asked of nobody before something was accepted: to verify collateral remembers nothing', async () => {
    const memory = inMemory()
    const { verified, checks } = await inspectCollateral(pki.collateral(), { ...options, memory })
    expect(verified).not.toBeNull()
    expect(checks.at(-1)).toMatchObject({
      name: 'collateral.rollback',
      state: 'passed',
      expected: expect.stringContaining('any, none was accepted before'),
    })
    expect(memory.records.size).toBe(0)
  })

  it('is a matter of an FMSPC, a document and a root', async () => {
    const memory = inMemory()
    await remember(memory, await numbered(18))
    const older = await numbered(17)
    const elsewhere = [
      { ...older, root: { ...older.root, spkiHash: new Uint8Array(32) } },
      { ...older, tcbInfo: { ...older.tcbInfo, fmspc: fromHex('00906ed50000') } },
      { ...older, tcbInfo: { ...older.tcbInfo, id: 'SGX' as const } },
    ]
    expect(await Promise.all(elsewhere.map(async (given) => (await checkRollback(memory, given)).state))).toEqual([
      'passed',
      'passed',
      'passed',
    ])
  })

  it('memory only rises, each of its numbers for itself, also when calls overlap', async () => {
    const memory = inMemory()
    const given = await Promise.all([
      numbered(17, '2026-05-18T00:00:00Z'),
      numbered(20, '2026-05-10T00:00:00Z'),
      numbered(18, '2026-05-25T00:00:00Z'),
      numbered(16, '2026-05-02T00:00:00Z'),
    ])
    await Promise.all(given.map((one) => remember(memory, one)))
    expect((await checkRollback(memory, await numbered(20, '2026-05-25T00:00:00Z'))).state).toBe('passed')
    expect((await checkRollback(memory, await numbered(19, '2026-05-25T00:00:00Z'))).state).toBe('failed')
    expect((await checkRollback(memory, await numbered(20, '2026-05-24T00:00:00Z'))).state).toBe('failed')
    expect(memory.records.size).toBe(2)
  })

  it('memory that cannot be read or written refuses, and the next call is none the worse', async () => {
    const memory = inMemory()
    const accepted = await handle()
    await remember(memory, accepted)
    const [key] = [...memory.records.keys()] as [string]
    const right = memory.records.get(key) as RollbackRecord
    const wrong = [{}, { ...right, evaluation: '18' }, { ...right, issueDate: Number.NaN }, { ...right, evaluation: -1 }, 7]
    for (const record of wrong as RollbackRecord[]) {
      memory.records.set(key, record)
      await expect(remember(memory, accepted)).rejects.toMatchObject({ name: 'Verify.RollbackRecordError' })
      expect(memory.records.get(key)).toBe(record)
      const { verified, checks } = await inspectCollateral(pki.collateral(), { ...options, memory })
      expect([verified, checks.at(-1)?.state]).toEqual([null, 'failed'])
      expect(checks.at(-1)?.found).toContain('record of TCB info TDX of b0c06f000000')
    }
    memory.records.set(key, right)
    await remember(memory, accepted)
    const broken: RollbackMemory = { get: () => Promise.reject(new Error('disk gone')), put: memory.put }
    const { checks } = await inspectCollateral(pki.collateral(), { ...options, memory: broken })
    expect(checks.at(-1)).toMatchObject({ state: 'failed', found: 'record of TCB info TDX of b0c06f000000: disk gone' })
  })
})

describe('the memory in a store of the storage port', () => {
  const storeOf = (entries: Map<string, Bytes>, sync: boolean[] = []): Store => ({
    get: async (key) => entries.get(toHex(key)) ?? null,
    write: async (changes, how) => {
      for (const { key, value } of changes) entries.set(toHex(key), value ?? new Uint8Array())
      sync.push(how.sync)
    },
    entries: async function* () {},
    close: async () => undefined,
  })
  const key = (id: string): string => toHex(concat(utf8('tdx rollback v1|'), pki.trusted().spkiHash, fromHex('b0c06f000000'), utf8(id)))

  it('is twelve bytes a document, u32 and u64, each synced, and is read back', async () => {
    const [entries, sync] = [new Map<string, Bytes>(), [] as boolean[]]
    await remember(rollbackMemory(storeOf(entries, sync)), await handle())
    // 2026-05-20 and 21: records of earlier versions are these bytes.
    expect(entries).toEqual(
      new Map([
        [key('TDX'), fromHex('1200000080f90c6a00000000')],
        [key('TD_QE'), fromHex('11000000004b0e6a00000000')],
      ]),
    )
    expect(sync).toEqual([true, true])
    const memory = rollbackMemory(storeOf(entries))
    expect((await checkRollback(memory, await handle())).state).toBe('passed')
    expect((await checkRollback(memory, await numbered(17))).state).toBe('failed')
  })

  it('refuses everything while a record is not twelve such bytes, and leaves it', async () => {
    const entries = new Map<string, Bytes>()
    const memory = rollbackMemory(storeOf(entries))
    const accepted = await handle()
    await remember(memory, accepted)
    const right = entries.get(key('TDX')) as Bytes
    for (const record of [new Uint8Array(), right.slice(1), concat(right, Uint8Array.of(0)), new Uint8Array(12).fill(0xff)]) {
      entries.set(key('TDX'), record)
      await expect(remember(memory, accepted)).rejects.toMatchObject({ name: 'Verify.RollbackRecordError' })
      expect(entries.get(key('TDX'))).toBe(record)
      expect(await checkRollback(memory, accepted)).toMatchObject({
        state: 'failed',
        found: expect.stringContaining('record of TCB info TDX of b0c06f000000'),
      })
    }
  })
})
