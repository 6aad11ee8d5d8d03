import { parseArgs } from 'node:util'
import * as read from '../../client/primitives/json.ts'
import { CHECKS } from '../../client/verify/checks.ts'
import { FORMAT, MAX_FILE } from '../../client/verify/evidence/index.ts'
import { readVerdict } from '../../client/verify/read-verdict.ts'
import type { Check, Light, Verdict } from '../../client/verify/verdict.ts'
import { readJson } from '../files.ts'
import { type Io, UsageError } from '../io.ts'
import { toJson } from '../json-lines.ts'
import { plain, report } from './report.ts'

export const name = 'explain'
export const summary = 'say in words what a verdict says'
export const usage = `coalition explain FILE [--json]

  Tells what was checked, what each check means and what follows where one failed or could not be made. FILE is a verdict as JSON, a value
  with its verdict as "coalition read --json" prints one, or exported evidence. It says what the file says: "coalition verify" checks it.

  --json   one JSON object

Exit: 0 told, 2 unusable input.

  coalition explain refund.json`

/** Runs `coalition explain`; argv starts after `explain`. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help) {
      io.out(usage)
      return 0
    }
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) throw new UsageError('name one file')
    const found = find(await readJson(file, MAX_FILE))
    io.out(values.json ? toJson({ ...found, meaning: meaningsOf(found.verdict) }) : plain(wordsOf(found)))
    return 0
  } catch (error) {
    return report(name, error, io)
  }
}

/** A verdict and what it was found on. */
interface Found {
  readonly kind: string
  readonly verdict: Verdict
}

const find = (json: unknown): Found => {
  const whole = { value: json, path: '$' }
  const inside = read.optional(whole, 'verdict')
  const evidence = read.optional(whole, 'format')?.value === FORMAT
  if (inside === undefined && evidence) throw new read.ParseError('$.verdict', 'is missing: coalition verify makes one')
  const kind = read.optional(whole, 'kind')?.value
  return {
    kind: inside === undefined ? 'verdict' : evidence && typeof kind === 'string' ? (KINDS[kind] ?? 'value') : 'value',
    verdict: readVerdict(inside ?? whole),
  }
}

const KINDS: Readonly<Record<string, string>> = {
  item: 'one item, with its proof',
  answer: 'a complete answer, with its proof',
  equivocation: 'a proof that a committee signed two histories',
}

type Lights = readonly (readonly [name: string, light: Light, about: string])[]

const lightsOf = ({ integrity, authority, freshness }: Verdict): Lights => [
  ['integrity', integrity, 'the value is what the committee’s log says'],
  ['authority', authority, 'the log is signed by enough of the right keys'],
  ['freshness', freshness, 'there is no newer one that was kept from the reader'],
]

const meaningsOf = (verdict: Verdict) =>
  Object.fromEntries(lightsOf(verdict).flatMap(([, { checks }]) => checks.map((check) => [check.name, CHECKS[check.name]])))

const wordsOf = ({ kind, verdict }: Found): string => {
  const { ok, assumes, disclosed, at } = verdict
  const head = [
    `This is ${kind === 'verdict' || kind === 'value' ? `a ${kind}` : kind}. It says:`,
    ok ? 'no check failed.' : 'a check failed, and the value is not to be believed.',
    at === null
      ? 'It names no commit.'
      : `It stands in commit ${at.index} of group ${at.group}, made at ${at.timeMs} ms by the group’s clock.`,
    `It assumes: ${assumes}.`,
    `The question told the server: ${disclosed}.`,
  ]
  return [...head, ...lightsOf(verdict).flatMap(lightWords)].join('\n')
}

const lightWords = ([name, { state, checks }, about]: Lights[number]): readonly string[] => [
  '',
  `${name}, ${about}: ${state}`,
  ...(checks.length === 0 ? ['  nothing was checked'] : checks.flatMap(checkWords)),
]

const checkWords = ({ name, state, expected, found, source }: Check): readonly string[] => {
  const { checks, failure } = CHECKS[name]
  const own = [`  ${name} ${state}: ${checks}`, `    expected ${expected}, found ${found} [${source}]`]
  return state === 'failed' || state === 'unproven' ? [...own, `    ${failure}`] : own
}
