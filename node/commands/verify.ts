import { parseArgs } from 'node:util'
import type { CoalitionError } from '../../client/error.ts'
import { isError } from '../../client/error.ts'
import { identify } from '../../client/lattice/tally/config.ts'
import { fromHex } from '../../client/primitives/bytes.ts'
import { createVerify } from '../../client/primitives/ed25519.ts'
import { asId, type GroupId, UNIVERSE } from '../../client/primitives/id.ts'
import { type Finding, MAX_FILE, verifyEvidence } from '../../client/verify/evidence/index.ts'
import { type EvidenceError, explain } from '../../client/verify/verdict.ts'
import { bindings } from '../bindings.ts'
import { nodeSubtle } from '../ed25519.ts'
import { readJson } from '../files.ts'
import { readHandshake } from '../handshake.ts'
import { type Io, UsageError } from '../io.ts'
import { toJson } from '../json-lines.ts'
import { plain, report, whole } from './report.ts'

export const name = 'verify'
export const summary = 'check exported evidence, offline'
export const usage = `coalition verify FILE [--config FILE] [--withstand W] [--json]

  Checks an exported value, or a proof that a committee signed two histories, by the file alone: no network is used. The file carries the
  config that it is of, and the output names the group that follows from it. Whether that is the group you mean, --config decides.

  --config FILE   the config you trust, or a handshake with a field "tally": evidence of another group is refused
  --withstand W   members that may lie without deceiving you; default a third of the committee, rounded down
  --json          one JSON object

Exit: 0 it holds, 1 refused, 2 unusable input.

  coalition verify refund.json --config handshake.json
  coalition verify equivocation.json --json`

/** Runs `coalition verify`; argv starts after `verify`. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        withstand: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) {
      io.out(usage)
      return 0
    }
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) throw new UsageError('name one file')
    const withstand = whole('--withstand', values.withstand, 64)
    const group = values.config === undefined ? undefined : await groupOf(values.config)
    return await verify(file, { group, withstand, json: values.json }, io)
  } catch (error) {
    return report(name, error, io)
  }
}

interface Asked {
  readonly group: GroupId | undefined
  readonly withstand: number | undefined
  readonly json: boolean
}

const verify = async (file: string, { group, withstand, json }: Asked, io: Io): Promise<number> => {
  const content = await readJson(file, MAX_FILE)
  const options = {
    bindings,
    verify: await createVerify(nodeSubtle),
    ...(withstand !== undefined && { withstand }),
    ...(group !== undefined && { group }),
  }
  try {
    const finding = await verifyEvidence(content, options)
    io.out(json ? toJson({ ok: true, pinned: group !== undefined, ...finding }) : plain(wordsOf(finding, group !== undefined)))
    return 0
  } catch (error) {
    if (!isError(error, 'Verify.EvidenceError')) throw error
    const { verdict } = error as CoalitionError as EvidenceError
    if (json) io.out(toJson({ ok: false, pinned: group !== undefined, problem: error.message, verdict }))
    else io.out(plain(explain(verdict)))
    return report(name, error, io)
  }
}

/** The group that a config of one's own gives. */
const groupOf = async (file: string): Promise<GroupId> => {
  const { tally, network } = await readHandshake(file)
  return identify(network === undefined ? UNIVERSE : asId<'UniqueId'>(fromHex(network, 'network', 32)), tally).group
}

const wordsOf = (finding: Finding, pinned: boolean): string => {
  const whose = pinned ? 'as your config has it' : 'by the config in the file; --config holds it against yours'
  const lines = finding.kind === 'equivocation' ? proofWords(finding) : valueWords(finding)
  return [...lines, `group ${finding.group} of ${finding.surface}, ${whose}`].join('\n')
}

const valueWords = ({ verdict, value, asked, position }: Extract<Finding, { readonly kind: 'item' | 'answer' }>): readonly string[] => [
  explain(verdict),
  asked === null ? `item ${position}:` : `everything that the question ${asked.question} gives for the key ${asked.key}:`,
  ...(Array.isArray(value) ? (value.length === 0 ? ['  nothing'] : value.map((each) => `  ${toJson(each)}`)) : [`  ${toJson(value)}`]),
]

const proofWords = ({
  index,
  commits,
  signedBoth,
  liars,
  checks,
}: Extract<Finding, { readonly kind: 'equivocation' }>): readonly string[] => [
  signedBoth.length === 0
    ? 'proof holds: the committees of two epochs signed two histories'
    : `proof holds: at least ${signedBoth.length} ${signedBoth.length === 1 ? 'member' : 'members'} signed two histories`,
  ...signedBoth.map(({ member, operator, peer }) => `  member ${member}, ${operator}, link key ${peer}`),
  `at least ${liars} of the committee lied`,
  `block ${index} is`,
  ...commits.map((commit) => `  ${commit}`),
  ...checks.map((check) => `  ${check.state.padEnd(8)} ${check.name}: expected ${check.expected}, found ${check.found} [${check.source}]`),
]
