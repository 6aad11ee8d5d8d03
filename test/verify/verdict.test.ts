import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { type FactValue, fromWire, toWire } from '../../client/error.ts'
import { CHECKS, check, headAge, LIGHTS } from '../../client/verify/checks.ts'
import { type Check, type CheckName, type CheckState, EvidenceError, explain, type Verdict, verdict } from '../../client/verify/verdict.ts'

const NAMES = Object.values(LIGHTS).flat() as readonly CheckName[]
const STATES: readonly CheckState[] = ['passed', 'failed', 'unproven', 'absent']
const one = (name: CheckName, state: CheckState): Check => ({ name, state, expected: 'a', found: 'b', source: 's' })
const all = (state: CheckState = 'passed'): readonly Check[] => NAMES.map((name) => one(name, state))
const about = { assumes: '5 of 7 tally members signed; at least 3 would have to lie', disclosed: 'bucket of 64' }
const at = { group: '0a'.repeat(32), index: '12', commit: 'ff'.repeat(32), timeMs: 1_700_000_000_000 }
const of = (checks: readonly Check[]): Verdict => verdict({ checks, ...about, at })

describe('the closed list', () => {
  it('has every name once, each with what is checked, what a failure means and where it is written', () => {
    expect(new Set(NAMES).size).toBe(NAMES.length)
    expect(Object.keys(CHECKS).sort()).toEqual([...NAMES].sort())
    for (const doc of Object.values(CHECKS)) {
      expect(doc.checks.length).toBeGreaterThan(20)
      expect(doc.failure.length).toBeGreaterThan(20)
      expect(doc.source).toMatch(/^(PROTOCOL|TDX|API)\.md|^docs\/wire\.md/)
    }
  })

  it('has the names that API.md lists', () => {
    for (const name of [
      'commit.signatures',
      'commit.consistency',
      'answer.complete',
      'roster.chain',
      'quote.chain',
      'anchor.root',
      'head.age',
      'head.sources',
      'clock.skew',
    ]) {
      expect(NAMES).toContain(name)
    }
  })

  it('is closed: a check without a light is refused, and not lost', () => {
    expect(() => of([...all(), one('made.up' as CheckName, 'failed')])).toThrow('no check is called made.up')
    expect(() => of([one('toString' as CheckName, 'passed')])).toThrow(TypeError)
  })
})

describe('a light', () => {
  it('is red if a check failed, else amber if one is unproven, else green; absent checks leave it as it is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...STATES)), { maxLength: 30 }), (given) => {
        const result = of(given.map(([name, state]) => one(name, state)))
        for (const light of ['integrity', 'authority', 'freshness'] as const) {
          const states = given.filter(([name]) => (LIGHTS[light] as readonly string[]).includes(name)).map(([, state]) => state)
          const expected = states.includes('failed') ? 'red' : states.includes('unproven') || states.length === 0 ? 'amber' : 'green'
          expect(result[light].state).toBe(expected)
          expect(result[light].checks).toHaveLength(states.length)
        }
        expect(result.ok).toBe(!given.some(([, state]) => state === 'failed'))
      }),
    )
  })

  it('under which nothing was checked is not green', () => {
    expect(of([])).toMatchObject({ ok: true, integrity: { state: 'amber' }, authority: { state: 'amber' }, freshness: { state: 'amber' } })
    expect(of(all('absent')).integrity.state).toBe('green')
  })

  it('THR-03 one failed check of any name turns exactly its own light red, and ok false', () => {
    for (const name of NAMES) {
      const result = of(all().map((own) => (own.name === name ? one(name, 'failed') : own)))
      expect(result.ok).toBe(false)
      const red = (['integrity', 'authority', 'freshness'] as const).filter((light) => result[light].state === 'red')
      expect(red).toEqual(Object.entries(LIGHTS).flatMap(([light, names]) => ((names as readonly string[]).includes(name) ? [light] : [])))
    }
  })

  it('shows its checks in the order of the list, those of one name as they came', () => {
    const shuffled = [
      one('answer.complete', 'passed'),
      { ...one('commit.header', 'passed'), found: '1' },
      { ...one('commit.header', 'passed'), found: '2' },
    ]
    expect(of(shuffled).integrity.checks.map(({ name, found }) => [name, found])).toEqual([
      ['commit.header', '1'],
      ['commit.header', '2'],
      ['answer.complete', 'b'],
    ])
  })
})

describe('FAI-02 the age of a head', () => {
  it.each([
    [0, 'passed', '0 ms'],
    [30_000, 'passed', '30000 ms'],
    [30_001, 'unproven', '30001 ms'],
    [60_000, 'unproven', '60000 ms'],
    [60_001, 'unproven', '60001 ms, stale'],
    [-5, 'passed', '0 ms'],
  ])('of %i ms under a heartbeat of 10 s: %s', (ageMs, state, found) => {
    expect(headAge(ageMs, 10_000)).toEqual({
      name: 'head.age',
      state,
      expected: 'at most 30000 ms',
      found,
      source: CHECKS['head.age'].source,
    })
  })

  it('is seen and refuses nothing', () => {
    const old = of([...all().filter(({ name }) => name !== 'head.age'), headAge(1e9, 1_000)])
    expect(old).toMatchObject({ ok: true, freshness: { state: 'amber' }, integrity: { state: 'green' } })
  })
})

describe('the stable form', () => {
  it('is this text, whatever order the parts were made in', () => {
    const made = verdict({
      at: { timeMs: 5, commit: 'c0', index: '18446744073709551615', group: 'a0' },
      disclosed: 'nothing',
      assumes: '1 of 1',
      checks: [
        { source: 's3', found: 'f3', expected: 'e3', state: 'unproven', name: 'head.age' },
        { source: 's2', found: 'f2', expected: 'e2', state: 'failed', name: 'commit.signatures' },
        { source: 's1', found: 'f1', expected: 'e1', state: 'passed', name: 'item.inclusion' },
      ],
    })
    expect(JSON.stringify(made)).toBe(
      '{"ok":false,' +
        '"integrity":{"state":"green","checks":[{"name":"item.inclusion","state":"passed","expected":"e1","found":"f1","source":"s1"}]},' +
        '"authority":{"state":"red","checks":[{"name":"commit.signatures","state":"failed","expected":"e2","found":"f2","source":"s2"}]},' +
        '"freshness":{"state":"amber","checks":[{"name":"head.age","state":"unproven","expected":"e3","found":"f3","source":"s3"}]},' +
        '"assumes":"1 of 1","disclosed":"nothing",' +
        '"at":{"group":"a0","index":"18446744073709551615","commit":"c0","timeMs":5}}',
    )
    expect(JSON.parse(JSON.stringify(made))).toEqual(made)
    expect(structuredClone(made)).toEqual(made)
  })

  it('holds nothing that a caller added', () => {
    const extra = { ...one('head.age', 'passed'), secret: 'x' }
    expect(JSON.stringify(verdict({ checks: [extra], ...about, at: { ...at, secret: 'x' } as never }))).not.toContain('secret')
    expect(JSON.stringify(verdict({ checks: [], ...about, at: null }))).toContain('"at":null}')
  })
})

describe('explain', () => {
  it('says all of it, a line a check', () => {
    const text = explain(
      verdict({
        checks: [
          check('item.inclusion', 'passed', 'root 0a', 'root 0a'),
          check('commit.signatures', 'failed', '5 signatures', '3'),
          check('quote.chain', 'absent', 'no attestation asked for', 'none'),
        ],
        ...about,
        at,
      }),
    )
    expect(text).toBe(
      [
        'refused',
        `commit 12 of group ${at.group}`,
        `  hash ${at.commit}`,
        '  group clock 1700000000000 ms',
        'integrity: green',
        '  passed   item.inclusion: expected root 0a, found root 0a [PROTOCOL.md section 2, Tree and Map]',
        'authority: red',
        '  failed   commit.signatures: expected 5 signatures, found 3 [PROTOCOL.md section 1, Certificate and Strength]',
        '  absent   quote.chain: expected no attestation asked for, found none [TDX.md, Tickets of a committee]',
        'freshness: amber',
        '  nothing was checked',
        'assumes: 5 of 7 tally members signed; at least 3 would have to lie',
        'disclosed: bucket of 64',
      ].join('\n'),
    )
  })

  it('tells a full verdict from one with reservations, and one without a commit', () => {
    expect(explain(of(all()))).toMatch(/^verified\n/)
    expect(explain(of(all('unproven')))).toMatch(/^verified, not in every respect\n/)
    expect(explain(verdict({ checks: all('failed'), ...about, at: null }))).toMatch(/^refused\nno commit\n/)
  })
})

describe('EvidenceError', () => {
  const bad = of([
    ...all().filter(({ name }) => name !== 'roster.chain'),
    { ...one('head.age', 'failed') },
    check('roster.chain', 'failed', 'roster 0a', 'roster 0b'),
  ])

  it('names the first failed check by the order of the list', () => {
    const error = new EvidenceError(bad)
    expect(error.name).toBe('Verify.EvidenceError')
    expect(error.message).toBe('roster.chain failed: expected roster 0a, found roster 0b')
    expect(error.verdict).toBe(bad)
    expect(new EvidenceError(of(all())).message).toBe('no check failed')
  })

  it('keeps the whole verdict and the cause across a port', () => {
    const error = fromWire(structuredClone(toWire(new EvidenceError(bad, { cause: new TypeError('why') }))))
    expect(error).toMatchObject({ name: 'Verify.EvidenceError', cause: { name: 'TypeError', message: 'why' } })
    expect(JSON.stringify(error.facts.verdict)).toBe(JSON.stringify(bad))
    expectTypeOf<Verdict>().toExtend<FactValue>()
  })
})
