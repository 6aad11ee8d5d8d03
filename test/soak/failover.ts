import type { Served } from '../../node/devnet/committee.ts'
import { BUILDER } from '../../node/devnet/handshake.ts'
import { payBuilder } from '../../node/devnet/traffic.ts'
import { textLog } from '../../node/json-lines.ts'
import { median, quantile } from '../bench/report.ts'
import type { Devnet } from '../devnet.ts'
import { launch } from '../e2e/page.ts'
import { itemProblems, openProbe, serveProbe } from '../e2e/probe.ts'
import { type Gap, killFollowed, untilWhole } from '../failover.ts'

// A tab that follows one member after the other, each of which is killed: how long it goes without a new block, and whether it loses or
// repeats an item.

export interface FailoverOptions {
  /** Started with `--no-traffic`: the soak pays itself. */
  readonly devnet: Devnet
  /** For the page. */
  readonly folder: string
  readonly kills: number
  readonly transport: Served
  readonly log: (line: string) => void
}

interface Spread {
  readonly median: number
  readonly p90: number
  readonly most: number
}

export interface FailoverOutcome {
  readonly transport: Served
  readonly gaps: readonly Gap[]
  /** Over all kills, in milliseconds: see `Gap`. */
  readonly gapMs: Spread
  readonly committeeMs: Spread
  readonly noticedMs: Spread
  /** Milliseconds between two blocks in the tab, over the whole run. */
  readonly blockMs: Spread
  /** Items that the tab was given. */
  readonly items: number
  readonly problems: readonly string[]
}

/** What the gap's median may be, in milliseconds: a dead process behind TCP is told by its socket, one behind UDP by its silence. */
const AIM: Readonly<Record<Served, number>> = { ws: 2_000, 'webrtc-direct': 12_000, webtransport: 12_000 }

export const failOver = async ({ devnet, folder, kills, transport, log }: FailoverOptions): Promise<FailoverOutcome> => {
  const browser = await launch()
  const stop = new AbortController()
  const traffic = { url: devnet.rpc, feeRecipient: BUILDER, signal: stop.signal, log: textLog(console.error), everyMs: 600 }
  const paying = payBuilder(traffic)
  try {
    await using site = await serveProbe(folder, devnet.config)
    await using probe = await openProbe(browser, site.url, [transport])
    await untilWhole(devnet, probe)
    const gaps: Gap[] = []
    while (gaps.length < kills) {
      const gap = await killFollowed(devnet, probe)
      gaps.push(gap)
      log(
        `kill ${gaps.length}: member ${gap.seat}, tab ${gap.gapMs} ms, committee ${gap.committeeMs} ms, link known dead ${gap.noticedMs} ms`,
      )
    }
    const seen = await probe.seen()
    const times = seen.heads.map(({ atMs }) => atMs)
    const gapMs = spread(gaps.map(({ gapMs }) => gapMs))
    const slow = gapMs.median > AIM[transport] ? [`the median gap is ${gapMs.median} ms, over ${AIM[transport]} ms`] : []
    return {
      transport,
      gaps,
      gapMs,
      committeeMs: spread(gaps.map(({ committeeMs }) => committeeMs)),
      noticedMs: spread(gaps.map(({ noticedMs }) => noticedMs)),
      blockMs: spread(times.slice(1).map((atMs, i) => atMs - (times[i] as number))),
      items: seen.items.length,
      problems: [...itemProblems(seen), ...slow],
    }
  } finally {
    stop.abort()
    await paying
    await browser.close()
  }
}

const spread = (all: readonly number[]): Spread => ({
  median: Math.round(median(all)),
  p90: Math.round(quantile(all, 0.9)),
  most: Math.max(...all),
})
