// Section 5: every request and every response, by value and bytes, and what a decoder of them refuses.

import { encode } from './bcs.ts'
import { Header } from './blocks.ts'
import { bytesOf, H, hex, zeros } from './hash.ts'
import { both, hexOf, type Row, upTo } from './kit.ts'
import { type Answer, type Query, Request, Response } from './light.ts'
import { genesisOf } from './make-blocks.ts'
import { pathOf, proveMap } from './map.ts'
import { answerTo, appendedOf, openedAt, tailOf } from './serve.ts'
import { TDX_CLASS } from './tdx.ts'
import { Name, topicKey, type World } from './world.ts'

const MOST = 2n ** 64n - 1n

/** One query of each variant, and a few more, that the world can answer at block 10. */
export function queries(): Query[] {
  return [
    { is: 'item', value: { surface: 0, position: 4n } },
    { is: 'item', value: { surface: 3, position: 0n } },
    { is: 'range', value: { surface: 0, from: 2n, to: 5n } },
    { is: 'range', value: { surface: 3, from: 7n, to: 7n } },
    { is: 'key', value: { surface: 1, key: encode(Name, 'name 3') } },
    { is: 'key', value: { surface: 1, key: encode(Name, 'nobody') } },
    { is: 'key', value: { surface: 2, key: bytesOf('guest 5', 20) } },
    { is: 'prefix', value: { surface: 1, bits: 1, path: zeros(32) } },
    { is: 'prefix', value: { surface: 2, bits: 0, path: zeros(32) } },
    { is: 'prefix', value: { surface: 1, bits: 256, path: pathOf(encode(Name, 'name 1')) } },
    { is: 'tail', value: tailOf(0, 256, pathOf(topicKey('ß'))) },
    { is: 'tail', value: { ...tailOf(1, 0, zeros(32)), max: 2 } },
    { is: 'header', value: { index: 7n } },
    { is: 'header', value: { index: 0n } },
    { is: 'commands', value: { index: 8n } },
    { is: 'commands', value: { index: 6n } },
  ]
}

function requests(world: World): Request[] {
  const { group } = world.scope
  const hash = H('a hash')
  return [
    { is: 'hello', value: { versions: [1], groups: [] } },
    { is: 'hello', value: { versions: [1, 2, 65_535], groups: upTo(16).map((i) => bytesOf(`group ${i}`, 32)) } },
    { is: 'open', value: { group, fromEpoch: 0, known: [], withstand: null } },
    {
      is: 'open',
      value: {
        group,
        fromEpoch: 2 ** 32 - 1,
        known: [
          { index: 3n, hash },
          { index: MOST, hash },
        ],
        withstand: 0,
      },
    },
    { is: 'prove', value: { group, at: 10n, queries: queries().slice(0, 1) } },
    { is: 'prove', value: { group, at: 10n, queries: queries() } },
    {
      is: 'prove',
      value: {
        group,
        at: MOST,
        queries: [{ is: 'tail', value: { ...tailOf(1, 7, zeros(32)), have: marks(2), upto: marks(1), max: 2 ** 32 - 1 } }],
      },
    },
    { is: 'watch', value: { group, surfaces: [0], from: 1n, withstand: null, credit: 0 } },
    { is: 'watch', value: { group, surfaces: [0, 1, 2, 3], from: MOST, withstand: 255, credit: 2 ** 32 - 1 } },
    { is: 'credit', value: { n: 4 } },
    { is: 'tickets', value: { group, roster: hash } },
    { is: 'blob', value: { hash, offset: 262_144n } },
    { is: 'evidence', value: { group } },
  ]
}

const ticket = (member: number, length: number) => ({
  member,
  class: TDX_CLASS,
  data: bytesOf('ticket', length),
  collateral: [H('collateral'), H('more collateral')],
})

const contradiction = (first: number, second: number) => {
  const vote = (kind: number, block: string) => ({
    view: 7n,
    kind,
    hash: kind === 3 ? zeros(32) : H(block),
    member: 1,
    signature: bytesOf(block, 64),
  })
  return { roster: H('a roster'), first: vote(first, 'one block'), second: vote(second, 'another') }
}

const marks = (n: number) =>
  upTo(n).map((i) => ({ path: Uint8Array.from({ length: 32 }, (_, j) => (j === 31 ? i : 0)), count: BigInt(i + 1) }))

function responses(world: World): Response[] {
  const answers = queries().map((query) => answerTo(world, 10, query))
  const limits = { frame: 1_048_576, streams: 32, watches: 8, unaryMs: 30_000 }
  const served = [{ group: world.scope.group, oldest: 0n, newest: 10n, held: 3n }]
  const none: Answer = { is: 'key', value: { value: null, proof: proveMap([], zeros(32), 256) } }
  return [
    { is: 'hello', value: { version: 1, limits, timeMs: 1_700_000_000_000n, served } },
    { is: 'hello', value: { version: 65_535, limits, timeMs: MOST, served: [] } },
    { is: 'opened', value: openedAt(world, 10, []) },
    { is: 'opened', value: { ...openedAt(world, 10, [2, 12]), more: true } },
    { is: 'proven', value: { answers: [none] } },
    { is: 'proven', value: { answers } },
    { is: 'commits', value: appendedOf(world, [0, 3], 4, 6) },
    { is: 'gap', value: { next: 8n } },
    { is: 'tickets', value: { tickets: [] } },
    { is: 'tickets', value: { tickets: [ticket(0, 10), { ...ticket(63, 0), collateral: [] }] } },
    { is: 'blob', value: { total: 67_108_864n, bytes: bytesOf('blob', 40) } },
    { is: 'blob', value: { total: 0n, bytes: zeros(0) } },
    { is: 'evidence', value: { items: [contradiction(3, 4)] } },
    ...[
      { code: 1, have: 0n, retryMs: 0, text: '' },
      { code: 2, have: 10n, retryMs: 0, text: 'not yet' },
      { code: 3, have: 3n, retryMs: 0, text: 'pruned – äöü 😀' },
      { code: 6, have: 0n, retryMs: 2 ** 32 - 1, text: '\ufeffbusy' },
      { code: 255, have: MOST, retryMs: 1, text: 'x'.repeat(256) },
    ].map((value): Response => ({ is: 'error', value })),
  ]
}

// --- refused

function refused(world: World): Row[] {
  const rows: Row[] = []
  const add = (type: string, rule: string, why: string, bytes: string) => rows.push({ type, rule, why, hex: bytes })
  const { group } = world.scope
  const g = hex(group)
  const h = hex(H('a hash'))
  const zero = '00'.repeat(32)
  const request = (value: Request): string => hexOf(Request, value)
  const response = (value: Response): string => hexOf(Response, value)

  add('Request', 'truncated', 'nothing', '')
  add('Request', 'variant', 'no such request', `08${g}`)
  add('Request', 'variant', 'error is no request', 'ff01')
  add('Request', 'uleb-shortest', 'variant 0 in two bytes', '800001010000')
  add('Request', 'length', 'hello with no version', '000000')
  add('Request', 'length', 'hello with nine versions', `0009${'0100'.repeat(9)}00`)
  add('Request', 'length', 'hello with seventeen groups', `0001010011${zero.repeat(17)}`)
  add('Request', 'trailing', 'a byte after hello', '0001010000ff')
  add('Request', 'truncated', 'a group that is cut', `0001010001${zero.slice(2)}`)
  add('Request', 'length', 'open with three known', `01${g}0000000003${`${'00'.repeat(8)}${h}`.repeat(3)}00`)
  add('Request', 'tag', 'withstand with tag 2', `01${g}000000000002`)
  add('Request', 'tag', 'withstand with tag 2 and a value', `01${g}00000000000203`)
  add('Request', 'truncated', 'withstand with tag 1 and no value', `01${g}000000000001`)
  add('Request', 'length', 'prove with no query', `02${g}${'00'.repeat(8)}00`)
  add('Request', 'length', 'prove with 65 queries', `02${g}${'00'.repeat(8)}41${`05${'00'.repeat(8)}`.repeat(65)}`)
  add('Request', 'variant', 'query 7', `02${g}${'00'.repeat(8)}0107${'00'.repeat(8)}`)
  add('Request', 'length', 'a key of 257 bytes', `02${g}${'00'.repeat(8)}0102018102${'00'.repeat(257)}`)
  add('Request', 'length', 'watch with no surface', `03${g}00${'00'.repeat(8)}00${'00'.repeat(4)}`)
  add('Request', 'length', 'watch with five surfaces', `03${g}050001020304${'00'.repeat(8)}00${'00'.repeat(4)}`)
  add('Request', 'truncated', 'credit of three bytes', '04010000')
  add('Request', 'trailing', 'credit of five bytes', '040100000000')
  for (const sample of requests(world)) {
    const bytes = request(sample)
    add('Request', 'trailing', `a zero byte after ${sample.is}`, `${bytes}00`)
    add('Request', 'truncated', `${sample.is} cut by a byte`, bytes.slice(0, -2))
  }

  const opened = response({ is: 'opened', value: openedAt(world, 10, [2, 12]) })
  const gap = response({ is: 'gap', value: { next: 8n } })
  add('Response', 'variant', 'response 8 is none of this version', '08')
  const held = (data: string, more: string) => `00${h}${data}${more}`
  add('Response', 'length', 'sixty-five tickets', '0541')
  add('Response', 'length', 'a ticket of 16,001 bytes', `0501${held('817d', '')}`)
  add('Response', 'length', 'a ticket with five pieces of collateral', `0501${held('00', '05')}`)
  const votes = response({ is: 'evidence', value: { items: [contradiction(2, 2)] } })
  const beforeKind = votes.slice(0, 2 * (2 + 32 + 8))
  for (const kind of ['00', '05']) add('Response', 'range', `a vote of kind ${kind}`, `${beforeKind}${kind}`)
  add('Response', 'length', 'seventeen contradictions', '0711')
  add('Response', 'truncated', 'variant 255 as one byte', 'ff')
  add('Response', 'variant', 'variant 256', '8002')
  add('Response', 'uleb-shortest', 'variant 255 in three bytes', 'ff8100')
  add('Response', 'tag', 'opened with more = 2', opened.replace(/^010000/, '010002'))
  add('Response', 'length', 'opened with 65 steps', `0141${'00'.repeat(100)}`)
  add('Response', 'tag', 'a link with tag 2', `${opened.slice(0, -2)}02`)
  add('Response', 'length', 'proven with no answer', '0200')
  // A key answer without a value, its proof of no levels and no end: all there, so that nothing but the count is wrong.
  add('Response', 'length', 'proven with 65 answers', `0241${'02000000000000'.repeat(65)}`)
  const header = hexOf(Header, genesisOf('no surface'))
  const seal = `${'00'.repeat(8)}0001${'00'.repeat(64)}`
  add('Response', 'length', 'commits with no header', `0300${seal}010100`)
  add('Response', 'length', 'commits with nothing appended', `0301${header}${seal}00`)
  add('Response', 'length', 'commits with what 65 blocks appended', `0301${header}${seal}41${'0100'.repeat(65)}`)
  add('Response', 'length', 'commits with a block of no surface', `0301${header}${seal}0100`)
  add('Response', 'length', 'commits with a block of five surfaces', `0301${header}${seal}0105${'00'.repeat(5)}`)
  add('Response', 'range', 'a blob of 64 MiB and a byte', '06010000040000000000')
  add('Response', 'length', 'a blob part of 262,145 bytes', `06${'00'.repeat(8)}818010`)
  add('Response', 'truncated', 'a gap of seven bytes', gap.slice(0, -2))
  const error = (text: string) => `ff0107${'00'.repeat(12)}${text}`
  add('Response', 'length', 'error text of 257 bytes', error(`8102${'78'.repeat(257)}`))
  add('Response', 'utf8', 'error text with a lone surrogate', error('03edb080'))
  add('Response', 'utf8', 'error text with a Latin-1 byte', error('01e4'))
  add('Response', 'utf8', 'error text cut inside a character', error('01c3'))
  const depth = (bytes: string) => `02010200${bytes}`
  add('Response', 'range', 'a map proof of depth 257', depth('0101000000'))
  add('Response', 'length', 'a map proof with 33 present bytes', depth(`000121${'00'.repeat(33)}0000`))
  add('Response', 'variant', 'an end of variant 3', depth('0000000003'))
  add('Response', 'length', 'a subtree of one leaf', depth(`000000000201${zero}${zero}`))
  add('Response', 'length', 'a subtree of no leaf', depth('000000000200'))
  add('Response', 'tag', 'a value with option tag 3', '02010203000000000000')
  add('Response', 'length', 'a tree proof of 65 hashes', `02010000${'00'.repeat(16)}41${zero.repeat(65)}`)
  return rows
}

export function makeMessages(world: World): Row {
  return {
    requests: requests(world).map((value) => both(Request, value)),
    responses: responses(world).map((value) => ({ hex: hexOf(Response, value), value: shown(value) })),
    refused: refused(world),
  }
}

/** The long ones are told by the exchanges as well; here their bytes are enough. */
function shown(response: Response) {
  if (response.is === 'proven' || response.is === 'opened' || response.is === 'commits') return null
  return Response.show(response)
}
