import { connect, Tally } from './index.js'

// The script of a page that does nothing but read: what a tab is given, and when, for tests that count it.

const { bootstrap, tally } = await (await fetch('./handshake.json')).json()

/** The refunds that came, from the newest one on, and the heads under which they came: place and time each. */
const [items, heads] = [[], []]
let refunds = null

/**
 * Reads the newest refund over the given transports, and goes on from there.
 * @param {readonly string[]} transports
 * @returns what was read first, and the milliseconds from the page's call to it
 */
globalThis.read = async (transports) => {
  const started = performance.now()
  const network = await connect({ bootstrap, transports, storage: false })
  refunds = await Tally.read(network, tally, { timeout: 60_000 })
  const { ref, verdict } = await refunds.latest()
  const firstMs = performance.now() - started
  refunds.onState(({ head }) => {
    if (head !== null && head.index !== heads.at(-1)?.index) heads.push({ index: head.index, atMs: Date.now() })
  })
  void follow(BigInt(ref.position ?? 0))
  return { firstMs, isGood: verdict.ok, position: ref.position }
}

const follow = async (position) => {
  try {
    for await (const { ref, verdict } of refunds.since(position))
      items.push({ position: ref.position, isGood: verdict.ok, atMs: Date.now() })
  } catch (error) {
    items.push({ problem: String(error), atMs: Date.now() })
  }
}

globalThis.seen = () => ({ items, heads, state: refunds.state })
