import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { formatGate } from '../../client/coalition/tickets/tdx-gate.ts'
import { COLLATERAL_FILE, GATE_FILE, REQUESTS_FILE, type TicketRequest } from '../../node/devnet/quotes.ts'
import { writeWhole } from '../../node/files.ts'
import { type MockPki, pem, writeCollateral } from '../verify/_collateral-writer.ts'
import { gateOf, pkiOf, ticketFor, WRONGS, type Wrong } from './_quoting.ts'

// The quoting service of a devnet without a TD: node scripts/run.mjs test/devnet/tdx.ts DIR [options], beside coalition devnet --quotes DIR.

const USAGE = `node scripts/run.mjs test/devnet/tdx.ts DIR [--wrong SEAT=${WRONGS.join('|')}]… [--lifetime S] [--timeout S]

  Writes DIR/root.pem, DIR/gate.json and DIR/collateral.json of a mock CA, waits for DIR/requests.json, and answers it with tickets.

  --wrong SEAT=WHAT  makes that seat's ticket wrong in one thing; seats count from 0
  --lifetime S       seconds until the tickets expire; default never, which is a day
  --timeout S        seconds to wait for requests; default 120`

export interface Quoting {
  /** What is wrong, by seat. */
  readonly wrong?: ReadonlyMap<number, Wrong>
  readonly lifetime?: number | null
}

/** Writes what a devnet needs before it starts. A folder that has a CA keeps it. */
export const openQuoting = async (folder: string): Promise<MockPki> => {
  await mkdir(folder, { recursive: true })
  const { pki, saved } = await pkiOf(folder, now())
  await writeWhole(...saved, 0o600)
  await writeWhole(join(folder, 'root.pem'), pem(pki.root))
  await writeWhole(join(folder, COLLATERAL_FILE), `${writeCollateral(pki)}\n`)
  // Last: whoever waits for the gate finds the rest.
  await writeWhole(join(folder, GATE_FILE), `${JSON.stringify(formatGate(gateOf(pki)), null, 2)}\n`)
  return pki
}

/** Writes a ticket for each request in the folder. */
export const answerRequests = async (folder: string, pki: MockPki, { wrong = new Map(), lifetime = null }: Quoting = {}): Promise<void> => {
  const requests = JSON.parse(await readFile(join(folder, REQUESTS_FILE), 'utf8')) as readonly TicketRequest[]
  for (const request of requests) {
    const data = ticketFor(pki, request, { at: now(), lifetime, wrong: wrong.get(request.seat) ?? null })
    await writeWhole(join(folder, request.ticket), data)
  }
}

export const main = async (argv: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      wrong: { type: 'string', multiple: true, default: [] },
      lifetime: { type: 'string' },
      timeout: { type: 'string', default: '120' },
    },
  })
  const [given] = positionals
  if (given === undefined || positionals.length > 1) {
    process.stderr.write(`${USAGE}\n`)
    return 2
  }
  const folder = resolve(given)
  const wrong = new Map(values.wrong.map(wrongOf))
  const pki = await openQuoting(folder)
  process.stdout.write(`gate ${join(folder, GATE_FILE)}\n`)
  const end = now() + Number(values.timeout)
  while (!existsSync(join(folder, REQUESTS_FILE))) {
    if (now() > end) {
      process.stderr.write(`no ${REQUESTS_FILE} came within ${values.timeout} s\n`)
      return 1
    }
    await delay(200)
  }
  await answerRequests(folder, pki, { wrong, lifetime: values.lifetime === undefined ? null : Number(values.lifetime) })
  process.stdout.write('tickets written\n')
  return 0
}

const wrongOf = (text: string): readonly [number, Wrong] => {
  const [, seat, what] = /^(\d+)=(\w+)$/.exec(text) ?? []
  const found = WRONGS.find((one) => one === what)
  if (found === undefined) throw new Error(`--wrong takes SEAT=${WRONGS.join('|')}, not ${text}`)
  return [Number(seat), found]
}

const now = (): number => Math.floor(Date.now() / 1_000)
