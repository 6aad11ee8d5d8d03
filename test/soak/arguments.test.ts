import { describe, expect, it } from 'vitest'
import { UsageError } from '../../node/io.ts'
import { readArguments } from './arguments.ts'

describe('the command line of a soak', () => {
  it('asks for kills, or for tabs', () => {
    expect(readArguments([])).toEqual({ kind: 'kills', kills: 20, seed: 1, json: false })
    expect(readArguments(['--kills', '5', '--seed', '7'])).toEqual({ kind: 'kills', kills: 5, seed: 7, json: false })
    expect(readArguments(['--tabs', '20'])).toEqual({ kind: 'tabs', tabs: 20, minutes: 24, json: false })
    expect(readArguments(['--tabs', '3', '--minutes', '2', '--json'])).toEqual({ kind: 'tabs', tabs: 3, minutes: 2, json: true })
  })

  it('asks for fail-overs over one transport', () => {
    expect(readArguments(['--failover'])).toEqual({ kind: 'failover', kills: 20, transport: 'ws', json: false })
    const words = '--failover --kills 3 --transport webrtc-direct --json'.split(' ')
    expect(readArguments(words)).toEqual({ kind: 'failover', kills: 3, transport: 'webrtc-direct', json: true })
  })

  it('asks for hostile peers', () => {
    expect(readArguments(['--hostile'])).toEqual({ kind: 'hostile', minutes: 3, json: false })
    expect(readArguments('--hostile --minutes 1 --json'.split(' '))).toEqual({ kind: 'hostile', minutes: 1, json: true })
  })

  it.each([
    ['--failover --transport smoke', '--transport is one of ws, webrtc-direct, webtransport, not "smoke"'],
    ['--failover --tabs 2', '--seed, --tabs and --minutes do not go with --failover'],
    ['--transport ws', '--transport goes with --failover'],
    ['--hostile --failover', '--hostile goes with --minutes and --json alone'],
    ['--hostile --tabs 2', '--hostile goes with --minutes and --json alone'],
    ['--hostile --seed 2', '--hostile goes with --minutes and --json alone'],
    ['--hostile --minutes 61', '--minutes takes a whole number from 1 to 60, not "61"'],
    ['--tabs 0', '--tabs takes a whole number from 1 to 28, not "0"'],
    ['--tabs 29', '--tabs takes a whole number from 1 to 28, not "29"'],
    ['--tabs 2 --minutes 1.5', '--minutes takes a whole number from 1 to 1440, not "1.5"'],
    ['--kills many', '--kills takes a whole number from 1 to 100000, not "many"'],
    ['--minutes 3', '--minutes goes with --tabs or --hostile'],
    ['--tabs 2 --kills 1', '--kills and --seed do not go with --tabs'],
  ])('refuses %s in one line', (line, message) => {
    expect(() => readArguments(line.split(' '))).toThrow(new UsageError(message))
  })

  it.each(['--tabs', '--frogs', 'tabs'])('refuses %s as unusable input', (line) => {
    expect(() => readArguments(line.split(' '))).toThrow(UsageError)
  })
})
