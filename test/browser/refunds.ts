import * as Tally from '../../client/lattice/tally/index.ts'
import type { State, StateReport, Verified } from '../../client/network/handle.ts'
import { type Check, type Verdict, verdict } from '../../client/verify/verdict.ts'

// A handle that says what a test tells it to: elements and hooks are thin over it, and what is verified is tested elsewhere.

const REF = { group: 'ab', surface: 'refunds', position: null, index: '7', commit: 'cd' }

const check = (name: Check['name'], state: Check['state'], found: string): Check => ({
  name,
  state,
  expected: 'as expected',
  found,
  source: 'test',
})

export const sound: Verdict = verdict({
  checks: [
    check('item.inclusion', 'passed', 'under the root'),
    check('commit.signatures', 'passed', '3 of 4 signed'),
    check('head.age', 'passed', '200 ms'),
  ],
  assumes: 'at least 2 of 4 would have to lie',
  disclosed: 'nothing',
  at: null,
})

export const old: Verdict = verdict({
  checks: [check('commit.signatures', 'passed', '3 of 4 signed'), check('head.age', 'failed', '90 s')],
  assumes: 'at least 2 of 4 would have to lie',
  disclosed: 'nothing',
  at: null,
})

const bytes = (byte: number, length = 20): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(byte)
export const MINE = Tally.formatAddress(bytes(0x11))

export const attribution = (slot: bigint, amount: bigint, addr = bytes(0x11)): Tally.Attribution => ({
  kind: 'attribution',
  slot,
  revision: 0,
  chainId: 1n,
  blockHash: bytes(1, 32),
  rule: 'publicPayment',
  pool: amount,
  recipients: [{ addr, amount, kind: 'named', ref: bytes(2, 32) }],
  residual: 0n,
  evidence: { kind: 'public', block: slot, hash: bytes(1, 32), txs: [0], proofs: bytes(3, 32) },
  committedAt: 1,
})

export const reversal = (slot: bigint): Tally.Reversal => ({
  kind: 'reversal',
  of: { slot, revision: 0 },
  chainId: 1n,
  blockHash: bytes(1, 32),
  reason: { kind: 'reorganised', number: slot, hash: bytes(4, 32) },
  addresses: [bytes(0x11)],
  committedAt: 2,
})

export interface Told {
  readonly handle: Tally.Refunds
  /** Adds an item: to what `of` answers, and to the live tail. */
  readonly add: (refund: Tally.Refund) => void
  readonly turn: (state: State) => void
  /** From now on questions fail. */
  readonly fail: (error: Error | null) => void
  /** Streams that are open. */
  readonly open: () => number
  readonly asked: () => number
}

const report = (state: State): StateReport => ({ state, detail: null, head: null, peers: [] })

export const told = (given: readonly Tally.Refund[], why: Verdict = sound): Told => {
  const items = [...given]
  const streams = new Set<(item: Verified<Tally.Refund>) => void>()
  const listeners = new Set<(report: StateReport) => void>()
  let [state, failure, open, asked] = [report('live'), null as Error | null, 0, 0]
  const verified = <T>(value: T): Verified<T> => ({ value, ref: REF, verdict: why })
  const answer = async <T>(value: T): Promise<Verified<T>> => {
    asked++
    if (failure !== null) throw failure
    return verified(value)
  }
  const iterate = (): AsyncIterator<Verified<Tally.Refund>> => {
    open++
    const queue: Verified<Tally.Refund>[] = []
    let wake: () => void = () => {}
    const push = (item: Verified<Tally.Refund>): void => {
      queue.push(item)
      wake()
    }
    streams.add(push)
    return {
      next: async () => {
        for (;;) {
          const value = queue.shift()
          if (value !== undefined) return { done: false, value }
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      },
      return: async () => {
        if (streams.delete(push)) open--
        return { done: true, value: undefined }
      },
    }
  }
  const handle = {
    get state() {
      return state
    },
    onState: (listener: (report: StateReport) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    latest: () => answer(items.at(-1) ?? null),
    of: (address: string) =>
      answer(items.filter((item) => item.kind === 'reversal' || Tally.formatAddress(item.recipients[0]?.addr ?? bytes(0)) === address)),
    [Symbol.asyncIterator]: iterate,
    [Symbol.asyncDispose]: async () => {},
  } as unknown as Tally.Refunds
  return {
    handle,
    add: (refund) => {
      items.push(refund)
      for (const push of streams) push(verified(refund))
    },
    turn: (to) => {
      state = report(to)
      for (const listener of listeners) listener(state)
    },
    fail: (error) => {
      failure = error
    },
    open: () => open,
    asked: () => asked,
  }
}
