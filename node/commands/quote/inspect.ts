import { parseArgs } from 'node:util'
import { type Bytes, toHex } from '../../../client/primitives/bytes.ts'
import { dateText } from '../../../client/verify/collateral/fields.ts'
import { CollateralFormatError, readChain, readPem } from '../../../client/verify/collateral/index.ts'
import {
  type ExplainedEvent,
  type Explanation,
  explainMeasurements,
  LOG_BYTES,
  replayEventLog,
} from '../../../client/verify/events/index.ts'
import type { Certificate } from '../../../wasm/certificate.ts'
import { type PckSource, type Quote, readQuote } from '../../../wasm/quote.ts'
import { readBounded } from '../../collateral/folder.ts'
import { type Io, UsageError } from '../../io.ts'
import { toJson } from '../../json-lines.ts'
import { plain } from '../report.ts'
import { naming, readQuoteFile } from './input.ts'

/** Runs `coalition quote inspect`. @returns the exit code */
export const inspect = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { log: { type: 'string' }, json: { type: 'boolean', default: false } },
  })
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new UsageError('name one quote')
  const quote = await naming(file, async () => readQuote(await readQuoteFile(file)))
  const log = values.log === undefined ? null : await replay(values.log, quote)
  const content = contentOf(quote)
  io.out(values.json ? toJson({ quote: file, ...content, log }) : plain([...quoteWords(content), ...logWords(log)].join('\n')))
  return log === null || log.equal ? 0 : 1
}

type Log = Explanation & { readonly events: readonly ExplainedEvent[] }

const replay = (path: string, { body }: Quote): Promise<Log> =>
  naming(path, async () => {
    if (body.kind === 'sgx') throw new UsageError('an enclave has no RTMRs that a log could lead to')
    const { rtmr0, rtmr1, rtmr2, rtmr3 } = body
    const found = replayEventLog(await readBounded(path, LOG_BYTES))
    const quoted = { rtmr0: toHex(rtmr0), rtmr1: toHex(rtmr1), rtmr2: toHex(rtmr2), rtmr3: toHex(rtmr3) }
    return { ...explainMeasurements(quoted, found), events: found.events }
  })

type Value = string | number | boolean | null
type Fields = Readonly<Record<string, Value>>

/** What stands in a quote: bytes as hex, times as text. */
interface Content {
  readonly header: Fields
  readonly body: Fields
  readonly signature: Fields
  readonly qeReport: Fields
  readonly pck: Pck
}

interface Pck {
  readonly type: number
  readonly certificates: readonly Fields[]
  /** What the first certificate says of the machine; null where none does. */
  readonly platform: Fields | null
  /** Why there are no certificates; null where there are. */
  readonly problem: string | null
}

const contentOf = ({ header, body, signature, signed, trailing }: Quote): Content => {
  const { value, attestationKey, certification } = signature
  return {
    header: { ...fieldsOf(header), signedBytes: signed.length, trailingBytes: trailing.length },
    body: fieldsOf(body),
    signature: fieldsOf({ value, attestationKey, qeSignature: certification.qeSignature, qeAuthData: certification.qeAuthData }),
    qeReport: fieldsOf(certification.qeReport),
    pck: pckOf(certification.pck),
  }
}

/** Fields in their order; `bytes`, which is all of them again, left out. */
const fieldsOf = (from: object): Fields =>
  Object.fromEntries(Object.entries(from).flatMap(([name, value]) => (name === 'bytes' ? [] : [[name, plainValue(value)]])))

const plainValue = (value: unknown): Value => {
  if (value instanceof Uint8Array) return toHex(value)
  return typeof value === 'object' ? value && JSON.stringify(value) : (value as Value)
}

const CHAIN = 5

const pckOf = ({ type, data }: PckSource): Pck => {
  const none = { type, certificates: [], platform: null }
  if (type !== CHAIN) return { ...none, problem: `certification data of type ${type}: ${toHex(data)}` }
  try {
    const chain = readChain(readPem(data as Bytes, 'pck'), 'pck')
    const sgx = chain[0]?.sgx ?? null
    return { type, certificates: chain.map(certificateOf), platform: sgx && fieldsOf(sgx), problem: null }
  } catch (thrown) {
    if (!(thrown instanceof CollateralFormatError)) throw thrown
    return { ...none, problem: thrown.message }
  }
}

const certificateOf = ({ subject, issuer, serial, notBefore, notAfter }: Certificate): Fields => ({
  subject: subject.commonName,
  issuer: issuer.commonName,
  serial: toHex(serial),
  notBefore: dateText(notBefore),
  notAfter: dateText(notAfter),
})

const rows = (title: string, fields: Fields): readonly string[] => [
  title,
  ...Object.entries(fields).map(([name, value]) => `  ${name.padEnd(24)} ${value ?? 'none'}`),
]

const quoteWords = ({ header, body, signature, qeReport, pck }: Content): readonly string[] => [
  'What stands in the quote. Nothing of it was verified: "coalition quote verify" does.',
  ...rows('header', header),
  ...rows('body', body),
  ...rows('signature', signature),
  ...rows('report of the quoting enclave', qeReport),
  ...pck.certificates.flatMap((certificate, i) => rows(`certificate ${i} of the platform's chain`, certificate)),
  ...(pck.platform === null ? [] : rows('platform, by its certificate', pck.platform)),
  ...(pck.problem === null ? [] : [`no certificate of the platform: ${pck.problem}`]),
]

const logWords = (log: Log | null): readonly string[] => {
  if (log === null) return []
  const { equal, registers, events, contradicted } = log
  return [
    equal
      ? 'event log: it leads to all four RTMRs'
      : 'event log: it does not lead to these RTMRs, and explains nothing of those that differ',
    ...registers.map((one) => `  ${one.register} ${one.state}: quoted ${one.quoted}, by ${one.events} events ${one.replayed}`),
    ...(contradicted.length === 0 ? [] : [`  the text of these events is not what was measured: ${contradicted.join(', ')}`]),
    'events',
    ...events.map(
      (event) => `  ${event.index} ${event.register} ${event.typeName} ${event.digest.slice(0, 16)}… ${event.data}: ${event.text}`,
    ),
  ]
}
