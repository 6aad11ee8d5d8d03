import { connect, Tally } from '../../client/page/index.ts'
import { showAddress } from './address.ts'
import { again } from './again.ts'
import { byId, el } from './dom.ts'
import { showLive } from './live.ts'
import { showState } from './status.ts'

/** The operator's published file. It is checked where it is used: in the Worker. */
interface Handshake {
  readonly bootstrap: readonly string[]
  readonly network?: string
  readonly tally: Tally.TallyConfig
}

const handshake = async (): Promise<Handshake> => {
  const response = await fetch('./handshake.json')
  if (!response.ok) throw new Error(`handshake.json: ${response.status}`)
  return (await response.json()) as Handshake
}

const start = async (): Promise<void> => {
  const status = byId('status')
  const note = el('div', { role: 'status' }, 'Connecting…')
  status.append(note)
  for (;;) {
    try {
      const { bootstrap, network, tally } = await handshake()
      await using connected = await connect({ bootstrap, ...(network !== undefined && { network }) })
      await using refunds = await Tally.read(connected, tally)
      note.remove()
      showState(status, connected, refunds)
      showAddress(byId('address'), refunds)
      await showLive(byId('live'), refunds)
      return
    } catch (error) {
      await again(note, error)
    }
  }
}

void start()
