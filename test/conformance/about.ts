// What `test/vectors/conformance.json` says about itself: how to read it, section by section, and how the page was read where it is silent.

import type { Json } from './bcs.ts'

export const ABOUT: { [key: string]: Json } = {
  what: [
    'Conformance vectors of docs/wire.md, made by the second implementation in test/conformance from that page alone.',
    'Made by `node scripts/run.mjs test/conformance/generate.ts`; never edited by hand. test/conformance/replay*.ts check every entry from this file alone and may be read as an example of its use.',
  ],
  values: [
    'Bytes are lowercase hex. u8, u16, u32, bool and text are what they are in JSON; u64 and u128 are decimal strings.',
    'A struct is an object with its fields in the order of the page; a list is a list; an option is null or the value.',
    'A variant is an object of one field: { "named": { "ref": "…" } }. unit is null.',
    '`hex` is the canonical encoding of `value`: encode(value) = hex, decode(hex) = value. Where `value` is missing or null, only the bytes are given.',
    '`type` names a struct of the page, or (section encoding) a type in the notation of the page. `seed` is an Ed25519 seed (RFC 8032): H("coalition conformance key|" ‖ label).',
  ],
  refused: [
    'A refused entry has `why` in words and `rule`, the name that this implementation gives to the rule; another implementation need not use the same names.',
    'decode: entries of encoding.refused, commands.refused, limits.refused, light.refused, tally.refusedConfigs, and those with stage "decode": the bytes are no encoding of `type`, and the decoder must refuse them.',
    'check: all others: the bytes may or may not decode; decoding or the check that the section names must refuse them.',
  ],
  sections: {
    keys: 'label, seed, public: every key that signs something here, but for the committees of 64',
    encoding:
      'accepted and refused: type, hex. unencodable: values that an encoder refuses. frames: a stream of frames and its messages, or why it is refused. Choice is the variant 0 none unit · 1 some u8 · 2 pair { a u16, b text ≤ 8 } · 5 kept · 255 last unit',
    ed25519:
      'cases: public, message, signature, valid (the one rule of section 2) and `cofactored`, what a lenient verifier with the cofactored equation says. smallOrder: the eight canonical encodings',
    rosters:
      'strengths: for n members b, quorum and c[w] for w = 0 … n. accepted: roster, `after` and id under network and group. refused: rosters that must not be admitted',
    headers: 'header and commit hash',
    genesis: 'the genesis header of a machine with these surfaces and a roster id',
    commands:
      'accepted: command and the message that its author signs. roots: encoded commands and the tree root over them. badAuthors: the signature does not verify. terms: whether a block at index takes a command with that until. repeats: whether a command in a block at index is a no-op when commands of its id took effect in the blocks `before` (its own index: earlier in the same block)',
    blocks:
      'accepted, and refused by what can be said of a block alone (version, kinds, root of commands, authors). next: headers after `parent`, which stands after `genesis`, in a tally to which nothing was appended',
    votes: 'message and signature of every kind, under roster',
    certificates:
      'committees: by number of members, roster and id. accepted and refused: members names the committee, withstand is w or null (default b), hex is the Certificate. value: the one that most refused ones are made from',
    observations: 'message and signature by public',
    limits:
      'refused: type, hex: one item or byte too many or too few, the rest right. accepted: the same types at their limit (the keys in them are no keys)',
    trees:
      'items: item i of every tree here; a tree of n has the first n. roots; proofs: every TreeProof; ranges: every RangeProof (left and right count its hashes). folds: proofs of made-up hashes and the root that they fold to. edges: the right edge of a tree of `size` items (left hashes) before and after `more` items, and the root. refusedProofs and refusedRanges: root, size (and position) as the reader knows them, item(s) as shown',
    maps: 'maps: entries (canonical key and value, path) or bare leaves, and the root. keys (bits 256) and prefixes: the proof for the first `bits` bits of `path` in map number `map`; shows: the paths of the leaves that count. refused: root, path and bits as the reader knows them',
    indexes:
      'items with the canonical keys that each carries, the tree root, the index root, chains: positions and link_0 … link_count of each key, tip its encoded Tip. tails and refused: TailQuery and TailAnswer (rows 4 of Query and Answer without the variant index); continued: for a path that `upto` names, `before` of the run that the reader holds',
    light:
      'requests, responses, refused (decoding). world: a group of four with ten blocks; notes lists every item of its vec with the keys under index 0 and index 1; block, certificate and what each block appended. prove: a Request and a Response checked against the header at `at`. open: from the committee (roster, rosterId) that the reader trusts; head is the roster id reached. watch: right edges at block `from`, the responses that follow, the edges after them; every refused response stands in place of the first',
    tally:
      'ids; configs: content, acl, fingerprints and ids (committee is the group); surface: items with the keys under index 0 (recipient) and 1 (slot), a header, tails checked against it; facts: subject, BlockFacts, observation, PaymentProofs (its nodes are made up), machine commands; agreement: blocks by name with their BlockFacts and the addresses that an attribution of each gives to, and histories in a group with that many members that begins at origin: step i, `block member/round` for a claim or `block proofs`, stands alone in the block of index i + 1 and time_ms 1,000 × (i + 1); behind the bar is what it leaves: the number asked, `!` if contested / its round / claims heard in it / m, or `-`, then the last agreed block, and how many wait for their proofs; reversals: what was appended, but for attributions; payments: calldata, transactions to feeRecipient, cases',
    discovery:
      'entries: SignedEntry and the message that its peer signs (left out where it is long); unsigned: the signature does not verify. requests, responses, rumours; refused: type, hex. merging: at `now`, where `held` is known of a peer (or nothing), `offered` comes to `outcome`, "passed over" being neither taken nor held against anybody. exchanges: a CatalogRequest of an asker that holds `held` alone, and a CatalogResponse that it takes, or refuses with all of it',
    'tally.payments.cases':
      'payments: PaymentFacts in any order; sized: the same where the length of the proofs decides. proofs: bytes of the header and of the encoded PaymentProof of each, in the same order; counted: the indexes of those that count; facts: the BlockFacts for circumstances; refund: the Refund for them (left out where it is long), refundHash = H(canonical(Refund))',
  },
  readings: [
    'What the page leaves to its reader; this is how the vectors were made.',
    'Whether a block that holds a command past its term is refused, or the command a no-op, the page leaves open: no entry rests on it.',
    'The first block of an epoch is in a view above that of its parent, as every other block.',
    'The 900,000 bytes of PaymentProofs count the header, both counts and every payment counted so far, the new one among them.',
    'Genesis has no certificate: one whose header has index 0 is refused, votes and all.',
    '`have` and `max` bind the server; a reader does not refuse a run that ignores them.',
    'The schema ids of the fingerprints are `tally content@1` and `tally acl@1`, as the page prints them.',
  ],
}
