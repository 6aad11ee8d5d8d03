import type { Store } from '../../groups/storage.ts'
import { decode, encode, struct, u32, u64 } from '../../primitives/codec.ts'
import type { RollbackMemory } from './memory.ts'

// Apart from memory.ts, which knows no bytes: a page that keeps its records in a database of its own loads no codec.

const recordCodec = /* @__PURE__ */ struct('RollbackRecord', { evaluation: u32, issueDate: u64 })

/** The memory in a store of the storage port, under keys that begin with `tdx rollback v1|`. A record is twelve bytes. */
export const rollbackMemory = (store: Store): RollbackMemory => ({
  get: async (key) => {
    const bytes = await store.get(key)
    if (bytes === null) return null
    const { evaluation, issueDate } = decode(recordCodec, bytes)
    return { evaluation, issueDate: Number(issueDate) }
  },
  put: (key, { evaluation, issueDate }) =>
    store.write([{ key, value: encode(recordCodec, { evaluation, issueDate: BigInt(issueDate) }) }], { sync: true }),
})
