// Section 6, "Agreement": histories of claims, and where each of them leaves the group. Which claim comes next is drawn from hashes, mostly
// of those that matter where the group stands, so that every rule of the list is met by some history.

import { Agreement, type Claim, type Terms } from './agreement.ts'
import { at, type Bytes, bytesOf, H, hex, same } from './hash.ts'
import { both, hexOf, type Row, upTo } from './kit.ts'
import { BlockFacts, Refund } from './tally.ts'

const ORIGIN = { number: 100n, hash: H('the origin') }
const CHAIN = 1n

interface Named {
  name: string
  number: bigint
  value: BlockFacts
}

/** A trunk of seven blocks, and branches: `held` blocks of another one, then their own. Every second block has a payment. */
function chains(): Named[] {
  const made: Named[] = []
  const grow = (letter: string, from: string, held: number, to: number): void => {
    let parent =
      held === 0
        ? ORIGIN.hash
        : at(
            made.filter((each) => each.name === `${from}${held}`),
            0,
          ).value.hash
    for (let i = held + 1; i <= to; i++) {
      const count = i % 2
      const value = { hash: H(`agreement ${letter}${i}`), parent, count, omitted: 0, payments: H(`payments of ${letter}${i}`) }
      made.push({ name: `${letter}${i}`, number: ORIGIN.number + BigInt(i), value })
      parent = value.hash
    }
  }
  grow('a', '', 0, 7)
  grow('b', 'a', 2, 7)
  grow('c', 'a', 4, 7)
  grow('d', 'b', 3, 6)
  return made
}

/** 0 … n−1, drawn for that label. */
function draw(label: string, n: number): number {
  const [high = 0, low = 0] = H(label)
  return (high * 256 + low) % n
}

const gives = (name: string): Bytes[] =>
  upTo(2)
    .map((i) => bytesOf(`provider ${i} of ${name}`, 20))
    .sort((a, b) => (hex(a) < hex(b) ? -1 : 1))

/** Every claim that would be heard where the group stands, as far as its members and rounds tell. */
function heardNext(group: Agreement, blocks: Named[]): Claim[] {
  const below = (number: bigint) => group.pile[Number(number - ORIGIN.number) - 2]?.value.hash ?? ORIGIN.hash
  return blocks
    .filter(({ number, value }) => number <= group.last + 1n && same(value.parent, below(number)))
    .flatMap(({ number, value }) => {
      const agreed = group.pile[Number(number - ORIGIN.number) - 1]
      const isAsked = number === group.asked
      if (!isAsked && (agreed === undefined || same(agreed.value.hash, value.hash))) return []
      const round = isAsked ? group.round : (agreed?.round ?? 0) + 1
      const rounds = isAsked && group.m !== null ? [round, round + 1] : [round]
      const spoken = isAsked ? group.heard : group.against.get(number)
      return rounds.flatMap((each) =>
        upTo(group.terms.members)
          .filter((member) => each !== round || spoken?.has(member) !== true)
          .map((member): Claim => ({ member, number, round: each, value })),
      )
    })
}

/** The next claim: one that counts as a rule, and often of what was said last, or no quorum would ever come together. */
function next(group: Agreement, blocks: Named[], label: string, previous: Claim | null): Claim {
  const { number, value } = at(blocks, draw(`${label} block`, blocks.length))
  if (draw(`${label} wild`, 6) === 0)
    return { member: draw(`${label} member`, group.terms.members), number, round: draw(`${label} round`, 4), value }
  const all = heardNext(group, blocks)
  const asked = all.filter((each) => each.number === group.asked)
  const joined = all.filter((each) => each.value === previous?.value)
  const some =
    joined.length > 0 && draw(`${label} joined`, 8) > 0 ? joined : draw(`${label} asked`, 3) > 0 && asked.length > 0 ? asked : all
  return some[draw(`${label} claim`, some.length || 1)] ?? { member: 0, number, round: 0, value }
}

function history(name: string, terms: Terms, length: number, blocks: Named[]): Row {
  const group = new Agreement(terms)
  const steps: string[] = []
  const reversals: string[] = []
  const show = () => group.show((hash) => blocks.find(({ value }) => same(value.hash, hash))?.name ?? 'origin')
  let previous: Claim | null = null
  for (let i = 0; i < length; i++) {
    const label = `${name} ${i}`
    const index = BigInt(i + 1)
    const [oldest] = group.waiting
    const waits = blocks.find(({ value }) => oldest !== undefined && value === group.pile[Number(oldest - ORIGIN.number) - 1]?.value)
    if (waits !== undefined && draw(`${label} proofs`, 4) === 0) {
      group.attribute(waits.number, gives(waits.name))
      steps.push(`${waits.name} proofs | ${show()}`)
      continue
    }
    const claim = next(group, blocks, label, previous)
    previous = claim
    for (const value of group.hear(claim, index, 1_000n * index)) reversals.push(hexOf(Refund, { is: 'reversal', value }))
    const said = blocks.find(({ value }) => value === claim.value)?.name ?? ''
    steps.push(`${said} ${claim.member}/${claim.round} | ${show()}`)
  }
  return { name, members: terms.members, inclusion: terms.depth ? 'depth' : 'finalized', steps, reversals }
}

export function makeAgreement(): Row {
  const blocks = chains()
  const terms = (members: number, depth: boolean): Terms => ({ members, depth, chainId: CHAIN, origin: ORIGIN })
  return {
    chainId: CHAIN.toString(),
    origin: { number: ORIGIN.number.toString(), hash: hex(ORIGIN.hash) },
    blocks: blocks.map(({ name, number, value }) => ({
      name,
      number: number.toString(),
      facts: both(BlockFacts, value).hex,
      gives: gives(name).map(hex),
    })),
    histories: [
      history('four, final', terms(4, false), 30, blocks),
      ...upTo(3).map((i) => history(`four by depth, ${i}`, terms(4, true), 90, blocks)),
      history('one by depth', terms(1, true), 40, blocks),
      history('seven by depth', terms(7, true), 90, blocks),
    ],
  }
}
