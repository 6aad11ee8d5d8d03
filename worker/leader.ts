import { leadTabs } from '../client/rpc/leader.ts'
import type { Port } from '../client/rpc/wire.ts'

/** Serves the other tabs that meet at `meeting`: for the Worker of the tab that has the lock. */
export const lead = (meeting: string, serve: (port: Port) => void): void => {
  const leader = crypto.randomUUID()
  leadTabs({ meeting, leader, channel: (name) => new BroadcastChannel(name), locks: navigator.locks, serve })
}
