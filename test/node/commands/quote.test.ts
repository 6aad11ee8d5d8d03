import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromHex } from '../../../client/primitives/bytes.ts'
import { replayEventLog } from '../../../client/verify/events/index.ts'
import { parsePolicy } from '../../../client/verify/quote/index.ts'
import { run as command } from '../../../node/commands/quote.ts'
import { type MockPki, newPki, pem, writeCollateral } from '../../verify/_collateral-writer.ts'
import { of, type QuoteChanges, svns, writeQuote } from '../../verify/_quote-mock.ts'
import { log } from '../../verify/events/_log-writer.ts'
import { quoteCases } from '../../verify/quote/_cases.ts'
import { type CollateralJson, pccsFiles } from '../collateral/_pccs-writer.ts'

// TDX.md, all of it, from a terminal: what a verdict says, in which forms its input comes, and how the command ends.

const AT = Date.UTC(2026, 5, 1) / 1000
const DAY = 86_400
const pki: MockPki = newPki(AT)
const EXAMPLE = fileURLToPath(new URL('../../../docs/policy.example.json', import.meta.url))
let folder = ''

const file = (name: string): string => join(folder, name)
const write = async (name: string, content: Uint8Array | string): Promise<string> => {
  await writeFile(file(name), content)
  return file(name)
}
const run = async (...argv: readonly string[]) => {
  const io = { out: '', err: '' }
  const to = (name: 'out' | 'err') => (text: string) => {
    io[name] += `${text}\n`
  }
  const code = await command(argv, { out: to('out'), err: to('err') })
  return { code, ...io }
}
const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** `quote verify` with mock collateral, root and time. */
const verify = (...argv: readonly string[]) =>
  run('verify', '--collateral', file('collateral.json'), '--root', file('root.pem'), '--at', String(AT), ...argv)
/** One quote and its verdict. */
const verdictOf = async (quote: QuoteChanges, ...argv: readonly string[]) => {
  const { code, out } = await verify('--json', await write('one.bin', writeQuote(pki, quote)), ...argv)
  const [verdict = {}] = lines(out)
  return { code, ...verdict } as { readonly code: number; readonly policyFields: readonly string[] | null }
}

const good = writeQuote(pki)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coalition-quote-'))
  await write('good.bin', good)
  await write('collateral.json', writeCollateral(pki))
  await write('root.pem', pem(pki.root))
})
afterAll(() => rm(folder, { recursive: true }))

describe('coalition quote verify', () => {
  it('accepts a quote: status, TCB date, advisories, every check, measurements, expiry', async () => {
    const { code, out, err } = await verify('--quote', file('good.bin'), '--json')
    expect([code, err]).toEqual([0, ''])
    expect(lines(out)).toEqual([
      expect.objectContaining({
        ...{ quote: file('good.bin'), at: AT, accepted: true, status: 'UpToDate', tcbDate: '2026-03-03T00:00:00Z', advisories: [] },
        ...{
          expires: AT + 20 * DAY,
          root: 'development',
          policyFields: [],
          measurements: expect.objectContaining({ mrTd: 'a0'.repeat(48) }),
        },
        checks: expect.arrayContaining([expect.objectContaining({ name: 'quote.tcb', state: 'passed' })]),
      }),
    ])
  })

  it('says it in words: that the root is a development root, each check with its section, and when the verdict expires', async () => {
    const { code, out } = await verify(file('good.bin'))
    expect(code).toBe(0)
    expect(out).toMatch(/good\.bin: accepted\n {2}status UpToDate, TCB of 2026-03-03T00:00:00Z\n {2}advisories none\n/)
    expect(out).toContain("trust begins at a development root, which is not Intel's")
    expect(out).toContain('this verdict expires at 2026-06-21T00:00:00Z (1782000000)')
    expect(out).toMatch(/ {4}passed {3}quote\.signature: expected .*, found it holds \[TDX\.md section 2\]/)
    expect(out).toMatch(/ {4}unproven collateral\.rollback: .*no memory/)
    expect(out).toContain(`mrTd           ${'a0'.repeat(48)}`)
  })

  it.each([
    ['hex', Buffer.from(good).toString('hex')],
    ['hex with 0x, in upper case, on lines', `0x${Buffer.from(good).toString('hex').toUpperCase().replace(/.{60}/g, '$&\r\n')}\n`],
    ['base64', Buffer.from(good).toString('base64')],
    ['base64 on lines', `${Buffer.from(good).toString('base64').replace(/.{76}/g, '$&\n')}\n`],
    ['base64url', Buffer.from(good).toString('base64url')],
  ])('reads a quote as %s', async (name, text) => {
    const { code, out } = await verify(await write(`${name.slice(0, 3)}.txt`, text), '--json')
    expect([code, lines(out)[0]?.status]).toEqual([0, 'UpToDate'])
  })

  it('takes a folder of a PCCS’s answers', async () => {
    await mkdir(file('pccs'))
    for (const [name, content] of pccsFiles(JSON.parse(writeCollateral(pki)) as CollateralJson)) await write(join('pccs', name), content)
    const { code, out } = await run(
      'verify',
      '--collateral',
      file('pccs'),
      '--root',
      file('root.pem'),
      '--at',
      String(AT),
      file('good.bin'),
    )
    expect([code, out]).toEqual([0, expect.stringContaining('status UpToDate')])
    await write('pccs/more.headers', '')
    const alone = await run('verify', '--collateral', file('pccs'), file('good.bin'))
    expect([alone.code, alone.err]).toEqual([2, expect.stringContaining('more.headers has no body beside it')])
  })

  it('trusts Intel’s root alone unless told otherwise', async () => {
    const { code, out } = await run('verify', '--collateral', file('collateral.json'), '--at', String(AT), '--json', file('good.bin'))
    expect(code).toBe(1)
    expect(lines(out)).toMatchObject([{ accepted: false, status: null, policyFields: null, root: 'intel' }])
    expect(out).toContain('the trusted root has a0af0312')
  })

  it('judges many quotes in one call, a line each, and ends with the worst of them', async () => {
    const bad = await write('bad.bin', writeQuote(pki, { report: { teeTcbSvn: svns(3, 1, 4) } }))
    const [both, all] = [
      await verify('--json', '--quote', file('good.bin'), bad),
      await verify('--json', file('none'), bad, file('good.bin')),
    ]
    expect([both.code, lines(both.out).map(({ accepted }) => accepted)]).toEqual([1, [true, false]])
    expect(all.code).toBe(2)
    expect(lines(all.out)).toMatchObject([
      { quote: file('none'), accepted: false, problem: expect.stringContaining('cannot read') },
      { quote: bad, accepted: false, status: 'OutOfDate' },
      { quote: file('good.bin'), accepted: true },
    ])
  })

  it('says which SVN is short, and which field of the policy would change that', async () => {
    const short = { report: { teeTcbSvn: svns(3, 1, 4) } }
    expect(await verdictOf(short)).toMatchObject({ code: 1, status: 'OutOfDate', policyFields: ['statuses', 'graceSeconds'] })
    const { out } = await verify(file('one.bin'))
    expect(out).toMatch(/one\.bin: refused\n {2}because of policy\.status\n/)
    expect(out).toMatch(/quote\.tcb: .*tdxtcbcomponents\[2\] 4 < 6/)
    expect(out).toContain('policy fields that would change it: statuses, graceSeconds')
    const policy = await write('lenient.json', '{ "// why": "old machines", "statuses": ["UpToDate", "OutOfDate"] }')
    expect(await verdictOf(short, '--policy', policy)).toMatchObject({ code: 0, accepted: true, status: 'OutOfDate' })
  })

  it.each([
    ['another measurement', { mrTd: of(48, 1) }, ['measurements.baseline.mrTd']],
    ['neither variant', { rtmr1: of(48, 1) }, ['measurements.variants[0].rtmr1', 'measurements.variants[1].rtmr1']],
    [
      'other report data and an attribute',
      { reportData: of(64, 1), tdAttributes: fromHex('0000005000000000') },
      ['tdAttributes', 'reportData'],
    ],
    ['DEBUG', { tdAttributes: fromHex('0100001000000000') }, null],
    ['a reserved attribute beside an allowable one', { tdAttributes: fromHex('0200005000000000') }, null],
  ] as const)('the example policy refuses %s', async (_, report, fields) => {
    const { code, policyFields } = await verdictOf({ report }, '--policy', EXAMPLE)
    expect([code, policyFields]).toEqual([1, fields])
  })

  it('says that no policy would change what does not hold', async () => {
    expect(await verdictOf({ qe: { isvProdId: 9 } })).toMatchObject({ code: 1, status: null, policyFields: null })
    expect((await verify(file('one.bin'))).out).toContain('no policy would change it')
  })

  it('refuses, and explains, a file that is no quote', async () => {
    const { code, out } = await verify(await write('noise.bin', of(900, 0xee)))
    expect([code, out]).toEqual([1, expect.stringMatching(/failed {3}quote\.shape: .*quote\.header\.version at 0/)])
  })

  it('remembers what it accepted under, and does not go back', async () => {
    const older = await write('older.json', writeCollateral(pki, { tcbInfo: { tcbEvaluationDataNumber: 17 } }))
    const memory = file('memory')
    const first = await verify('--memory', memory, '--json', file('good.bin'))
    expect([first.code, lines(first.out)[0]?.checks]).toEqual([
      0,
      expect.arrayContaining([expect.objectContaining({ name: 'collateral.rollback', state: 'passed' })]),
    ])
    const [back, forgetful] = [
      await verify('--collateral', older, '--memory', memory, file('good.bin')),
      await verify('--collateral', older, file('good.bin')),
    ]
    expect([back.code, back.out]).toEqual([1, expect.stringMatching(/collateral\.rollback: .*evaluation number 17 after 18/)])
    expect(forgetful.code).toBe(0)
  })

  it('lets nothing from a file write over the terminal', async () => {
    const root = { ...JSON.parse(writeCollateral(pki)), qe_identity: `{"id":"\u001b[2J"}` }
    const { out } = await verify('--collateral', await write('evil.json', JSON.stringify(root)), file('good.bin'))
    expect(out).not.toMatch(/[^\P{C}\n]/u)
  })
})

describe('the example policy', () => {
  it('accepts the quote it is written for', async () => {
    expect(await verdictOf({}, '--policy', EXAMPLE)).toMatchObject({ code: 0, accepted: true })
  })

  it('names every field of a policy, and says of each what it means', async () => {
    const example = JSON.parse(await readFile(EXAMPLE, 'utf8')) as Record<string, unknown>
    const fields = Object.keys(parsePolicy({}))
    expect(Object.keys(example).filter((name) => !name.startsWith('//'))).toEqual(fields)
    expect(Object.keys(example)).toEqual(expect.arrayContaining(fields.map((name) => `// ${name}`)))
    const { statuses, graceSeconds, tdAttributes, septVeDisable, xfam, serviceTds, platforms } = parsePolicy(example)
    // What the file says of fields that are left out.
    expect({ ...parsePolicy({}), statuses, graceSeconds, tdAttributes, septVeDisable, xfam, serviceTds, platforms }).toEqual(
      parsePolicy({}),
    )
  })
})

describe('coalition quote inspect', () => {
  it('prints what stands in a quote, though nothing of it holds', async () => {
    const broken = await write('broken.bin', writeQuote(pki, { version: 5, bodyType: 3, parts: { value: new Uint8Array(64) } }))
    const { code, out } = await run('inspect', broken, '--json')
    expect(code).toBe(0)
    expect(lines(out)).toMatchObject([
      {
        header: { version: 5, teeType: 'tdx', trailingBytes: 0 },
        body: { kind: 'td15', mrTd: 'a0'.repeat(48), mrServiceTd: '00'.repeat(48) },
        signature: { value: '00'.repeat(64) },
        qeReport: { kind: 'sgx', isvProdId: 2, isvSvn: 4 },
        pck: {
          type: 5,
          certificates: [
            { subject: 'Intel SGX PCK Certificate' },
            { subject: 'Intel SGX PCK Platform CA' },
            { subject: 'Intel SGX Root CA' },
          ],
          platform: { fmspc: Buffer.from(pki.platform.fmspc).toString('hex'), pceid: Buffer.from(pki.platform.pceid).toString('hex') },
        },
        log: null,
      },
    ])
    const text = await run('inspect', broken)
    expect([text.code, text.out]).toEqual([0, expect.stringMatching(/^What stands .*Nothing of it was verified[\s\S]*\n {2}mrTd +a0a0/)])
  })

  it('says why there is no certificate', async () => {
    const parts = { pckType: 5, pck: of(30, 0x41) } as QuoteChanges['parts']
    const { code, out } = await run('inspect', await write('nopck.bin', writeQuote(pki, { parts: parts ?? {} })))
    expect([code, out]).toEqual([0, expect.stringMatching(/no certificate of the platform: pck at 0: /)])
  })

  it('replays an event log and holds it against the RTMRs: 0 where it leads to them, 1 where not', async () => {
    const events = log({ register: 1, type: 0x8000_0003, data: new Uint8Array(60).fill(1) }, { register: 3, type: 0xd, data: of(30, 0x41) })
    const [rtmr0, rtmr1, rtmr2, rtmr3] = replayEventLog(events).rtmr
    const ccel = await write('ccel', events)
    const right = await run(
      'inspect',
      await write('logged.bin', writeQuote(pki, { report: { rtmr0, rtmr1, rtmr2, rtmr3 } })),
      '--log',
      ccel,
    )
    expect([right.code, right.out]).toEqual([0, expect.stringMatching(/event log: it leads to all four RTMRs[\s\S]*EV_IPL/)])
    const wrong = await run('inspect', file('good.bin'), '--log', ccel, '--json')
    expect([wrong.code, lines(wrong.out)]).toEqual([1, [expect.objectContaining({ log: expect.objectContaining({ equal: false }) })]])
  })
})

describe('unusable input ends with 2 and a line that names it', () => {
  it.each([
    [[], /verify or inspect/],
    [['prove'], /no prove/],
    [['verify'], /--quote/],
    [['verify', 'GOOD'], /--collateral/],
    [['verify', 'GOOD', '--collateral', 'GOOD'], /good\.bin: \$/],
    [['verify', 'GOOD', '--collateral', '/dev/zero'], /longer than 3145728/],
    [['verify', '/dev/zero', '--collateral', 'COLLATERAL'], /longer than 65536/],
    [['verify', 'EMPTY', '--collateral', 'COLLATERAL'], /is empty/],
    [['verify', 'ODD', '--collateral', 'COLLATERAL'], /hex of 5 digits/],
    [['verify', 'BASE', '--collateral', 'COLLATERAL'], /base64 that does not end/],
    [['verify', 'WORDS', '--collateral', 'COLLATERAL'], /neither hex nor base64/],
    [['verify', 'GOOD', '--collateral', 'COLLATERAL', '--at', '1e9'], /--at/],
    [['verify', 'GOOD', '--collateral', 'COLLATERAL', '--root', 'GOOD'], /good\.bin: root at 0/],
    [['verify', 'GOOD', '--collateral', 'COLLATERAL', '--root', 'TWO'], /two\.pem: root: one certificate is a root/],
    [['verify', 'GOOD', '--collateral', 'COLLATERAL', '--policy', 'MISSPELT'], /misspelt\.json: \$\.measurement: is no field/],
    [['verify', 'GOOD', '--collateral', 'COLLATERAL', '--policy', 'TWICE'], /twice\.json: \$: a key stands twice/],
    [['verify', 'GOOD', '--collateral', 'COLLATERAL', '--memory', 'GOOD'], /store .* cannot be made/],
    [['verify', '--nonsense'], /nonsense/],
    [['inspect'], /name one quote/],
    [['inspect', 'EMPTY'], /is empty/],
    [['inspect', 'COLLATERAL'], /neither hex nor base64/],
    [['inspect', 'NOISE'], /noise: quote\.header\.version at 0: /],
    [['inspect', 'GOOD', '--log', 'GOOD'], /good\.bin: header/],
  ] as const)('%j', async (words, message) => {
    await Promise.all([
      write('empty', ''),
      write('odd', '0x04000\n'),
      write('base', 'AwAxZ'),
      write('words', 'BAACAA=A'),
      write('noise', of(900, 0xee)),
      write('two.pem', pem(pki.root, pki.authority)),
      write('misspelt.json', '{ "measurement": {} }'),
      write('twice.json', '{ "statuses": ["UpToDate"], "statuses": ["OutOfDate"] }'),
    ])
    const names: Readonly<Record<string, string>> = {
      ...{
        GOOD: 'good.bin',
        COLLATERAL: 'collateral.json',
        EMPTY: 'empty',
        ODD: 'odd',
        BASE: 'base',
        WORDS: 'words',
        NOISE: 'noise',
        TWO: 'two.pem',
      },
      ...{ MISSPELT: 'misspelt.json', TWICE: 'twice.json' },
    }
    const { code, out, err } = await run(...words.map((word) => (names[word] === undefined ? word : file(names[word]))))
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^coalition quote: .+\ntry: coalition quote --help\n$/)
    expect(err).toMatch(message)
  })

  it.each([['--help'], ['verify', '--help'], ['inspect', '-h']])('%s %s shows examples', async (...words) => {
    expect(await run(...words)).toMatchObject({ code: 0, out: expect.stringMatching(/\n {2}coalition quote verify .*json/) })
  })
})

const all = quoteCases()
describe.skipIf(all.length === 0)("Intel's verdicts, by the command (MANIFEST.md)", () => {
  it.each(all.map((one) => [`${one.group}/${one.name}`, one] as const))('%s', async (_, one) => {
    const folderOf = fileURLToPath(new URL(`../../../../shared/data/tdx/${one.group}/${one.name}`, import.meta.url))
    const { root } = JSON.parse(await readFile(join(folderOf, 'meta.json'), 'utf8')) as { readonly root?: string }
    const trusted = root === undefined ? [] : ['--root', await write('case.pem', root)]
    const argv = ['--collateral', join(folderOf, 'collateral.json'), '--at', String(one.at), ...trusted, '--json']
    const { code, out } = await run('verify', '--quote', join(folderOf, 'quote.bin'), ...argv)
    const [verdict] = lines(out)
    // A file without a byte is no quote to refuse.
    if (one.quote.length === 0) return expect([code, verdict]).toEqual([2, expect.objectContaining({ accepted: false })])
    expect([verdict?.status, code]).toEqual([one.expected, verdict?.accepted === true ? 0 : 1])
    if (one.expected !== 'UpToDate') expect(code).toBe(1)
  })
})

describe.skipIf(all.length === 0)('the event log of data/tdx/extras', () => {
  it('leads to the RTMRs of its machine', async () => {
    const data = fileURLToPath(new URL('../../../../shared/data/tdx/', import.meta.url))
    const quote = join(data, 'cases/tdx-v4-cos113-google-2025-10/quote.bin')
    expect(await run('inspect', quote, '--log', join(data, 'extras/ccel_data.dat'))).toMatchObject({
      code: 0,
      out: expect.stringMatching(/leads to all four RTMRs[\s\S]*variable SecureBoot = 0/),
    })
  })
})
