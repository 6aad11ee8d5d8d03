import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { isError } from '../../client/error.ts'
import { parseConfig } from '../../client/lattice/tally/config.ts'
import * as Tally from '../../client/lattice/tally/index.ts'
import type { StateReport, Subject, Verified } from '../../client/network/handle.ts'
import type { Network } from '../../client/network/network.ts'
import { type Evidence, MAX_FILE } from '../../client/verify/evidence/index.ts'
import { type EvidenceError, explain, type Verdict } from '../../client/verify/verdict.ts'
import { readHandshake } from '../handshake.ts'
import { type Io, UsageError } from '../io.ts'
import { toJson } from '../json-lines.ts'
import { interrupted } from '../signals.ts'
import { plain, report, whole } from './report.ts'

export const name = 'read'
export const summary = 'read refunds from a committee, verified here'
export const usage = `coalition read --config FILE [--bootstrap MULTIADDR…] [--address 0x… | --slot N | --follow [--since N]]
               [--withstand W] [--disclose] [--timeout S] [--export FILE] [--json]

  Prints the newest refund, or what is asked for, with the verdict that it was checked to.

  --config FILE          the published handshake, or tally's config by itself
  --bootstrap MULTIADDR  a member's address with its peer id; default those of the handshake
  --address 0x…          every refund that names an address, complete
  --slot N               every refund of a block, complete
  --follow               each new refund until interrupted; --since N begins with item N
  --withstand W          members that may lie without deceiving you; default a third of the committee, rounded down
  --disclose             ask for the address itself instead of a bucket of about 64
  --timeout S            seconds until a verified head, default 15
  --export FILE          writes what was read with its whole evidence, for "coalition verify"; if the committee is caught signing two
                         histories, the proof of that
  --json                 one JSON object a line: {"event":"value",…}, and {"event":"state",…} with --follow

Exit: 0 good, 1 refused or nobody there, 2 unusable input.

  coalition read --config handshake.json --bootstrap /ip4/127.0.0.1/tcp/4001/ws/p2p/12D3Koo…
  coalition read --config handshake.json --address 0x5a0b54d5dc17e0aadc383d2db43b0a0d3e029c4c --export mine.json --json`

const OPTIONS = {
  config: { type: 'string' },
  bootstrap: { type: 'string', multiple: true },
  address: { type: 'string' },
  slot: { type: 'string' },
  follow: { type: 'boolean', default: false },
  since: { type: 'string' },
  withstand: { type: 'string' },
  disclose: { type: 'boolean', default: false },
  timeout: { type: 'string' },
  export: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const

/** Runs `coalition read`; argv starts after `read`. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  try {
    const { values } = parseArgs({ args: [...argv], options: OPTIONS })
    if (values.help) {
      io.out(usage)
      return 0
    }
    if (values.config === undefined) throw new UsageError('name the config: --config FILE')
    if ([values.address, values.slot, values.follow || undefined].filter((one) => one !== undefined).length > 1)
      throw new UsageError('one of --address, --slot and --follow')
    return await open({ ...values, config: values.config }, io)
  } catch (error) {
    return report(name, error, io)
  }
}

type Values = Partial<Record<'address' | 'slot' | 'since' | 'withstand' | 'timeout' | 'export', string>> & {
  readonly config: string
  readonly bootstrap?: readonly string[]
  readonly follow: boolean
  readonly disclose: boolean
  readonly json: boolean
}

const open = async (values: Values, io: Io): Promise<number> => {
  const { tally, bootstrap, network: universe } = await readHandshake(values.config)
  const config = parseConfig(tally)
  const addresses = values.bootstrap ?? bootstrap
  if (addresses.length === 0) throw new UsageError('the file names no member’s address: --bootstrap MULTIADDR')
  const withstand = whole('--withstand', values.withstand, 64)
  const seconds = whole('--timeout', values.timeout, 86_400)
  // libp2p takes half a second to load: a wrong option should not wait for it.
  const { openNetwork } = await import('../connect.ts')
  await using network = await openNetwork({ bootstrap: addresses, ...(universe !== undefined && { network: universe }) })
  const limits = { ...(withstand !== undefined && { withstand }), ...(seconds !== undefined && { timeout: seconds * 1_000 }) }
  try {
    await using refunds = await Tally.read(network, config, limits)
    return await answer(refunds, values, io)
  } catch (error) {
    return await refused(network, error, values, io)
  }
}

const answer = async (refunds: Tally.Refunds, values: Values, io: Io): Promise<number> => {
  const { address, slot, disclose, json } = values
  if (values.follow) return follow(refunds, values, io)
  const options = { disclose }
  const question =
    address !== undefined ? { question: 'of', argument: address } : slot !== undefined ? { question: 'at', argument: slotOf(slot) } : null
  const shown =
    question === null
      ? await refunds.latest(options)
      : await refunds.ask<readonly Tally.Refund[]>(question.question, question.argument, options)
  io.out(json ? toJson({ event: 'value', ...shown }) : plain([...linesOf(shown.value), explain(shown.verdict)].join('\n')))
  if (values.export === undefined) return 0
  if (question === null && shown.ref.position === null) throw new UsageError('there is no refund yet, and nothing to export')
  const subject: Subject = question ?? { ref: shown.ref }
  await save(values.export, await refunds.export(subject, options), io)
  return 0
}

/** Each refund as it is verified, until interrupted. */
const follow = async (refunds: Tally.Refunds, { since, json }: Values, io: Io): Promise<number> => {
  const stop = new AbortController()
  void interrupted().then(() => stop.abort(new Interrupted()))
  const from = since === undefined ? null : slotOf(since)
  const items = from === null ? tailOf(refunds, stop.signal) : refunds.since(from, { signal: stop.signal })
  const ended = refunds.onState((report) => io.out(json ? toJson({ event: 'state', ...report }) : plain(stateLine(report))))
  try {
    for await (const shown of items)
      io.out(json ? toJson({ event: 'value', ...shown }) : plain([...linesOf(shown.value), lightsLine(shown)].join('\n')))
    return 0
  } catch (error) {
    if (error instanceof Interrupted) return 0
    throw error
  } finally {
    ended()
  }
}

class Interrupted extends Error {}

/** New items only. An iteration takes no signal, `since` does: so it begins after the newest. */
const tailOf = async function* (refunds: Tally.Refunds, signal: AbortSignal): AsyncGenerator<Verified<Tally.Refund>> {
  const { ref } = await refunds.latest({ signal })
  yield* refunds.since(ref.position === null ? 0n : BigInt(ref.position) + 1n, { signal })
}

/** What the verdict was when it was refused; and the proof, where the committee was caught. */
const refused = async (network: Network, error: unknown, { json, export: file }: Values, io: Io): Promise<number> => {
  const verdict = (error as Partial<EvidenceError>).verdict as Verdict | null | undefined
  if (verdict && json) io.out(toJson({ event: 'refused', problem: (error as Error).message, verdict }))
  else if (verdict) io.out(plain(explain(verdict)))
  const [proof] = isError(error, 'Network.EquivocationError') ? await network.evidence() : []
  if (proof !== undefined && file !== undefined) await save(file, proof, io)
  return report(name, error, io)
}

const save = async (file: string, evidence: Evidence, io: Io): Promise<void> => {
  const text = `${JSON.stringify(evidence)}\n`
  if (text.length > MAX_FILE) throw new UsageError(`the evidence is ${text.length} bytes, and a file of it ${MAX_FILE} at most`)
  await writeFile(file, text).catch((cause: Error) => {
    throw new UsageError(`cannot write ${file}: ${cause.message}`, { cause })
  })
  io.err(`evidence in ${file}`)
}

const slotOf = (text: string): bigint => {
  if (!/^\d{1,20}$/.test(text)) throw new UsageError(`${JSON.stringify(text)} is no number`)
  return BigInt(text)
}

const linesOf = (value: Tally.Refund | readonly Tally.Refund[] | null): readonly string[] => {
  const all = value === null ? [] : 'length' in value ? value : [value]
  return all.length === 0 ? ['no refund'] : all.map(refundLine)
}

const refundLine = (refund: Tally.Refund): string => {
  if (refund.kind === 'reversal') return `block ${refund.of.slot}: its refunds (revision ${refund.of.revision}) count no more`
  const { slot, pool, recipients, residual } = refund
  const shares = recipients.map(({ addr, amount }) => `${Tally.formatAddress(addr)} ${amount}`)
  return [`block ${slot}: ${pool} wei`, ...shares, `for nobody ${residual}`].join(', ')
}

const lightsLine = ({ verdict: { integrity, authority, freshness } }: Verified<unknown>): string =>
  `  integrity ${integrity.state}, authority ${authority.state}, freshness ${freshness.state}`

const stateLine = ({ state, detail, peers }: StateReport): string => {
  const members = peers.filter(({ member }) => member !== null)
  const connected = members.filter((peer) => peer.connected).length
  return `${state}, ${connected} of ${members.length} members connected${detail === null ? '' : `: ${detail}`}`
}
