import { type Io, UsageError } from '../io.ts'
import { inspect } from './quote/inspect.ts'
import { verify } from './quote/verify.ts'
import { report } from './report.ts'

export const name = 'quote'
export const summary = 'verify or print quotes of Intel TDX and SGX, offline'
export const usage = `coalition quote verify --quote FILE… --collateral FILE|DIR [--at UNIX] [--root PEM] [--policy FILE] [--memory DIR] [--json]
coalition quote inspect FILE [--log CCEL] [--json]

  verify   checks quotes with Intel's collateral and a policy; says of each check what was expected and found, which SVN is short, when the
           verdict expires and which field of the policy would change it. The collateral is verified once for all quotes
  inspect  prints what stands in a quote, without a judgement; nothing in it is verified

  --quote FILE       a quote: raw, hex or base64, at most 64 KiB; repeat it, or name more files, for many
  --collateral PATH  one JSON object with the parts of a PCCS's answers, or a folder of the answers: bodies, each with NAME.headers
  --at UNIX          the time at which all of it must be valid, in seconds; default now
  --root PEM         the certificate where chains must end; default Intel's SGX Root CA. Any other is a development root, and the verdict says so
  --policy FILE      what is accepted, as JSON: docs/policy.example.json; default a status of UpToDate, no restriction of measurements
  --memory DIR       remembers under which collateral a quote was accepted, and refuses older collateral from then on
  --log CCEL         the event log of the quote's machine: replayed, and held against the quote's RTMRs
  --json             one JSON object a quote, each on a line of its own

Exit: verify 0 accepted, 1 refused, 2 unusable input, the worst of many quotes; inspect 0 printed, 1 the log does not lead to the RTMRs, 2.

  coalition quote verify --quote quote.bin --collateral collateral.json --policy policy.json
  coalition quote verify --collateral pccs/ --memory /var/lib/quotes --json member-*.hex
  coalition quote inspect quote.bin --log /sys/firmware/acpi/tables/data/CCEL`

/** Runs `coalition quote`; argv starts after `quote`. */
export const run = async ([verb, ...argv]: readonly string[], io: Io): Promise<number> => {
  try {
    if (verb === '--help' || verb === '-h' || argv.includes('--help') || argv.includes('-h')) {
      io.out(usage)
      return 0
    }
    if (verb === 'verify') return await verify(argv, io)
    if (verb === 'inspect') return await inspect(argv, io)
    throw new UsageError(verb === undefined ? 'verify or inspect' : `no ${verb}: verify or inspect`)
  } catch (error) {
    return report(name, error, io)
  }
}
