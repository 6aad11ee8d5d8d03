import { hostRtc } from '../../client/page/rtc.ts'
import type { Port } from '../../client/rpc/wire.ts'
import { attachRtc } from '../../client/rpc/wire.ts'
import type { Job } from './_transport.ts'

// The page of the transport bench: a Worker, the connections that it cannot make itself, and a way to ask it.

const worker = new Worker('/worker.js', { type: 'module' })
const { port1, port2 } = new MessageChannel()
hostRtc(port1 as Port)
worker.postMessage(attachRtc(port2), [port2])

let last = 0
const measure = (job: Job): Promise<number> =>
  new Promise((resolve, reject) => {
    const id = ++last
    const listen = ({ data }: MessageEvent<{ readonly id: number; readonly ms?: number; readonly error?: string }>): void => {
      if (data.id !== id) return
      worker.removeEventListener('message', listen)
      if (data.ms === undefined) reject(new Error(data.error))
      else resolve(data.ms)
    }
    worker.addEventListener('message', listen)
    worker.postMessage({ id, job })
  })

Object.assign(globalThis, { measure })
