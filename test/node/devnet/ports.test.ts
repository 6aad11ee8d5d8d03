import { createSocket } from 'node:dgram'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { portsFor } from '../../../node/devnet/ports.ts'
import { scratch } from '../folder.ts'

const occupy = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })

describe('portsFor', () => {
  it('keeps the ports of the run before, for as many members as there are', async () => {
    const folder = await scratch()
    const first = await portsFor(folder, 2)
    const all = first.flatMap(({ tcp, ws, rtc, wt, http }) => [tcp, ws, rtc, wt, http])
    expect(new Set(all).size).toBe(10)
    expect(await portsFor(folder, 2)).toEqual(first)
    expect((await portsFor(folder, 4)).slice(0, 2)).toEqual(first)
  })

  it('takes another one where somebody else has it now, and keeps that', async () => {
    const folder = await scratch()
    const [before] = await portsFor(folder, 1)
    const server = await occupy(before?.ws ?? 0)
    const [after] = await portsFor(folder, 1)
    server.close()
    expect(after).toMatchObject({ tcp: before?.tcp, http: before?.http })
    expect(after?.ws).not.toBe(before?.ws)
    expect(JSON.parse(await readFile(join(folder, 'ports.json'), 'utf8'))).toEqual([after])
  })

  it('looks for datagrams where datagrams are received', async () => {
    const folder = await scratch()
    const [before] = await portsFor(folder, 1)
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(before?.wt ?? 0, '127.0.0.1', resolve))
    const [after] = await portsFor(folder, 1)
    socket.close()
    expect(after).toMatchObject({ tcp: before?.tcp, ws: before?.ws, rtc: before?.rtc, http: before?.http })
    expect(after?.wt).not.toBe(before?.wt)
  })

  it('finds the ports of a devnet of before that had fewer, and adds those that are new', async () => {
    const folder = await scratch()
    const [before] = await portsFor(folder, 1)
    const { tcp, ws, http } = before as NonNullable<typeof before>
    await writeFile(join(folder, 'ports.json'), JSON.stringify([{ tcp, ws, http }]))
    const [after] = await portsFor(folder, 1)
    expect(after).toMatchObject({ tcp, ws, http, rtc: expect.any(Number), wt: expect.any(Number) })
  })

  it.each(['', '{"a":', '{}', '[null]', '[{"tcp":"x","ws":80,"http":70000}]'])('chooses anew where the file holds %j', async (text) => {
    const folder = await scratch()
    await writeFile(join(folder, 'ports.json'), text)
    const [ports] = await portsFor(folder, 1)
    expect(Math.min(ports?.tcp ?? 0, ports?.ws ?? 0, ports?.http ?? 0)).toBeGreaterThan(1_023)
  })

  it('gives no port twice, whatever the file says', async () => {
    const folder = await scratch()
    const [known] = await portsFor(folder, 1)
    await writeFile(join(folder, 'ports.json'), JSON.stringify([{ tcp: known?.tcp, ws: known?.tcp, http: known?.tcp }, known]))
    const all = (await portsFor(folder, 2)).flatMap(({ tcp, ws, http }) => [tcp, ws, http])
    expect(all[0]).toBe(known?.tcp)
    expect(new Set(all).size).toBe(6)
  })
})
