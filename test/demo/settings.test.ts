import { afterEach, describe, expect, it, vi } from 'vitest'
import { blockLink, explorerProblem, loadSettings, saveSettings, transportsOf } from '../../demo/wallet/settings.ts'

afterEach(() => vi.unstubAllGlobals())

const kept = (text: string | null): unknown => vi.stubGlobal('localStorage', { getItem: () => text })

describe('an explorer', () => {
  it.each([
    ['', null],
    ['https://explorer.example/block/{block}', null],
    ['http://127.0.0.1:8080/{hash}', null],
    ['javascript:alert({block})', 'must begin with https:// or http://'],
    ['https://explorer.example/', 'needs {block} or {hash} where the number or the hash goes'],
    ['{block}', 'is not an address of the web'],
  ])('%s: %s', (text, problem) => {
    expect(explorerProblem(text)).toBe(problem)
  })

  it('is the chosen one, or that of a known chain, or none', () => {
    const none = { explorer: null, scheme: 'auto', transports: null } as const
    expect(blockLink(none, 1n, 17n, '0xab')).toBe('https://etherscan.io/block/17')
    expect(blockLink(none, 31_337n, 17n, '0xab')).toBeNull()
    expect(blockLink({ ...none, explorer: 'https://e.example/{hash}?n={block}' }, 1n, 17n, '0xab')).toBe('https://e.example/0xab?n=17')
  })
})

describe('what this browser kept', () => {
  it.each([
    null,
    'not JSON',
    '[]',
    'null',
    '{"explorer":"javascript:{block}","scheme":"pink"}',
    '{"explorer":7}',
    '{"transports":["smoke"]}',
    '{"transports":"ws"}',
  ])('%j is the defaults', (text) => {
    kept(text)
    expect(loadSettings()).toEqual({ explorer: null, scheme: 'auto', transports: null })
  })

  it('a browser that keeps nothing is said to', () => {
    vi.stubGlobal('localStorage', {
      setItem: () => {
        throw new Error('quota')
      },
    })
    expect(saveSettings({ explorer: null, scheme: 'dark', transports: null })).toBe(false)
  })
})

describe('the transports', () => {
  it.each([
    ['', null, null],
    ['', ['ws'], ['ws']],
    ['?transports=ws,webrtc-direct', null, ['webrtc-direct', 'ws']],
    ['?transports=webtransport', ['ws'], ['webtransport']],
    ['?transports=smoke,tcp', ['ws'], ['ws']],
    ['?transports=', null, null],
  ] as const)('of a page at %j where %j was chosen are %j', (search, transports, expected) => {
    expect(transportsOf({ explorer: null, scheme: 'auto', transports }, search)).toEqual(expected)
  })

  it('that were chosen are kept, less those that nobody knows', () => {
    kept('{"transports":["ws","smoke","webtransport"]}')
    expect(loadSettings().transports).toEqual(['webtransport', 'ws'])
  })
})
