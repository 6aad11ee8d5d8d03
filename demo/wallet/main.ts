import { connect, isError, Tally } from '../../client/page/index.ts'
import { AddressView } from './address-view.ts'
import { AllRefunds } from './all-refunds.ts'
import { RefundChart } from './chart.ts'
import { RawEvidence } from './evidence.ts'
import { FilterView } from './filter-view.ts'
import { ItemView } from './item-view.ts'
import { fetchHandshake, type Opened } from './opened.ts'
import { pause } from './pause.ts'
import { RefundRow } from './refund-row.ts'
import { readRoute } from './route.ts'
import { onSettings, settings, transportsOf } from './settings.ts'
import { WalletSettings } from './settings-panel.ts'
import { NetworkStatus } from './status.ts'

const ELEMENTS = {
  'network-status': NetworkStatus,
  'address-view': AddressView,
  'item-view': ItemView,
  'filter-view': FilterView,
  'all-refunds': AllRefunds,
  'refund-row': RefundRow,
  'refund-chart': RefundChart,
  'raw-evidence': RawEvidence,
  'wallet-settings': WalletSettings,
} as const

type Name = keyof typeof ELEMENTS

for (const [name, made] of Object.entries(ELEMENTS)) customElements.define(name, made)

/** An element of index.html. */
const part = <K extends Name>(name: K): InstanceType<(typeof ELEMENTS)[K]> => {
  const element = document.querySelector(name)
  if (element === null) throw new Error(`index.html has no <${name}>`)
  return element as InstanceType<(typeof ELEMENTS)[K]>
}

const scheme = (): void => {
  document.documentElement.dataset.scheme = settings().scheme
}

/** Shows what the address bar names. */
const follow = (opened: Opened): void => {
  const route = readRoute(location.hash)
  if (route.view === 'refund') void part('item-view').show(opened, route)
  else part('item-view').hide()
  part('filter-view').show(opened, route.view === 'filter' ? route : null)
  if (route.view === 'address') part('address-view').ask(route.address)
}

const open = async (): Promise<Opened> => {
  const { bootstrap, network: universe, tally } = await fetchHandshake()
  const status = part('network-status')
  const transports = transportsOf(settings(), location.search)
  let group = ''
  const network = await connect({
    bootstrap,
    ...(transports !== null && { transports }),
    ...(universe !== undefined && { network: universe }),
    onProgress: (progress) => {
      group = progress.group ?? group
      status.progress(progress)
    },
  })
  try {
    const refunds = await Tally.read(network, tally)
    return { network, refunds, lattice: { name: tally.lattice.name, chainId: BigInt(tally.lattice.chainId) }, group }
  } catch (error) {
    const proofs = isError(error, 'Network.EquivocationError') ? await network.evidence() : []
    await network[Symbol.asyncDispose]()
    if (proofs.length > 0) status.caught(error, proofs)
    throw error
  }
}

const start = async (): Promise<void> => {
  const status = part('network-status')
  for (;;) {
    try {
      const opened = await open()
      status.show(opened)
      const [address, all] = [part('address-view'), part('all-refunds')]
      address.show(opened)
      all.heard = (item) => {
        status.hear(item.verdict)
        address.suggest(item.value)
      }
      follow(opened)
      addEventListener('hashchange', () => follow(opened))
      await all.show(opened)
      return
    } catch (error) {
      // No other try mends what a committee signed.
      if (isError(error, 'Network.EquivocationError')) return
      await pause(error, (failure) => status.fail(failure))
    }
  }
}

scheme()
onSettings(scheme)
// The whole list steps back while it is narrowed.
document.addEventListener('filtered', (event) => {
  part('all-refunds').hidden = (event as CustomEvent<boolean>).detail
})
void start()
