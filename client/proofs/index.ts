export {
  foldRun,
  linkNext,
  type Placed,
  type Run,
  RunError,
  type RunRule,
  type TailQuestion,
  Tip,
  type Tips,
  type VerifiedRun,
  verifyTail,
} from './by.ts'
export { type ExecutionHeader, headerFields, receiptStatus, type Transaction, transactionFields } from './ethereum.ts'
export type { Frontier, OnNode } from './frontier.ts'
export * as frontier from './frontier.ts'
export type { MapEntry, MapTree } from './map.ts'
export * as map from './map.ts'
export { End, MapError, MapLeaf, MapProof, pathOf, valueHash, verifyMap } from './map-proof.ts'
export { EMPTY_TRIE, keccak, MptError, verifyMpt } from './mpt.ts'
export { encodeBytes, encodeInteger, encodeList, RlpError } from './rlp.ts'
export { frontierOf, RangeProof, TreeError, type TreeHead, TreeProof, verifyItem, verifyRange } from './tree.ts'
export { type NodeSource, proveItem, proveRange, rootAt } from './tree-source.ts'
export { buildTrie, type Trie } from './trie.ts'
