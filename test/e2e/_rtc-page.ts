import { hostRtc } from '../../client/page/rtc.ts'
import type { Port } from '../../client/rpc/wire.ts'
import { attachRtc } from '../../client/rpc/wire.ts'

// The page of webrtc.test.ts: a Worker with connections of this page. Channels cross, or stay here and have a port each.

/** A port over which no RTCDataChannel passes, as in a browser that cannot transfer them. */
const withoutChannels = (port: MessagePort): Port => ({
  postMessage: (message: unknown, transfer: Transferable[] = []) => {
    if (transfer.some((value) => !(value instanceof MessagePort))) throw new DOMException('no such transfer', 'DataCloneError')
    port.postMessage(message, transfer)
  },
  set onmessage(take: (event: MessageEvent) => void) {
    port.onmessage = take
  },
  close: () => port.close(),
})

let worker: Worker | null = null
let stop: () => void = () => {}
let last = 0
const waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>()

const call = (name: string, ...args: readonly unknown[]): Promise<unknown> =>
  new Promise((resolve, reject) => {
    waiting.set(++last, { resolve, reject })
    worker?.postMessage({ id: last, name, args })
  })

const start = (version: 1 | 2, isBridged: boolean): void => {
  worker = new Worker('/worker.js', { type: 'module' })
  worker.onmessage = ({ data }) => {
    const { id, value, error } = data as { readonly id: number; readonly value: unknown; readonly error?: string }
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(value)
    else call?.reject(new Error(error))
  }
  const { port1, port2 } = new MessageChannel()
  stop = hostRtc(isBridged ? withoutChannels(port1) : (port1 as Port))
  worker.postMessage({ ...attachRtc(port2), version }, [port2])
}

const end = (): void => {
  stop()
  worker?.terminate()
}

Object.assign(globalThis, { rtc: { start, call, stop: () => stop(), end } })
document.title = 'ready'
