import type { Store } from '../../groups/storage.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import { decode, encode, struct, u32, u64 } from '../../primitives/codec.ts'
import type { RollbackMemory, RollbackRecord } from './memory.ts'

// Apart from memory.ts, which knows no bytes: a page that keeps its records in a database of its own loads no codec.

const recordCodec = /* @__PURE__ */ struct('RollbackRecord', { evaluation: u32, issueDate: u64 })

/** A record as twelve bytes. */
export const encodeRollback = ({ evaluation, issueDate }: RollbackRecord): Bytes =>
  encode(recordCodec, { evaluation, issueDate: BigInt(issueDate) })

/** @throws DecodeError */
export const decodeRollback = (bytes: Bytes): RollbackRecord => {
  const { evaluation, issueDate } = decode(recordCodec, bytes)
  return { evaluation, issueDate: Number(issueDate) }
}

/** The memory in a store of the storage port, under keys that begin with `tdx rollback v1|`. */
export const rollbackMemory = (store: Store): RollbackMemory => ({
  get: async (key) => {
    const bytes = await store.get(key)
    return bytes && decodeRollback(bytes)
  },
  put: (key, record) => store.write([{ key, value: encodeRollback(record) }], { sync: true }),
})
