/** What the address bar names. Everything in it is a stranger's text until it was asked for. */
export type Route =
  | { readonly view: 'home' }
  | { readonly view: 'address'; readonly address: string }
  | { readonly view: 'refund'; readonly group: string; readonly position: bigint }
  | { readonly view: 'filter'; readonly recipient: string; readonly block: string }

const LONGEST = 256
const POSITION = /^(?:0|[1-9]\d{0,15})$/
const GROUP = /^[0-9a-f]{64}$/

/** Reads a location's hash. What is none of the forms below is home, like a path that an older page had. */
export const readRoute = (hash: string): Route => {
  const home: Route = { view: 'home' }
  if (hash.length > LONGEST) return home
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [view = '', first = '', second = ''] = path.split('/')
  if (view === 'address' && first !== '') return { view, address: first }
  if (view === 'refund' && GROUP.test(first) && POSITION.test(second)) return { view, group: first, position: BigInt(second) }
  if (view !== 'all') return home
  const asked = new URLSearchParams(query)
  return { view: 'filter', recipient: asked.get('recipient') ?? '', block: asked.get('block') ?? '' }
}

/** The hash of a route: what a permalink ends with. */
export const formatRoute = (route: Route): string => {
  if (route.view === 'address') return `#/address/${encodeURIComponent(route.address)}`
  if (route.view === 'refund') return `#/refund/${route.group}/${route.position}`
  if (route.view === 'home') return '#/'
  const asked = new URLSearchParams()
  if (route.recipient !== '') asked.set('recipient', route.recipient)
  if (route.block !== '') asked.set('block', route.block)
  return asked.size === 0 ? '#/' : `#/all?${asked}`
}
