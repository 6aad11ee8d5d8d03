import type { Locks } from '../../../client/rpc/meeting.ts'
import type { Port } from '../../../client/rpc/wire.ts'

/** Whose a lock or a channel is: a tab, or a Worker of one. */
export interface Owner {
  isDead: boolean
  /** Nothing of it runs, and everything that it has it keeps. */
  isFrozen: boolean
}

export const owner = (): Owner => ({ isDead: false, isFrozen: false })

interface End {
  readonly owner: Owner
  readonly deliver: (data: unknown) => void
}

/** BroadcastChannels of one origin: values are cloned, and come in later tasks and in order to everybody but their sender. */
export const channels = () => {
  const open = new Map<string, Set<End>>()
  const channel = (name: string, owner: Owner): Port => {
    const queue: unknown[] = []
    let isOpen = true
    const drain = (): void => {
      if (!isOpen || owner.isDead) return
      // A task that belongs to a frozen page waits.
      if (owner.isFrozen) return void setImmediate(drain)
      const data = queue.shift()
      ;(port.onmessage as ((event: unknown) => void) | null)?.({ data })
    }
    const end: End = {
      owner,
      deliver: (data) => {
        queue.push(data)
        setImmediate(drain)
      },
    }
    const all = open.get(name) ?? new Set()
    open.set(name, all.add(end))
    const port: Port = {
      onmessage: null,
      postMessage: (message) => {
        if (!isOpen) throw new DOMException('the channel is closed', 'InvalidStateError')
        const data = structuredClone(message)
        if (!owner.isDead) for (const other of all) if (other !== end) other.deliver(structuredClone(data))
      },
      close: () => {
        isOpen = false
        all.delete(end)
        if (all.size === 0) open.delete(name)
      },
    }
    return port
  }
  /** What the browser does when a tab or a Worker is gone. */
  const release = (owner: Owner): void => {
    for (const [name, all] of [...open]) {
      for (const end of [...all]) if (end.owner === owner) all.delete(end)
      if (all.size === 0) open.delete(name)
    }
  }
  return { channel, release, names: () => [...open.keys()] }
}

interface Request {
  readonly owner: Owner
  readonly grant: () => void
  readonly lose: (error: unknown) => void
}

/** The Web Locks of one origin. */
export const locks = () => {
  const held = new Map<string, Request>()
  const waiting = new Map<string, Request[]>()
  const next = (name: string): void => {
    if (held.has(name)) return
    const queue = waiting.get(name) ?? []
    const first = queue.shift()
    if (queue.length === 0) waiting.delete(name)
    if (!first) return
    if (first.owner.isDead) {
      next(name)
      return
    }
    held.set(name, first)
    setImmediate(first.grant)
  }
  const of = (owner: Owner): Locks => ({
    request: (name, { signal, steal }, run) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const hold = async (): Promise<void> => {
          try {
            if (!owner.isDead) resolve(await run())
          } catch (error) {
            reject(error)
          }
          if (held.get(name) !== request || owner.isDead) return
          held.delete(name)
          next(name)
        }
        const request: Request = {
          owner,
          grant: () => void hold(),
          lose: (error) => {
            const tell = (): void => (owner.isFrozen ? void setImmediate(tell) : reject(error))
            tell()
          },
        }
        if (steal) {
          held.get(name)?.lose(new DOMException('stolen', 'AbortError'))
          held.set(name, request)
          return void setImmediate(request.grant)
        }
        waiting.set(name, [...(waiting.get(name) ?? []), request])
        signal?.addEventListener('abort', () => {
          // Of a lock that is held it takes nothing back.
          if (!waiting.get(name)?.includes(request)) return
          const queue = waiting.get(name)?.filter((other) => other !== request) ?? []
          if (queue.length > 0) waiting.set(name, queue)
          else waiting.delete(name)
          reject(signal.reason)
        })
        next(name)
      }),
  })
  /** What the browser does when a tab or a Worker is gone. */
  const release = (owner: Owner): void => {
    for (const [name, request] of [...held]) {
      if (request.owner !== owner) continue
      held.delete(name)
      next(name)
    }
  }
  return { of, release, held: () => [...held.keys()] }
}
