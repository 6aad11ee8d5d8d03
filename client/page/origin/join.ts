import { whenAborted } from '../../network/scope.ts'
import { createLine, type Line } from '../../rpc/line.ts'
import { lineName, tabLock } from '../../rpc/meeting.ts'
import { type Port, ShutdownError } from '../../rpc/wire.ts'
import { type Seat, seatOf } from '../worker.ts'
import { type Ground, PULSE, SILENT } from './ground.ts'

/**
 * Asks the Worker of another tab to serve this one too.
 * @param place where it listens
 * @param answered called once, with null when it has as many tabs as it serves
 */
export const join = (
  { meeting, locks, channel, every, name }: Ground,
  place: Port,
  leader: string,
  answered: (seat: Seat | null) => void,
): Seat => {
  const tab = name()
  let missed = 0
  let isReady = false
  const take = (word: unknown): void => {
    missed = 0
    if (isReady) return
    isReady = true
    whenAborted(signal, every(PULSE.everyMs, look))
    answered(word === 'full' ? null : seat)
  }
  // A tab that slept finds one look and then the answers: one miss, not as many as it slept through.
  const look = (): void => {
    if (++missed > PULSE.misses) end(SILENT)
    else line.postMessage('ping')
  }
  const end = (cause?: unknown): void => seat.gone.abort(new ShutdownError(cause))
  const line: Line = createLine(channel(lineName(meeting, leader, tab)), { streams: 0, take, closed: end })
  const seat = seatOf(line, 'another tab', undefined, line.channel)
  const { signal } = seat.gone
  whenAborted(signal, line.close)
  // The Worker takes the tab for gone when this lock is free, so it is held before the Worker hears of the tab.
  const hold = (): Promise<void> => {
    place.postMessage({ kind: 'join', leader, tab })
    return new Promise((resolve) => whenAborted(signal, resolve))
  }
  locks.request(tabLock(meeting, tab), { signal }, hold).catch(end)
  return seat
}
