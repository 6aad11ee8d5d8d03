// Section 3: certificates, accepted and refused, for rosters whose bitmap has one byte, two, and a last byte that is full.

import { Certificate, checkCertificate, commitHash, type Header, type Seal } from './blocks.ts'
import { Roster, strength } from './committee.ts'
import { at, bitmap, H, hex, join } from './hash.ts'
import { hexOf, type Row, type Signers, sealOf, signers, upTo, voteOf } from './kit.ts'
import { ruleOf } from './make-keys.ts'
import { builtAt, type World } from './world.ts'

const SIZES = [1, 3, 4, 7, 8, 10, 64]

export function makeCertificates(world: World): Row {
  const scope = { network: H('network of certificates'), group: H('group of certificates') }
  const groups = new Map(SIZES.map((n) => [n, signers(scope, `signer of ${n}`, n)]))
  const groupOf = (n: number): Signers => {
    const group = groups.get(n)
    if (group === undefined) throw new Error(`no committee of ${n}`)
    return group
  }
  const headerFor = (group: Signers): Header => ({ ...builtAt(world, 2).header, surfaces: [], roster: group.id, next: group.id, view: 9n })

  const accepted: Row[] = []
  const accept = (name: string, n: number, certificate: Certificate, withstand: number | null) => {
    checkCertificate(certificate, groupOf(n), withstand)
    accepted.push({ name, members: n, withstand, hex: hexOf(Certificate, certificate) })
  }
  const sealed = (n: number, members: number[], view = 9n): Certificate => {
    const header = headerFor(groupOf(n))
    return { header, seal: sealOf(groupOf(n), header, view, members) }
  }
  accept('one of one', 1, sealed(1, [0]), null)
  accept('two of three, the last two', 3, sealed(3, [1, 2]), null)
  accept('a quorum of four', 4, sealed(4, [0, 1, 3]), null)
  accept('all of four', 4, sealed(4, upTo(4)), 2)
  accept('a view after the header’s', 4, sealed(4, [1, 2, 3], 12n), null)
  accept('w = 0 asks for no less than the quorum', 4, sealed(4, [0, 2, 3]), 0)
  accept('five of seven', 7, sealed(7, [0, 2, 3, 5, 6]), null)
  accept('six of seven at w = 3', 7, sealed(7, [0, 1, 2, 3, 5, 6]), 3)
  accept('six of eight: every bit of the byte is some member’s', 8, sealed(8, [1, 2, 3, 4, 6, 7]), null)
  accept('seven of ten: two bytes', 10, sealed(10, [0, 1, 3, 6, 7, 8, 9]), null)
  accept('forty-three of sixty-four: eight bytes', 64, sealed(64, upTo(64).slice(-43)), null)

  const refused: Row[] = []
  const refuse = (why: string, n: number, certificate: Certificate, withstand: number | null = null) => {
    const rule = ruleOf(() => checkCertificate(certificate, groupOf(n), withstand))
    refused.push({ rule, why, members: n, withstand, hex: hexOf(Certificate, certificate) })
  }
  const good = sealed(4, [0, 1, 3])
  const withSeal = (part: Partial<Seal>, of = good): Certificate => ({ header: of.header, seal: { ...of.seal, ...part } })
  const [first, second, third] = [0, 1, 2].map((i) => at(good.seal.signatures, i)) as [Uint8Array, Uint8Array, Uint8Array]
  refuse('a wrong bit: member 2 for member 3', 4, withSeal({ signers: bitmap([0, 1, 2], 4) }))
  refuse('bits from the most significant end', 4, withSeal({ signers: Uint8Array.of(0b1101_0000) }))
  refuse('a signature is missing', 4, withSeal({ signatures: [first, second] }))
  refuse('a signature too many', 4, withSeal({ signatures: [first, second, third, third] }))
  refuse('a bit too many, no signature for it', 4, withSeal({ signers: bitmap([0, 1, 2, 3], 4) }))
  refuse('two signatures are swapped', 4, withSeal({ signatures: [second, first, third] }))
  refuse('one signature three times', 4, withSeal({ signatures: [first, first, first] }))
  refuse(
    'a bit past the members, with a signature',
    4,
    withSeal({ signers: Uint8Array.of(0b0001_1011), signatures: [first, second, third, third] }),
  )
  refuse('a bit past the members, in place of one of theirs', 4, withSeal({ signers: Uint8Array.of(0b1000_0011) }))
  refuse('no bitmap', 4, withSeal({ signers: new Uint8Array(0) }))
  refuse('a bitmap too long by a zero byte', 4, withSeal({ signers: join(good.seal.signers, Uint8Array.of(0)) }))
  const ten = sealed(10, upTo(7))
  refuse('a bitmap too short: one byte for ten members', 10, withSeal({ signers: ten.seal.signers.slice(0, 1) }, ten))
  refuse('a bitmap of two bytes for eight members', 8, sealedLong(sealed(8, upTo(6))))
  refuse('a bit past ten members', 10, withSeal({ signers: Uint8Array.of(0x3f, 0x04) }, ten))
  refuse('votes of view 9, sealed as of view 10', 4, withSeal({ view: 10n }))
  refuse('a view before the header’s', 4, sealed(4, [0, 1, 3], 8n))
  refuse('a certificate of genesis, votes and all', 4, resign(groupOf(4), { ...good.header, index: 0n }))
  refuse('two of four: below the quorum', 4, sealed(4, [0, 1]))
  refuse('three of four at w = 2', 4, good, 2)
  refuse('all of four at w = 3: cannot be met', 4, sealed(4, upTo(4)), 3)
  refuse('five of seven at w = 3', 7, sealed(7, [0, 2, 3, 5, 6]), 3)
  refuse('one of one at w = 1: cannot be met', 1, sealed(1, [0]), 1)
  refuse('forty-two of sixty-four', 64, sealed(64, upTo(42)))
  refuse('another header under the same votes', 4, { header: { ...good.header, time_ms: 1n }, seal: good.seal })
  refuse('version 2, votes and all', 4, resign(groupOf(4), { ...good.header, version: 2 }))
  refuse('a header of another roster, votes and all', 4, resign(groupOf(4), { ...good.header, roster: groupOf(3).id }))
  const notarized = [0, 1, 3].map((member) => voteOf(groupOf(4), member, 9n, 'notarize', commitHash(good.header)))
  refuse('notarize votes', 4, withSeal({ signatures: notarized }))
  const elsewhere = signers({ ...scope, group: H('another group') }, 'signer of 4', 4)
  refuse('votes of the same keys under another roster id', 4, { header: good.header, seal: sealOf(elsewhere, good.header, 9n, [0, 1, 3]) })

  return {
    network: hex(scope.network),
    group: hex(scope.group),
    committees: SIZES.map((n) => ({
      members: n,
      roster: hexOf(Roster, groupOf(n).roster),
      id: hex(groupOf(n).id),
      strength: strength(n, null),
    })),
    value: Certificate.show(good),
    accepted,
    refused,
  }
}

const resign = (group: Signers, header: Header): Certificate => ({ header, seal: sealOf(group, header, header.view, [0, 1, 3]) })
const sealedLong = (certificate: Certificate): Certificate => ({
  header: certificate.header,
  seal: { ...certificate.seal, signers: join(certificate.seal.signers, Uint8Array.of(0)) },
})
