import { afterEach, describe, expect, it, vi } from 'vitest'
import { blockLink, explorerProblem, loadSettings, saveSettings } from '../../demo/wallet/settings.ts'

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
    const none = { explorer: null, scheme: 'auto' } as const
    expect(blockLink(none, 1n, 17n, '0xab')).toBe('https://etherscan.io/block/17')
    expect(blockLink(none, 31_337n, 17n, '0xab')).toBeNull()
    expect(blockLink({ ...none, explorer: 'https://e.example/{hash}?n={block}' }, 1n, 17n, '0xab')).toBe('https://e.example/0xab?n=17')
  })
})

describe('what this browser kept', () => {
  it.each([null, 'not JSON', '[]', 'null', '{"explorer":"javascript:{block}","scheme":"pink"}', '{"explorer":7}'])(
    '%j is the defaults',
    (text) => {
      kept(text)
      expect(loadSettings()).toEqual({ explorer: null, scheme: 'auto' })
    },
  )

  it('a browser that keeps nothing is said to', () => {
    vi.stubGlobal('localStorage', {
      setItem: () => {
        throw new Error('quota')
      },
    })
    expect(saveSettings({ explorer: null, scheme: 'dark' })).toBe(false)
  })
})
