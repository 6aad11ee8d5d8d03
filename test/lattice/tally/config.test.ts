import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  aclCodec,
  checkConfig,
  contentCodec,
  formatConfig,
  identify,
  parseConfig,
  SIGNATURE,
} from '../../../client/lattice/tally/config.ts'
import type { TallyConfig } from '../../../client/lattice/tally/index.ts'
import { type Bytes, fromHex, toHex } from '../../../client/primitives/bytes.ts'
import { decode, encode } from '../../../client/primitives/codec.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { bytesOf, configOf } from './fixtures.ts'

const { tally } = JSON.parse(readFileSync(new URL('../../vectors/conformance.json', import.meta.url), 'utf8'))
const rows = tally.configs as readonly {
  name: string
  chainId: string
  content: { hex: string }
  acl: { hex: string }
  ids: Record<string, string>
}[]
const config = configOf()

const problem = (value: unknown): string => {
  try {
    identify(UNIVERSE, value)
    return 'accepted'
  } catch (error) {
    const { name, path } = error as { name: string; path: string }
    return `${name} ${path}`
  }
}
/** The config with one place replaced. */
const put = (path: string, value: unknown): unknown => {
  const copy = structuredClone(config) as never
  const steps = path.split('.')
  const last = steps.pop() as string
  const place = steps.reduce<Record<string, never>>((at, step) => at[step] as never, copy)
  place[last] = value as never
  return copy
}

describe('the ids of a tally', () => {
  it('are those of the second implementation, from the same bytes', () => {
    for (const { name, chainId, content, acl, ids } of rows) {
      const given = {
        lattice: { name, chainId: BigInt(chainId) },
        content: decode(contentCodec, fromHex(content.hex)),
        acl: decode(aclCodec, fromHex(acl.hex)),
      }
      expect(toHex(encode(contentCodec, given.content))).toBe(content.hex)
      expect(toHex(encode(aclCodec, given.acl))).toBe(acl.hex)
      const { group, inputs, genesis } = identify(UNIVERSE, given)
      expect(Object.values(ids)).toEqual(
        expect.arrayContaining([inputs.stableId, inputs.content, inputs.acl, inputs.config, toHex(group)].map(String)),
      )
      expect(toHex(genesis.roster)).toBe(inputs.roster)
    }
    expect(rows.length).toBeGreaterThan(3)
  })

  it('refuse the bytes that the second implementation refuses', () => {
    for (const { type, hex, why } of tally.refusedConfigs) {
      expect(() => decode((type === 'Content' ? contentCodec : aclCodec) as typeof contentCodec, fromHex(hex)), why).toThrow()
    }
  })

  it('IDN-37 move with every field that is folded', () => {
    const seen = new Set([toHex(identify(UNIVERSE, config).group)])
    const changes: [string, unknown][] = [
      ['lattice.name', 'test.other'],
      ['lattice.chainId', 1n],
      ['content.feeRecipient', bytesOf('another', 20)],
      ['content.origin.number', 1n],
      ['content.origin.hash', bytesOf('origin')],
      ['content.inclusion', { kind: 'depth', value: { blocks: 3 } }],
      ['content.timers.heartbeat_ms', 2_000],
      ['content.predecessor', bytesOf('before')],
      ['acl.roster.members.0.operator', 'somebody else'],
    ]
    for (const [path, value] of changes) seen.add(toHex(identify(UNIVERSE, put(path, value)).group))
    expect(seen.size).toBe(changes.length + 1)
  })

  it('do not follow the caller when it changes its object later', () => {
    const given = structuredClone(config) as { content: { feeRecipient: Bytes } } & TallyConfig
    const checked = checkConfig(given)
    given.content.feeRecipient.fill(0)
    expect(checked).toEqual(config)
  })
})

describe('a config from a page', () => {
  it('may be the published JSON, unread', () => {
    expect(identify(UNIVERSE, JSON.parse(JSON.stringify(formatConfig(config))))).toEqual(identify(UNIVERSE, config))
  })

  it('is refused by the field that is wrong', () => {
    const cases: [string, unknown, string][] = [
      ['lattice', null, '$.lattice'],
      ['lattice.name', 'a|b', '$.lattice'],
      ['lattice.chainId', 1, '$.lattice'],
      ['lattice.chainId', -1n, '$.lattice'],
      ['content', undefined, '$.content'],
      ['content.signature', `${SIGNATURE}0`, '$.content.signature'],
      ['content.feeRecipient', new Uint8Array(19), '$.content.feeRecipient'],
      ['content.feeRecipient', '0x00', '$.content.feeRecipient'],
      ['content.origin.number', 1, '$.content.origin.number'],
      ['content.origin.hash', new Uint8Array(31), '$.content.origin.hash'],
      ['content.inclusion', { kind: 'never', value: null }, '$.content.inclusion'],
      ['content.inclusion', { kind: 'depth', value: { blocks: -1 } }, '$.content.inclusion.depth.blocks'],
      ['content.timers.view_ms', 2 ** 32, '$.content.timers.view_ms'],
      ['content.timers.heartbeat_ms', 0, '$.content.timers'],
      ['content.predecessor', undefined, '$.content.predecessor'],
      ['acl.roster.epoch', 1, '$.acl.roster'],
      ['acl.roster.members', [], '$.acl.roster.members'],
      ['acl.roster.members.0.vote', new Uint8Array(32), '$.acl.roster'],
      ['acl.roster.members.0.operator', 'x'.repeat(65), '$.acl.roster.members[0].operator'],
      ['acl.roster.members', [config.acl.roster.members[0], config.acl.roster.members[0]], '$.acl.roster'],
      ['acl.admission', { kind: 'anyone', value: null }, '$.acl.admission'],
      ['acl.readers', 'anyone', '$.acl.readers'],
    ]
    for (const [path, value, expected] of cases)
      expect(problem(put(path, value)), `${path} = ${String(value)}`).toBe(`Tally.ConfigError ${expected}`)
    for (const nothing of [null, undefined, 7, 'config', [], new Uint8Array(3), () => 0])
      expect(problem(nothing)).toMatch(/^Tally\.ConfigError \$/)
  })
})

describe('the published handshake', () => {
  it('survives JSON with the same ids, and fields of a later version', () => {
    for (const each of [config, configOf({ inclusion: { kind: 'depth', value: { blocks: 12 } }, predecessor: bytesOf('before') }, 4)]) {
      const text = JSON.stringify({ ...formatConfig(each), later: { anything: [1] } })
      expect(parseConfig(JSON.parse(text))).toEqual(each)
    }
  })

  it('is refused by the field that is wrong', () => {
    const json = JSON.parse(JSON.stringify(formatConfig(config)))
    const broken = (change: (json: { [key: string]: object | undefined }) => void): unknown => {
      const copy = structuredClone(json)
      change(copy)
      return copy
    }
    const path = (value: unknown): string => {
      try {
        parseConfig(value)
        return 'accepted'
      } catch (error) {
        return `${(error as Error).name} ${(error as { path?: string }).path}`
      }
    }
    expect(path(null)).toBe('Tally.ConfigError $')
    expect(path(broken((copy) => delete copy.acl))).toBe('Tally.ConfigError $.acl')
    expect(path(broken(({ content }) => Object.assign(content ?? {}, { feeRecipient: '0x12' })))).toBe(
      'Tally.ConfigError $.content.feeRecipient',
    )
    expect(path(broken(({ content }) => Object.assign(content ?? {}, { inclusion: 'soon' })))).toBe('Tally.ConfigError $.content.inclusion')
    expect(path(broken(({ lattice }) => Object.assign(lattice ?? {}, { chainId: 2 ** 60 })))).toBe('Tally.ConfigError $.lattice.chainId')
    expect(path(broken(({ acl }) => Object.assign(acl ?? {}, { readers: 'members' })))).toBe('Tally.ConfigError $.acl.readers')
  })
})
