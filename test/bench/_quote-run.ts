import * as phala from '@phala/dcap-qvl'
import { type Bytes, fromHex } from '../../client/primitives/bytes.ts'
import { INTEL_ROOT, type VerifyEcdsa } from '../../client/verify/attestation.ts'
import { createEcdsa, type SubtleEcdsa, verifyCollateral } from '../../client/verify/collateral/index.ts'
import { inspectAttestation, inspectQuote, parsePolicy, type QuoteVerdict } from '../../client/verify/quote/index.ts'
import { readQuote } from '../../wasm/quote.ts'

// What is measured, in Node and in a browser alike: this verifier, @phala/dcap-qvl, and the signatures of the same quote alone.

/** A quote with collateral that both verifiers accept under Intel's root. */
export interface QuoteCase {
  readonly name: string
  /** Hex. */
  readonly quote: string
  /** JSON. */
  readonly collateral: string
  /** Unix seconds to verify at. */
  readonly at: number
}

/** Milliseconds of each call, by contender. */
export interface Measured {
  readonly case: string
  readonly what: What
  readonly ms: Readonly<Record<string, readonly number[]>>
}

export type What = 'full' | 'cached' | 'parse'

export const OURS = 'ours'
export const FLOOR = 'WebCrypto floor'
export const PHALA = '@phala/dcap-qvl 0.3.9'

type Call = () => unknown

const ROOT = { spkiHash: fromHex(INTEL_ROOT), development: false }
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SHA256 = { name: 'ECDSA', hash: 'SHA-256' } as const

const POLICY = parsePolicy({
  statuses: ['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded', 'OutOfDate'],
})

const { subtle } = crypto
/** Nothing of an earlier call is kept by it: each full verification imports its keys itself. */
const freshEcdsa = (): VerifyEcdsa => createEcdsa(subtle as SubtleEcdsa)

/** Measures every case in rounds; `say` is told of each when it is done. @throws Error for a case that one of the two refuses */
export const measure = async (cases: readonly QuoteCase[], rounds: number, say: (done: Measured) => void): Promise<void> => {
  for (const one of cases) {
    const contenders = await contendersOf(one)
    for (const what of ['full', 'cached', 'parse'] as const) {
      say({ case: one.name, what, ms: await sample(contenders[what], rounds, what === 'parse' ? 200 : 1) })
    }
  }
}

const contendersOf = async ({
  name,
  quote: hex,
  collateral,
  at,
}: QuoteCase): Promise<Readonly<Record<What, Readonly<Record<string, Call>>>>> => {
  const quote = fromHex(hex)
  const options = { at, root: ROOT, policy: POLICY }
  // Before the signatures are recorded: the root's own is checked once by a port and is none of the nine.
  const { port, taken } = recorder()
  await verifyCollateral(collateral, { at, root: ROOT, ecdsa: port })
  taken()
  expectAccepted(name, await inspectAttestation(quote, collateral, { ...options, ecdsa: port }))
  const nine = taken()
  const ecdsa = freshEcdsa()
  const handle = await verifyCollateral(collateral, { at, root: ROOT, ecdsa: port })
  await inspectQuote(quote, handle, { ...options, ecdsa: port })
  taken()
  expectAccepted(name, await inspectQuote(quote, handle, { ...options, ecdsa: port }))
  const two = taken()
  if (nine.length !== 9 || two.length !== 2) throw new Error(`${name}: ${nine.length} and ${two.length} signatures, not 9 and 2`)
  const theirs = JSON.parse(collateral)
  const phalas = (): unknown => phala.verify(quote as never, theirs, at)
  phalas()
  return {
    full: {
      [OURS]: () => inspectAttestation(quote, collateral, { ...options, ecdsa: freshEcdsa() }),
      [FLOOR]: floorOf(nine),
      [PHALA]: phalas,
    },
    // The rival keeps nothing: what is cached here costs there as much as before.
    cached: { [OURS]: () => inspectQuote(quote, handle, { ...options, ecdsa }), [FLOOR]: floorOf(two), [PHALA]: phalas },
    parse: { [OURS]: () => readQuote(quote), [PHALA]: () => phala.Quote.parse(quote as never) },
  }
}

const expectAccepted = (name: string, { accepted, checks }: QuoteVerdict): void => {
  if (!accepted) throw new Error(`${name}: ${checks.find(({ state }) => state === 'failed')?.found}`)
}

type Signature = readonly [publicKey: Bytes, signature: Bytes, message: Bytes]

/** A port that notes what it is asked. */
const recorder = (): { readonly port: VerifyEcdsa; readonly taken: () => readonly Signature[] } => {
  const ecdsa = freshEcdsa()
  let noted: Signature[] = []
  return {
    port: (...signature) => {
      noted.push(signature)
      return ecdsa(...signature)
    },
    taken: () => {
      const all = noted
      noted = []
      return all
    },
  }
}

/** The same signatures with nothing around them, each key imported, all side by side. */
const floorOf =
  (signatures: readonly Signature[]): Call =>
  () =>
    Promise.all(
      signatures.map(async ([publicKey, signature, message]) => {
        const key = await subtle.importKey('raw', publicKey, CURVE, false, ['verify'])
        if (!(await subtle.verify(SHA256, key, signature, message))) throw new Error('a signature does not hold')
      }),
    )

/** What each round spends on a contender, and what is spent before the first: engines compile what is called often in the background. */
const BLOCK_MS = 12
const WARM_MS = 1_500
/** Of one that takes longer than a block. */
const FEWEST = 21

/** Blocks of all contenders in turn, each round beginning with another one. Every call is timed alone. */
const sample = async (
  calls: Readonly<Record<string, Call>>,
  rounds: number,
  times: number,
): Promise<Readonly<Record<string, readonly number[]>>> => {
  const entries = Object.entries(calls)
  for (const [, call] of entries) for (let spent = 0; spent < WARM_MS; ) spent += (await timed(call, times)) * times
  const ms: Record<string, number[]> = Object.fromEntries(entries.map(([name]) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < entries.length; i++) {
      const [name, call] = entries[(i + round) % entries.length] as [string, Call]
      const samples = ms[name] as number[]
      if (samples.length >= FEWEST && (samples[0] as number) * times > 2 * BLOCK_MS) continue
      // Not noted: it pays for what the one before it left in the caches.
      await timed(call, times)
      for (let spent = 0; spent < BLOCK_MS; ) {
        const each = await timed(call, times)
        samples.push(each)
        spent += each * times
      }
    }
  }
  return ms
}

/** Where results go, so that no engine leaves the work out. */
export let sink: unknown

/** Milliseconds a call. Only what gives a promise is waited for: a wait is longer than a parse. */
const timed = async (call: Call, times: number): Promise<number> => {
  const start = performance.now()
  for (let i = 0; i < times; i++) {
    const result = call()
    sink = result instanceof Promise ? await result : result
  }
  return (performance.now() - start) / times
}
